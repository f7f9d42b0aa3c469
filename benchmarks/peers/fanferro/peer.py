"""The handler on fanferro: its Rust core prefetches and deletes in batches of ten, with up to a hundred handlers at once."""

import os

import fanferro
import msgspec
import uvloop
from redis.asyncio import Redis

EMPTY = os.environ["BENCH_WORK"] == "empty"
PREFIX = os.environ["BENCH_PREFIX"]

client = fanferro.Client(endpoint_url=os.environ["BENCH_ENDPOINT"])
redis = Redis.from_url(os.environ["REDIS_URL"], decode_responses=True)
sink = client.queue("acompanhamento-events", url=os.environ["BENCH_SINK"])


class Data(msgspec.Struct):
    """The fields of an event that the handler reads."""

    id_pedido: str
    status: str


class Event(msgspec.Struct):
    """An event; the handler ignores all else in a message."""

    event_type: str
    data: Data


async def handle(event: Event) -> None:
    """Do one HSET and one send, unless the work is empty; the body is decoded already."""
    if EMPTY:
        return
    data = event.data
    fields = {"id_pedido": data.id_pedido, "status": data.status, "event_type": event.event_type}
    await redis.hset(f"{PREFIX}pedido:{data.id_pedido}", mapping=fields)
    await sink.send(Event("acompanhamento_atualizado", data))


async def main() -> None:
    """Work until SIGTERM."""
    for url in os.environ["BENCH_QUEUES"].split(","):
        client.consumer(client.queue(url.rsplit("/", 1)[-1], url=url), handle, concurrency=100)
    async with client:
        await client.run()


if __name__ == "__main__":
    uvloop.run(main())
