"""Bodies that must be dead-lettered, each with its reason, and bodies that must be skipped."""

from collections.abc import Callable, Iterator, Sequence
from itertools import cycle, islice
from math import ceil
from random import Random

from streamapp_agents.simulador.message import Message, Queue
from streamapp_agents.simulador.texts import to_json
from streamapp_codecs import Reason


def invalidos(sorte: Random, ids: Sequence[str], quantos: int) -> Iterator[Message]:
    """Return *quantos* messages that must be dead-lettered, then a third as many that must be skipped.

    They are about the orders *ids*; without any there are none.
    """
    for fila, motivo, corpo in islice(cycle(_INVALIDOS), quantos if ids else 0):
        yield Message(fila, corpo(sorte.choice(ids)), reason=motivo)
    for fila, corpo in islice(cycle(_IGNORADOS), ceil(quantos / 3) if ids else 0):
        yield Message(fila, corpo(sorte.choice(ids)), skipped=True)


_Corpo = Callable[[str], str]


def _evento(tipo: str, **dados: object) -> str:
    return to_json({"event_type": tipo, "data": dados})


def _boneca(id_pedido: str) -> str:
    """Wrap a status in more envelopes than are ever opened."""
    corpo: object = {"id_pedido": id_pedido, "status": "Cancelado"}
    for _ in range(12):
        corpo = {"data": corpo}
    return to_json(corpo)


# They are about real orders: a body that cannot be read must change nothing of them.
_INVALIDOS: tuple[tuple[Queue, Reason, _Corpo], ...] = (
    (
        "pedido-events",
        "not_json",
        lambda id_: f'{{"event_type":"pedido_criado","data":{{"id_pedido":"{id_}",',
    ),
    ("pagamento-events", "undecidable", lambda id_: to_json({"pedidoId": id_})),
    ("pedido-events", "missing_field", lambda _: _evento("pedido_criado")),
    ("pedido-events", "invalid_value", lambda id_: _evento("pedido_criado", id_pedido=id_, produtos=[])),
    ("pedido-events", "too_deep", _boneca),
    ("pedido-events", "not_json", lambda id_: f"pedido {id_}"),
    (
        "pedido-events",
        "s3_pointer",
        lambda id_: to_json(
            [
                "software.amazon.payloadoffloading.PayloadS3Pointer",
                {"s3BucketName": "pedidos-grandes", "s3Key": id_},
            ]
        ),
    ),
    (
        "pagamento-events",
        "undecidable",
        lambda id_: to_json({"pagamento": {"id": 12, "pedidoId": id_, "estadoPagamento": 1}}),
    ),
    ("produto-events", "unknown_envelope", lambda _: "42"),
    (
        "pedido-events",
        "invalid_value",
        lambda id_: _evento("pedido_criado", id_pedido=id_, produtos=[{"id": 1, "quantidade": 0}]),
    ),
)

_IGNORADOS: tuple[tuple[Queue, _Corpo], ...] = (
    (
        "pagamento-events",
        lambda id_: _evento("pagamento_atualizado", id_pagamento=99, id_pedido=id_, status="Desconhecido"),
    ),
    ("pedido-events", lambda _: _evento("evento_invalido", x=1)),
    (
        "pedido-events",
        lambda _: to_json(
            {
                "Type": "SubscriptionConfirmation",
                "MessageId": "0a1b2c3d-0000-4000-8000-000000000022",
                "Token": "EXEMPLO",
                "TopicArn": "arn:aws:sns:us-east-1:000000000000:pedido-criado",
                "Message": "You have chosen to subscribe to the topic.",
            }
        ),
    ),
)
