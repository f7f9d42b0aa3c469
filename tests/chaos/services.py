"""The services of the fault tests: an SQS with a ledger, served over HTTP, and a Valkey with its replica."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from anyio import current_time, sleep
from redis.asyncio import Redis

from chaos import process
from chaos.shop import LOOK, Shop
from chaos.valkey import Valkey
from streamapp.testing import MemorySqs, serve


@dataclass
class FaultServices:
    """*valkey* has a *replica* if one was asked for; logs and data files are in *folder*."""

    sqs: MemorySqs
    endpoint: str
    valkey: Valkey
    folder: Path

    @asynccontextmanager
    async def shop(
        self, prefix: str, *, redis_url: str | None = None, visibility: int | None = None, **settings: str
    ) -> AsyncIterator[Shop]:
        """Open a shop; its workers end with the context."""
        shop = Shop(self.sqs, self.endpoint, redis_url or self.valkey.url, prefix, self.folder, **settings)
        try:
            yield await (shop.open() if visibility is None else shop.open(visibility))
        finally:
            shop.close()


@asynccontextmanager
async def bench(folder: Path, *, fsync: str = "everysec") -> AsyncIterator[FaultServices]:
    """Run the services while the context is open."""
    process.prepare()
    sqs = MemorySqs()
    with running(Valkey(folder / "valkey", fsync=fsync)) as valkey:
        async with serve(sqs) as endpoint:
            yield FaultServices(sqs, endpoint, valkey, folder)


@contextmanager
def running(valkey: Valkey) -> Iterator[Valkey]:
    """Run a server while the context is open."""
    try:
        yield valkey.start()
    finally:
        valkey.kill()


async def in_step(master: Valkey, replicas: int = 1, within: float = 20.0) -> None:
    """Return when that many replicas are in sync with *master*."""
    deadline = current_time() + within
    async with Redis.from_url(master.url, decode_responses=True) as redis:
        while True:
            info = await redis.info("replication")
            online = sum(info.get(f"slave{n}", {}).get("state") == "online" for n in range(replicas))
            if online == replicas:
                return
            assert current_time() < deadline, info  # clock: patience
            await sleep(LOOK)
