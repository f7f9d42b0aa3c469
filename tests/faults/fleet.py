"""Worker processes on the SQS for tests over HTTP, whose ledger records all that they do."""

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from anyio import current_time, fail_after, sleep

from streamapp.app import App
from streamapp.cli.demo.servers import local_aws
from streamapp.cli.setup import sources_of
from streamapp.config import Config
from streamapp.messages import Outgoing, Queue
from streamapp.sqs.client import BATCH
from streamapp.sqs.queue_setup import create_queues
from streamapp.testing import MemorySqs, serve
from streamapp_agents.simulador.message import Message
from streamapp_agents.simulador.simulacao import simular

PATIENCE = 300.0
"""Seconds in which a worker must do what a test waits for; it is the longest wait of a test."""


@dataclass(frozen=True)
class WorkerProcess:
    """A worker process and its log file."""

    popen: subprocess.Popen[bytes]
    log: Path

    def has_said(self, words: str) -> bool:
        """Whether its log contains *words*."""
        return words in self.log.read_text()

    async def says(self, words: str) -> None:
        """Return when its log contains *words*."""
        with fail_after(PATIENCE):
            while not self.has_said(words):
                assert self.popen.poll() is None, self.log.read_text()
                await sleep(0.005)

    async def ends(self) -> float:
        """Wait for its end; return how many seconds that took."""
        began = current_time()
        with fail_after(PATIENCE):
            while self.popen.poll() is None:
                await sleep(0.005)
        return current_time() - began


class Fleet:
    """One set of queues, and the workers on it."""

    def __init__(self, sqs: MemorySqs, folder: Path, env: dict[str, str]) -> None:
        self.sqs = sqs
        self.env = env
        self._folder = folder
        self._started = 0

    async def create(self, app: App, visibility: int) -> None:
        """Create the queues of *app*; *visibility* is in seconds."""
        await create_queues(self.sqs, Config.load(self.env), sources=sources_of(app), sinks=app.sinks)
        for agent in app.agents.values():
            await self.sqs.create(agent.queue, {"VisibilityTimeout": str(visibility)})

    async def send(self, queue: str, bodies: Iterable[str]) -> None:
        """Send a message for each body."""
        to, all_bodies = await self.sqs.find(queue), list(bodies)
        for start in range(0, len(all_bodies), BATCH):
            some = [Outgoing(body) for body in all_bodies[start : start + BATCH]]
            assert await self.sqs.send(to, some) == [None] * len(some)

    async def send_story(self, messages: Iterable[Message]) -> None:
        """Send each message of a story to its queue."""
        by_queue: dict[str, list[str]] = {}
        for message in messages:
            by_queue.setdefault(message.queue, []).append(message.body)
        for queue, bodies in by_queue.items():
            await self.send(queue, bodies)

    @contextmanager
    def running(self, *arguments: str) -> Iterator[WorkerProcess]:
        """Run a worker while the context is open."""
        self._started += 1
        log = self._folder / f"worker-{self._started}.log"
        command = [sys.executable, "-m", "streamapp", "worker", *arguments]
        with log.open("wb") as file, subprocess.Popen(command, env=self.env, stderr=file) as popen:
            try:
                yield WorkerProcess(popen, log)
            finally:
                popen.kill()

    async def hidden(self, queues: Iterable[str]) -> int:
        """Return how many messages are invisible, by GetQueueAttributes."""
        found = [await self.sqs.find(queue) for queue in queues]
        return sum([await self._number(queue, "ApproximateNumberOfMessagesNotVisible") for queue in found])

    async def waiting(self, queues: Iterable[str]) -> int:
        """Return how many messages are visible."""
        found = [await self.sqs.find(queue) for queue in queues]
        return sum([await self._number(queue, "ApproximateNumberOfMessages") for queue in found])

    async def _number(self, queue: Queue, attribute: str) -> int:
        return int((await self.sqs.attributes(queue))[attribute])


@asynccontextmanager
async def open_fleet(redis_url: str, prefix: str, folder: Path, **settings: str) -> AsyncIterator[Fleet]:
    """Serve an SQS; *settings* are the workers' environment."""
    sqs = MemorySqs()
    async with serve(sqs) as endpoint:
        ours = {
            name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "STREAMAPP_"))
        }
        yield Fleet(
            sqs,
            folder,
            {
                **ours,
                **local_aws(endpoint),
                # The apps of this folder can be imported too.
                "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path]),
                "REDIS_URL": redis_url,
                "STREAMAPP_KEY_PREFIX": f"{prefix}:",
                **settings,
            },
        )


def story(orders: int, seed: int = 7) -> tuple[Message, ...]:
    """Return the messages of that many orders, each once and valid."""
    begin = datetime(2025, 7, 28, 15, tzinfo=UTC)
    return simular(orders, seed, duplicados=0, fora_de_ordem=0, invalidos=0, inicio_em=begin).mensagens


def repeated(bodies: Iterable[str]) -> int:
    """Return how many announcements repeat an earlier one."""
    ids = [json.loads(body)["event_id"] for body in bodies]
    return len(ids) - len(set(ids))
