"""Row 27: while every poller waits in its long poll, an acknowledgement waits for none of them."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import aioboto3
import pytest
from aiobotocore.config import AioConfig
from anyio import Event, create_task_group, current_time, sleep

from rigs.worker import until
from streamapp.app import App
from streamapp.cli.demo.servers import local_aws
from streamapp.config import Config
from streamapp.messages import Outgoing
from streamapp.observe.counters import Counters
from streamapp.redis.store import RedisStore
from streamapp.sqs.boto import BotoSqs, open_aws
from streamapp.sqs.client import Sqs
from streamapp.sqs.direct import DirectSqs
from streamapp.sqs.http_pool import ConnectionPool
from streamapp.sqs.message_client import open_message_client
from streamapp.sqs.sigv4 import Signer
from streamapp.testing import MemorySqs, serve
from streamapp.worker.assembly import assemble
from streamapp.worker.worker import Worker
from streamapp_codecs import Json

Client = Literal["fast", "aioboto3"]

QUEUES = [f"orders-{n}" for n in range(10)]
"""As many polls wait as the AWS client has connections by default."""

IN_HAND = 5
"""Messages of each queue that are in hand while its poll waits."""


@dataclass
class Hands:
    """Messages that agents hold until they are told to finish, and when each was finished, by its number."""

    held: dict[int, Event] = field(default_factory=dict[int, Event])
    finished: dict[int, float] = field(default_factory=dict[int, float])

    async def hold(self, numbers: Any) -> None:
        """Hold each message until told to finish."""
        async for number in numbers:
            self.held[number] = Event()
            await self.held[number].wait()
            self.finished[number] = current_time()


@asynccontextmanager
async def separate(client: Client, polls: int) -> AsyncIterator[Sqs]:
    """The client that a worker opens: polls have connections of their own."""
    async with open_aws(polls=polls) as aws, open_message_client(aws, client, polls=polls) as opened:
        yield opened


@asynccontextmanager
async def shared(client: Client, polls: int) -> AsyncIterator[Sqs]:
    """The same client, all of whose calls share as many connections as there are polls."""
    session: Any = aioboto3.Session()
    config = AioConfig(read_timeout=30, max_pool_connections=polls)
    async with open_aws() as aws, session.client("sqs", config=config) as one:
        if client == "aioboto3":
            yield BotoSqs(one, one, aws.settings)
            return
        route = aws.settings.route(aws.endpoint)
        assert route is not None
        pool = ConnectionPool(route.host, route.port, tls=None, most=polls)
        try:
            yield DirectSqs(aws, Signer(aws.region, route.authority), polls=pool, others=pool)
        finally:
            pool.close()


async def acknowledge(
    sqs: Sqs, memory: MemorySqs, store: RedisStore, config: Config, rounds: int
) -> list[float]:
    """Return the seconds from the end of each message's agent to its delete, over some rounds."""
    hands, tally, app = Hands(), Counters(), App("held")
    for name in QUEUES:
        app.agent(name, Json(int), name=name, concurrency=2 * IN_HAND)(hands.hold)
    worker = Worker(await assemble(app.registry, config, sqs, store, tally))
    async with create_task_group() as tasks:
        await tasks.start(worker.run)
        for _ in range(rounds):
            hands.held.clear()
            for name in QUEUES:
                numbers = range(len(memory.ledger.sent()), len(memory.ledger.sent()) + IN_HAND)
                await memory.send(await memory.find(name), [Outgoing(str(number)) for number in numbers])
            await until(lambda: len(hands.held) == len(QUEUES) * IN_HAND, within=60)
            await until(lambda: len(memory.simulator._polls._waiting) == len(QUEUES), within=60)
            for told in list(hands.held.values()):
                told.set()
                await sleep(0.002)
            await until(lambda: not sum(len(line.leases) for line in worker.pipelines), within=60)
        worker.stop()
    numbers = {entry.message_id: number for number, entry in enumerate(memory.ledger.sent())}
    ends = {numbers[entry.message_id]: entry.at for entry in memory.ledger.deleted()}
    return sorted(ends[number] - finished for number, finished in hands.finished.items())


@pytest.mark.timeout(600)
@pytest.mark.parametrize("client", ["fast", "aioboto3"])
async def test_an_acknowledgement_waits_for_no_poll(
    store: RedisStore,
    prefix: str,
    long: bool,
    client: Client,
    figure: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Polls that wait for seconds on every connection of a pool hold up deletes until these are of no use."""
    rounds, wait = (40, 4) if long else (2, 8)
    memory, took = MemorySqs(), dict[str, list[float]]()
    config = Config(key_prefix=f"{prefix}:", wait_seconds=wait, drain_timeout=10)
    for name in QUEUES:
        await memory.create(name, {"VisibilityTimeout": "600"})
    async with serve(memory) as endpoint:
        for variable, value in local_aws(endpoint).items():
            monkeypatch.setenv(variable, value)
        for pools, times in ((separate, rounds), (shared, 1)):
            async with pools(client, len(QUEUES)) as sqs:
                took[pools.__name__] = await acknowledge(sqs, memory, store, config, times)
    p99, alone = (took[it][int(len(took[it]) * 0.99)] for it in ("separate", "shared"))

    figure(
        f"{client}: {len(QUEUES)} polls of {wait} s wait: acknowledged after p99 {p99 * 1000:.1f} ms, max "
        f"{took['separate'][-1] * 1000:.1f} ms of {len(took['separate'])}; with one pool of {len(QUEUES)} connections "
        f"for all: p99 {alone:.2f} s"
    )
    assert len(took["separate"]) == rounds * len(QUEUES) * IN_HAND
    if long:
        assert p99 <= 0.05  # clock: the row's figure
    assert p99 < wait / 4, "an acknowledgement waited for a poll"  # clock: against the length of a poll
    assert alone >= wait / 4, "the control run shows no harm, so this proves nothing"  # clock: as above
