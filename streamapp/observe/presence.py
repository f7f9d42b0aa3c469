"""Presence: each worker reports every few seconds that it runs, and what it has done; old reports are ignored."""

import logging
import os
import platform
import time
from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec
from anyio import move_on_after, sleep

from streamapp.errors import ServiceError
from streamapp.observe.counters import Counters

logger = logging.getLogger(__name__)

EVERY = 2.0
"""Seconds between two reports of a worker."""

TTL = 30.0
"""Seconds after which a worker without a new report counts as gone; clocks of machines may differ by a few."""


class Presence(msgspec.Struct, frozen=True, kw_only=True):
    """The report of one worker; *said* is when it was made. Times are Unix seconds."""

    worker: str
    host: str
    pid: int
    started: float
    said: float
    queues: tuple[str, ...]
    in_hand: dict[str, int]
    """Messages in hand, by queue."""
    counts: dict[str, dict[str, int]]
    """Its counters since it started, by queue and by the names in `Counters`."""
    oldest: dict[str, float] = {}
    """When the oldest message in hand was sent, by queue."""

    def encode(self) -> bytes:
        """Return it as JSON."""
        return msgspec.json.encode(self)


class PresenceStore(Protocol):
    """Where workers report their presence. Every call raises only `ServiceError`."""

    async def beat(self, presence: Presence) -> None:
        """Store the report of a worker."""
        ...

    async def leave(self, worker: str) -> None:
        """Remove the report of a worker."""
        ...


class PresenceReporter:
    """Reports this worker's presence until it is cancelled, then removes the report."""

    def __init__(
        self,
        store: PresenceStore | None,
        worker: str,
        counters: Counters,
        in_hand: Mapping[str, "MessagesInHand"],
        sinks: Sequence[str],
    ) -> None:
        self._store = store
        self._worker = worker
        self._counters = counters
        self._in_hand = in_hand
        self._sinks = sinks
        self._started = time.time()

    async def run(self) -> None:
        """Report every `EVERY` seconds, also after Redis has failed."""
        if self._store is None:
            return
        try:
            while True:
                try:
                    await self._store.beat(self._presence())
                except ServiceError as error:
                    logger.debug(
                        "the worker's presence could not be reported", extra={"detail": error.detail}
                    )
                await sleep(EVERY)
        finally:
            with move_on_after(1, shield=True):
                try:
                    await self._store.leave(self._worker)
                except ServiceError:
                    logger.debug("the worker's presence could not be removed; it expires by itself")

    def _presence(self) -> Presence:
        return Presence(
            worker=self._worker,
            host=platform.node(),
            pid=os.getpid(),
            started=self._started,
            said=time.time(),
            queues=tuple(self._in_hand),
            in_hand={queue: len(messages) for queue, messages in self._in_hand.items()},
            oldest={
                queue: at
                for queue, messages in self._in_hand.items()
                if (at := messages.oldest()) is not None
            },
            counts={queue: self._counters.in_queue(queue) for queue in (*self._in_hand, *self._sinks)},
        )


class MessagesInHand(Protocol):
    """The messages of one queue that are in hand."""

    def __len__(self) -> int: ...

    def oldest(self) -> float | None:
        """Return the Unix time at which the oldest of them was sent."""
        ...


def read_presence(text: str) -> Presence | None:
    """Return a worker's report; None if it is of another version."""
    try:
        return msgspec.json.decode(text, type=Presence)
    except msgspec.MsgspecError:
        return None


def dropped_records(workers: Sequence[Presence]) -> int:
    """Return how many tap records these workers have dropped since they started."""
    return sum(counts.get("tap_dropped", 0) for worker in workers for counts in worker.counts.values())
