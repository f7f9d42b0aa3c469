"""One shop of the fault tests: its own queues on the shared SQS, its own keys in Valkey, and its workers."""

import json
import signal
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

from anyio import current_time, sleep

from chaos.crash import Crash
from chaos.process import WorkerSettings, start
from rigs import behind
from streamapp.cli.demo.servers import local_aws
from streamapp.declared.traffic import ScenarioMessage
from streamapp.messages import Outgoing, Queue
from streamapp.outbox.sweeper import SweepPace
from streamapp.sqs.client import BATCH
from streamapp.testing import MemorySqs

STREAMS = ("pedido-events", "pagamento-events", "produto-events")
SINK = "acompanhamento-events"
VISIBILITY = 2
MAX_RECEIVES = 8
LOOK = 0.02
"""Seconds between two checks of a condition that has no event to wait for."""


class Shop:
    """*sqs* is served at *endpoint*; the server at *redis_url* may fail."""

    def __init__(
        self, sqs: MemorySqs, endpoint: str, redis_url: str, prefix: str, folder: Path, **settings: str
    ) -> None:
        self.sqs = sqs
        self.prefix = prefix
        self.redis_url = redis_url
        self._log = str(folder / f"{prefix}.log")
        self._samples = str(folder / f"{prefix}.samples")
        self.queues: dict[str, Queue] = {}
        self._env = {
            **local_aws(endpoint),
            "REDIS_URL": redis_url,
            "STREAMAPP_KEY_PREFIX": f"{prefix}:",
            "STREAMAPP_WAIT_SECONDS": "1",
            "STREAMAPP_DRAIN_TIMEOUT": "10",
            **{
                f"{name.removesuffix('-events').upper()}_QUEUE_URL": self.name(name)
                for name in (*STREAMS, SINK)
            },
            **settings,
        }
        self._workers: list[ForkServerProcess] = []

    def name(self, stream: str) -> str:
        """Return the name of this shop's queue."""
        return f"{self.prefix}-{stream}"

    async def open(self, visibility: int = VISIBILITY) -> "Shop":
        """Create the queues; return the shop."""
        for stream in STREAMS:
            dead = f"{stream}-dlq"
            self.queues[dead] = await self.sqs.create(self.name(dead), {})
            arn = f"arn:aws:sqs:us-east-1:0:{self.name(dead)}"
            policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": MAX_RECEIVES})
            settings = {"VisibilityTimeout": str(visibility), "RedrivePolicy": policy}
            self.queues[stream] = await self.sqs.create(self.name(stream), settings)
        self.queues[SINK] = await self.sqs.create(self.name(SINK), {})
        return self

    def start(
        self,
        agents: Sequence[str] | None = None,
        crash: Crash | None = None,
        *,
        sampled: bool = False,
        pace: SweepPace | None = None,
        app: str = "streamapp_agents:app",
    ) -> ForkServerProcess:
        """Start a worker of *app*."""
        samples = self._samples if sampled else None
        worker = start(WorkerSettings(self._env, self._log, agents, crash, samples, pace or SweepPace(), app))
        self._workers.append(worker)
        return worker

    def close(self) -> None:
        """Kill the workers that still run."""
        for worker in self._workers:
            with suppress(ValueError):
                worker.kill()

    async def send(self, messages: Sequence[ScenarioMessage]) -> None:
        """Send messages, each to its queue."""
        for stream in STREAMS:
            bodies = [message.body for message in messages if message.queue == stream]
            for begin in range(0, len(bodies), BATCH):
                some = [Outgoing(body) for body in bodies[begin : begin + BATCH]]
                assert await self.sqs.send(self.queues[stream], some) == [None] * len(some)

    def left(self, *streams: str) -> int:
        """Return how many messages are still in *streams*, by default in all queues."""
        now = self.sqs.clock.now()
        queues = [self.sqs.simulator.broker.stored(self.name(it), now).messages for it in streams or STREAMS]
        return sum(len(it.visible) + len(it.in_flight) + len(it.delayed) for it in queues)

    async def drained(self, *streams: str, within: float = 120.0) -> None:
        """Return when *streams* are empty, by default all queues."""
        deadline = current_time() + within
        while left := self.left(*streams):
            assert current_time() < deadline, (  # clock: patience
                f"{self.prefix}: {left} messages are not processed; see {self._log}"
            )
            await sleep(LOOK)

    async def told(self, redis_url: str | None = None, within: float = 60.0) -> None:
        """Return when no hash has an announcement pending."""
        deadline = current_time() + within
        while owed := [
            name
            for keys in (await self.hashes(redis_url)).values()
            for fields in keys.values()
            for name in fields
            if name.startswith("_o:")
        ]:
            assert current_time() < deadline, (  # clock: patience
                f"{self.prefix}: {len(owed)} announcements are owed; see {self._log}"
            )
            await sleep(10 * LOOK)

    async def swept(self, app: str = "streamapp_agents:app") -> None:
        """Run a sweeper at once, not after minutes; return when no announcement is pending.

        A worker that dies between a delete and its confirmation leaves an announcement pending, sent or not.
        """
        sweeper = self.start(pace=SweepPace(every=1.0, age=0.0, pause=0.0), app=app)
        await self.told()
        await drain(sweeper)

    def announcements(self) -> list[dict[str, Any]]:
        """Return all announcements, in the order in which SQS accepted them."""
        return [json.loads(body) for body in self.sqs.bodies(self.queues[SINK])]

    def letters(self) -> list[str]:
        """Return the bodies of all dead letters."""
        return [body for stream in STREAMS for body in self.sqs.bodies(self.queues[f"{stream}-dlq"])]

    def samples(self) -> list[dict[str, float]]:
        """Return the samples of the workers."""
        return [json.loads(line) for line in Path(self._samples).read_text().splitlines()]

    def log(self) -> str:
        """Return the workers' log."""
        return Path(self._log).read_text()

    async def hashes(self, redis_url: str | None = None) -> dict[str, dict[str, dict[str, str]]]:
        """Return all hashes, by table and key."""
        tables: dict[str, dict[str, dict[str, str]]] = {"acompanhamento": {}, "produto": {}, "page": {}}
        async with behind.client(redis_url or self.redis_url, decode_responses=True) as redis:
            for table, found in tables.items():
                begins = f"{self.prefix}:{table}:"
                async for key in redis.scan_iter(match=f"{begins}*", count=1000):
                    found[key.removeprefix(begins)] = await redis.hgetall(key)
        return tables


async def ended(worker: ForkServerProcess, within: float = 60.0) -> int:
    """Wait for a worker's end; return its exit code."""
    deadline = current_time() + within
    while worker.exitcode is None:
        assert current_time() < deadline, "a worker has not ended"  # clock: patience
        await sleep(LOOK)
    return worker.exitcode


async def drain(*workers: ForkServerProcess) -> None:
    """Send workers SIGTERM and check that they drain (I12); one that had not begun has nothing to drain."""
    for worker in workers:
        worker.terminate()
    for worker in workers:
        assert await ended(worker) in {0, -signal.SIGTERM}
