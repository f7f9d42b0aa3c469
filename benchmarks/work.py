"""The work of a round: messages about an order each, and what every one of them must leave behind."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import msgspec

from streamapp.record import Record
from streamapp_agents.acompanhamento import Acompanhamento, aplicar
from streamapp_codecs import pedido
from streamapp_codecs.codec import Origin

NOON = datetime(2025, 7, 28, 15, 0, tzinfo=UTC)
RECORD = Record(Acompanhamento)


@dataclass(frozen=True, slots=True)
class Piece:
    """One message: what it says, and what must be true once it is processed.

    *before* is the hash that its order must already have. *state* is what the application makes of it; a plain
    handler copies *status*. Each message speaks of an order of its own, so whatever the order in which they are
    processed, each changes one state and is announced once.
    """

    order: str
    body: str
    status: str
    before: Mapping[str, str]
    state: Mapping[str, str]


@cache
def pieces(count: int, size: int = 0) -> Sequence[Piece]:
    """Make *count* messages, each padded to about *size* bytes: orders, payments and the kitchen's words in turn."""
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
    after = aplicar(state, decoded)  # type: ignore[arg-type]  # an order's event, as it was written here
    assert after is not None
    return after


_Event = dict[str, Any]


def _creation(order: str, at: datetime) -> _Event:
    items = [
        {
            "id_produto": str(100 + n),
            "nome": f"Produto {n}",
            "categoria": "Lanche",
            "quantidade": 1 + n,
            "preco_unitario": "12.50",
        }
        for n in range(2)
    ]
    data = {
        "id_pedido": order,
        "status": "Recebido",
        "cpf_cliente": "529.982.247-25",
        "itens": items,
        "total_pedido": "37.50",
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
