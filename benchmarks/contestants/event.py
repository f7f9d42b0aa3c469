"""What the hand-written contestants share: the handler's event, decoded and answered."""

import os

import msgspec


class Data(msgspec.Struct):
    """What the handler reads of an event."""

    id_pedido: str
    status: str


class Event(msgspec.Struct):
    """An event; anything else in a message is no concern of the handler."""

    event_type: str
    data: Data


decode = msgspec.json.Decoder(Event).decode
encode = msgspec.json.Encoder().encode

PREFIX = os.environ["BENCH_PREFIX"]
QUEUES = os.environ["BENCH_QUEUES"].split(",")
SINK = os.environ["BENCH_SINK"]
REDIS_URL = os.environ["REDIS_URL"]


def key(event: Event) -> str:
    """Answer where the state of the event's order is."""
    return f"{PREFIX}pedido:{event.data.id_pedido}"


def fields(event: Event) -> dict[str, str]:
    """Answer what is stored of it."""
    return {"id_pedido": event.data.id_pedido, "status": event.data.status, "event_type": event.event_type}


def announcement(event: Event) -> bytes:
    """Answer what is sent of it."""
    return encode(Event("acompanhamento_atualizado", event.data))
