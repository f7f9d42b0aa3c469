"""The work that the hand-written contestants do for a message; each has its own way to call Redis and SQS.

`BENCH_WORK` names the work: the application's own decisions, the plain handler, or only reading the message.
"""

import os
from collections.abc import Callable, Generator, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from streamapp.state.hash_codec import HashCodec
from streamapp_agents.dominio.acompanhamento import Acompanhamento, ComCatalogo, anunciar, aplicar
from streamapp_agents.dominio.produto import Produto
from streamapp_codecs import acompanhamento, pedido
from streamapp_codecs.codec import Origin

PREFIX = os.environ["BENCH_PREFIX"]
QUEUES = os.environ["BENCH_QUEUES"].split(",")
SINK = os.environ["BENCH_SINK"]
REDIS_URL = os.environ["REDIS_URL"]
TTL = str(30 * 86_400)

Handling = Generator[list[tuple[str, ...]], list[Any], str | None]
"""Yields commands that may go to Redis together, gets their replies, returns the announcements."""


class Data(msgspec.Struct):
    """The fields of an event that the plain handler reads."""

    id_pedido: str
    status: str


class Event(msgspec.Struct):
    """An event; the plain handler ignores all else in a message."""

    event_type: str
    data: Data


_decode = msgspec.json.Decoder(Event).decode
_encode = msgspec.json.Encoder().encode
_orders, _products = HashCodec(Acompanhamento), HashCodec(Produto)


def _handler(body: str) -> Handling:
    event = _decode(body)
    data = event.data
    key = f"{PREFIX}pedido:{data.id_pedido}"
    yield [("HSET", key, "id_pedido", data.id_pedido, "status", data.status, "event_type", event.event_type)]
    return _encode(Event("acompanhamento_atualizado", data)).decode()


def _empty(body: str) -> Handling:
    _decode(body)
    return None
    yield  # the yield makes it a generator


def _application(body: str) -> Handling:
    """For a creation index and catalogue, then read, fold, write and announce: as streamapp does, without its safety."""
    origin = Origin(queue="pedido-events", message_id="", sent_at=datetime.now(UTC))
    (event,) = pedido.codec.decode(body, origin).events
    assert not hasattr(event, "id_produto")
    order = event.id_pedido  # type: ignore[union-attr]  # no product comes here
    items = event.criacao.itens or () if event.criacao is not None else ()  # type: ignore[union-attr]
    ids = sorted({item.id_produto for item in items if item.id_produto is not None})
    key = f"{PREFIX}acompanhamento:{order}"
    index = [("SADD", f"{PREFIX}indice:produto:{each}", order) for each in ids]
    index += [("EXPIRE", f"{PREFIX}indice:produto:{each}", TTL) for each in ids]
    catalogue = [("HGETALL", f"{PREFIX}produto:{each}") for each in ids]
    *products, stored = (yield [*index, *catalogue, ("HGETALL", key)])[len(index) :]
    known = [_products.read(_fields(product)) for product in products]
    cards = {product.id_produto: product.ficha for product in known if product is not None}
    told = ComCatalogo(id_pedido=order, evento=event, fichas=cards) if ids else event  # type: ignore[arg-type]
    before = _orders.read(_fields(stored))
    after = aplicar(before, told)  # type: ignore[arg-type]
    message = anunciar(before, after)
    assert after is not None
    assert message is not None
    texts = [text for pair in _orders.write(after).items() for text in pair]
    yield [("HSET", key, *texts), ("EXPIRE", key, TTL)]
    return acompanhamento.codec.encode(message)


def _fields(answer: Any) -> Mapping[str, str]:  # a hash, or names and values in turn
    return answer if isinstance(answer, dict) else dict(zip(answer[::2], answer[1::2], strict=True))


_WORKS: dict[str, Callable[[str], Handling]] = {
    "application": _application,
    "handler": _handler,
    "empty": _empty,
}
handle = _WORKS[os.environ["BENCH_WORK"]]
