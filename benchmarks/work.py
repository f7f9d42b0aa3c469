"""The work of a round: messages about one order each, and the result that each must have."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import msgspec

from streamapp.state.hash_codec import HashCodec
from streamapp_agents.dominio.acompanhamento import Acompanhamento, ComCatalogo, aplicar
from streamapp_agents.dominio.produto import Produto, aplicar_produto
from streamapp_codecs import pedido
from streamapp_codecs.codec import Origin
from streamapp_codecs.dominio.eventos import EventoPedido, EventoProduto

NOON = datetime(2025, 7, 28, 15, 0, tzinfo=UTC)
RECORD = HashCodec(Acompanhamento)
CATALOGUE = {
    f"{100 + n}": aplicar_produto(
        None,
        EventoProduto(
            id_produto=f"{100 + n}",
            tipo="produto_criado",
            enviado_em=NOON,
            nome=f"Produto {n}",
            categoria="Lanche",
            tempo_preparo=4 + n,
        ),
    )
    for n in range(2)
}
PRODUCTS = {number: HashCodec(Produto).write(product) for number, product in CATALOGUE.items()}
"""Hashes of the products in the catalogue, by id."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One message, and its expected result.

    *before* is the hash that its order must already have. *state* is the state that the application makes of it; a
    plain handler copies *status*. Each message is about another order, so each changes one state and is announced
    once, in whatever sequence they are processed.
    """

    order: str
    body: str
    status: str
    before: Mapping[str, str]
    state: Mapping[str, str]


@cache
def pieces(count: int, size: int = 0) -> Sequence[Piece]:
    """Make *count* messages, each padded to about *size* bytes: orders, payments and kitchen updates in turn.

    They have the form of the tracking service's own producers; the padding is an unknown field, which takes the
    application's codec the slow way.
    """
    return [_piece(number, size) for number in range(count)]


def _piece(number: int, size: int) -> Piece:
    order = f"{number + 1_000_000}"
    at = NOON + timedelta(milliseconds=number)
    creation = _creation(order, at)
    known = None if number % 4 == 0 else _after(None, creation)
    at += timedelta(minutes=3)
    match number % 4:
        case 0:
            event = creation
        case 1:
            event = _payment(order, number, at)
        case 2:
            event = _kitchen(order, "Pronto", at)
        case _:
            event = _kitchen(order, "Finalizado", at)
    body = _text(event)
    if len(body) < size:
        body = _text({**event, "observacao": "x" * (size - len(body))})
    before = {} if known is None else RECORD.write(known)
    return Piece(order, body, event["data"]["status"], before, RECORD.write(_after(known, event)))


def _after(state: Acompanhamento | None, event: "_Event") -> Acompanhamento:
    origin = Origin(queue="pedido-events", message_id="0", sent_at=NOON)
    (decoded,) = pedido.codec.decode(_text(event), origin).events
    assert isinstance(decoded, EventoPedido)
    cards = {number: product.ficha for number, product in CATALOGUE.items()}
    is_creation = decoded.criacao is not None
    told = ComCatalogo(id_pedido=decoded.id_pedido, evento=decoded, fichas=cards) if is_creation else decoded
    after = aplicar(state, told)
    assert after is not None
    return after


_Event = dict[str, Any]


def _creation(order: str, at: datetime) -> _Event:
    items = [{"id": 100 + n, "quantidade": 1 + n, "preco": 12.5} for n in range(2)]
    data = {
        "id_pedido": order,
        "cliente": "529.982.247-25",
        "produtos": items,
        "status": "Recebido",
        "criado_em": _z(at),
    }
    return {"event_type": "pedido_criado", "data": data}


def _payment(order: str, number: int, at: datetime) -> _Event:
    data = {
        "id_pagamento": number,
        "id_pedido": order,
        "valor": "37.50",
        "status": "Recebido",
        "data_criacao": at.replace(tzinfo=None).isoformat(),
    }
    return {"event_type": "pagamento_atualizado", "data": data}


def _kitchen(order: str, word: str, at: datetime) -> _Event:
    data = {"id_pedido": order, "status": word, "atualizado_em": _z(at)}
    return {"event_type": "pedido_status_atualizado", "data": data}


def _z(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def _text(event: _Event) -> str:
    return msgspec.json.encode(event).decode()
