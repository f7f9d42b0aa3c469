"""What goes wrong between a producer and us: repetition, disorder, and bodies that nobody can read."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import cycle, islice
from math import ceil
from random import Random

from streamapp_agents.simulador.mensagem import Fila, Mensagem
from streamapp_agents.simulador.textos import em_json
from streamapp_codecs.codec import Reason

_ALCANCE = 40.0
"""How many places a message may be moved: some minutes of a busy lunch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estragos:
    """How much goes wrong, as fractions of the number of messages."""

    duplicados: float
    fora_de_ordem: float
    invalidos: float


def estragar(
    sorte: Random, mensagens: Sequence[Mensagem], ids: Sequence[str], estragos: Estragos
) -> Iterator[Mensagem]:
    """Move, repeat and add to *mensagens*; the bad ones speak of *ids*."""
    total = len(mensagens)
    lugares = _deslocar(sorte, mensagens, _parte(estragos.fora_de_ordem, total))
    lugares += _repetir(sorte, lugares, _parte(estragos.duplicados, total))
    for ruim in _ruins(sorte, ids, _parte(estragos.invalidos, total)):
        lugares.append((sorte.uniform(0, total), ruim))
    # Sorting is stable, so equal places stay as they were made.
    yield from (mensagem for _, mensagem in sorted(lugares, key=lambda lugar: lugar[0]))


def _parte(fracao: float, total: int) -> int:
    # At least one where any is asked for, so that a short run shows it too.
    return min(total, ceil(fracao * total))


def _deslocar(sorte: Random, mensagens: Sequence[Mensagem], quantas: int) -> list[tuple[float, Mensagem]]:
    lugares = [(float(lugar), mensagem) for lugar, mensagem in enumerate(mensagens)]
    for lugar in sorte.sample(range(len(mensagens)), quantas):
        passo = sorte.choice((-1, 1)) * sorte.uniform(1.5, _ALCANCE)
        lugares[lugar] = (lugar + passo, replace(mensagens[lugar], deslocada=True))
    return lugares


def _repetir(
    sorte: Random, lugares: Sequence[tuple[float, Mensagem]], quantas: int
) -> list[tuple[float, Mensagem]]:
    return [
        (lugar + sorte.uniform(0, _ALCANCE), replace(mensagem, duplicada=True, deslocada=False))
        for lugar, mensagem in sorte.sample(lugares, quantas)
    ]


def _ruins(sorte: Random, ids: Sequence[str], quantas: int) -> Iterator[Mensagem]:
    for fila, motivo, corpo in islice(cycle(_INVALIDOS), quantas if ids else 0):
        yield Mensagem(fila, corpo(sorte.choice(ids)), motivo=motivo)
    for fila, corpo in islice(cycle(_IGNORADOS), ceil(quantas / 3) if ids else 0):
        yield Mensagem(fila, corpo(sorte.choice(ids)), ignorada=True)


_Corpo = Callable[[str], str]


def _evento(tipo: str, **dados: object) -> str:
    return em_json({"event_type": tipo, "data": dados})


def _boneca(id_pedido: str) -> str:
    """Wrap a status deeper than any envelope is unwrapped."""
    corpo: object = {"id_pedido": id_pedido, "status": "Cancelado"}
    for _ in range(12):
        corpo = {"data": corpo}
    return em_json(corpo)


# They speak of real orders: what cannot be read must change nothing of them.
_INVALIDOS: tuple[tuple[Fila, Reason, _Corpo], ...] = (
    (
        "pedido-events",
        "not_json",
        lambda id_: f'{{"event_type":"pedido_criado","data":{{"id_pedido":"{id_}",',
    ),
    ("pagamento-events", "undecidable", lambda id_: em_json({"pedidoId": id_})),
    ("pedido-events", "missing_field", lambda _: _evento("pedido_criado")),
    ("pedido-events", "invalid_value", lambda id_: _evento("pedido_criado", id_pedido=id_, produtos=[])),
    ("pedido-events", "too_deep", _boneca),
    ("pedido-events", "not_json", lambda id_: f"pedido {id_}"),
    (
        "pedido-events",
        "s3_pointer",
        lambda id_: em_json(
            [
                "software.amazon.payloadoffloading.PayloadS3Pointer",
                {"s3BucketName": "pedidos-grandes", "s3Key": id_},
            ]
        ),
    ),
    (
        "pagamento-events",
        "undecidable",
        lambda id_: em_json({"pagamento": {"id": 12, "pedidoId": id_, "estadoPagamento": 1}}),
    ),
    ("produto-events", "unknown_envelope", lambda _: "42"),
    (
        "pedido-events",
        "invalid_value",
        lambda id_: _evento("pedido_criado", id_pedido=id_, produtos=[{"id": 1, "quantidade": 0}]),
    ),
)

_IGNORADOS: tuple[tuple[Fila, _Corpo], ...] = (
    (
        "pagamento-events",
        lambda id_: _evento("pagamento_atualizado", id_pagamento=99, id_pedido=id_, status="Desconhecido"),
    ),
    ("pedido-events", lambda _: _evento("evento_invalido", x=1)),
    (
        "pedido-events",
        lambda _: em_json(
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
