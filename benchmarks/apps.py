"""The plain handler as a streamapp application, and an agent that does nothing."""

import msgspec

from streamapp import App, Stream
from streamapp_codecs import Json


class Data(msgspec.Struct):
    """The fields of an event that the handler reads."""

    id_pedido: str
    status: str


class Event(msgspec.Struct):
    """An event as every contestant's handler decodes it."""

    event_type: str
    data: Data


class Order(msgspec.Struct, frozen=True):
    """The state that the handler stores."""

    id_pedido: str
    status: str
    event_type: str


class Announcement(msgspec.Struct):
    """The message that the handler sends."""

    event_type: str
    data: Data


def fold(_: Order | None, event: Event) -> Order:
    """Overwrite, as one HSET does."""
    return Order(event.data.id_pedido, event.data.status, event.event_type)


def announce(_: Order | None, order: Order | None) -> Announcement | None:
    """Announce the stored state."""
    return (
        None
        if order is None
        else Announcement("acompanhamento_atualizado", Data(order.id_pedido, order.status))
    )


handler = App("handler")
sink = handler.sink("acompanhamento-events", Json(Announcement))
orders = handler.table("pedido", Order, fold=fold, announce=announce, to=sink)


@handler.agent("pedido-events", Json(Event))
async def store(events: Stream[Event]) -> None:
    """Decode, one idempotent write, one message."""
    async for event in events:
        await orders.update(event.data.id_pedido, event)


empty = App("empty")


@empty.agent("pedido-events", Json(Event))
async def nothing(events: Stream[Event]) -> None:
    """Consume messages and do nothing."""
    async for _ in events:
        pass
