"""Crash points: places at each boundary of the protocol at which a worker ends itself, as kill -9 would.

They are wrappers around parts of a worker, used by tests only: the worker's own code does not contain them.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from streamapp.app import App
from streamapp.errors import Fault, ServiceError
from streamapp.messages import Delivery, Outgoing, Queue
from streamapp.pipeline.agent import Agent
from streamapp.sqs.client import Failure, Sqs
from streamapp.state.store import Commit, Confirmed, Store
from streamapp_codecs import Decoded, Decoder, Origin

Point = Literal[
    "received",
    "decoded",
    "read",
    "answer lost",
    "committed",
    "after the barrier",
    "announced partly",
    "announced",
    "confirmed",
    "delete sent",
]
"""Just after each step, in the order in which a message meets them; *answer lost* is while the commit is tried again
because its response was lost, *announced partly* when SQS has the first half of a batch."""

POINTS: tuple[Point, ...] = get_args(Point)
STATUS = 137
"""The exit status of a process that was killed with -9, as a shell reports it."""


@dataclass(slots=True)
class Crash:
    """Ends this process when it reaches *point* for the *passage*-th time (1..)."""

    point: Point
    passage: int = 1

    def is_here(self, point: Point) -> bool:
        """Count a passage; return whether this is the one to die at."""
        if point != self.point:
            return False
        self.passage -= 1
        return self.passage == 0

    def passes(self, *points: Point) -> None:
        """Count a passage, and die at the one that was asked for."""
        for point in points:
            if self.is_here(point):
                die()


def die() -> None:
    """End this process at once: nothing is flushed, closed or given back."""
    os._exit(STATUS)


class CrashingSqs:
    """SQS, and the crash points around its calls."""

    def __init__(self, inner: Sqs, crash: Crash) -> None:
        self._inner = inner
        self._crash = crash

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def receive(
        self, queue: Queue, *, limit: int, wait: float, visibility: int | None = None
    ) -> list[Delivery]:
        """Receive; only a receive that brings messages is a passage."""
        deliveries = await self._inner.receive(queue, limit=limit, wait=wait, visibility=visibility)
        if deliveries:
            self._crash.passes("received")
        return deliveries

    async def send(self, queue: Queue, messages: Sequence[Outgoing]) -> list[Failure | None]:
        """Send messages; only announcements are a passage, dead letters are not."""
        if queue.name.endswith("-dlq"):
            return await self._inner.send(queue, messages)
        if len(messages) > 1 and self._crash.is_here("announced partly"):
            await self._inner.send(queue, messages[: len(messages) // 2])
            die()
        outcomes = await self._inner.send(queue, messages)
        self._crash.passes("announced")
        return outcomes

    async def delete(self, queue: Queue, handles: Sequence[str]) -> list[Failure | None]:
        """Delete; the worker dies before it sees the response."""
        outcomes = await self._inner.delete(queue, handles)
        self._crash.passes("delete sent")
        return outcomes


class CrashingStore:
    """A state store, and the crash points around its calls."""

    def __init__(self, inner: Store, crash: Crash) -> None:
        self._inner = inner
        self._crash = crash
        self._is_repeated = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def read(self, keys: Sequence[str]) -> list[dict[str, str] | ServiceError]:
        """Read."""
        hashes = await self._inner.read(keys)
        self._crash.passes("read")
        return hashes

    async def commit(self, commits: Sequence[Commit]) -> list[bool | ServiceError]:
        """Commit; with replicas to wait for, this returns after the barrier."""
        answers = await self._inner.commit(commits)
        self._crash.passes("committed", "after the barrier")
        if self._is_repeated:
            die()
        if self._crash.is_here("answer lost"):
            self._is_repeated = True
            raise ServiceError("Redis", Fault.TRANSIENT, "the answer was lost")
        return answers

    async def confirm(self, confirmed: Sequence[Confirmed]) -> None:
        """Confirm."""
        await self._inner.confirm(confirmed)
        self._crash.passes("confirmed")


class CrashingCodec:
    """A codec, and the crash point after it."""

    def __init__(self, inner: Decoder[Any], crash: Crash) -> None:
        self._inner = inner
        self._crash = crash

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def decode(self, body: str, origin: Origin) -> Decoded[Any]:
        """Decode."""
        decoded = self._inner.decode(body, origin)
        self._crash.passes("decoded")
        return decoded


def crashing(app: App, crash: Crash) -> App:
    """Return *app* with a crash point in each codec."""
    copy = App(app.name, extras=app.extras)
    copy.registry.sinks, copy.registry.tables = dict(app.sinks), dict(app.tables)

    def mined(agent: Agent) -> Agent:
        return replace(agent, codec=CrashingCodec(agent.codec, crash))

    copy.registry.agents = {name: mined(agent) for name, agent in app.agents.items()}
    return copy
