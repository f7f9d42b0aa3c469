"""Read the state of queues and workers at one moment."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from streamapp.app import App
from streamapp.config import Config
from streamapp.errors import Fault, ServiceError
from streamapp.messages import Queue
from streamapp.observe.presence import Presence
from streamapp.observe.tap_reader import TapReader
from streamapp.observe.tap_record import TapRecord
from streamapp.redis.store import RedisStore
from streamapp.redis.tap import RedisTap
from streamapp.sqs.client import Sqs
from streamapp.sqs.depths import depth_of

LAST = 60.0
"""Seconds of the tap from which rates and times are computed."""

COUNTED: tuple[str, ...] = ("ok", "duplicate", "skipped", "retry", "dead", "sent")
"""Outcomes that the workers which run now have counted since they started. `invalid` counts as dead."""


@dataclass(frozen=True, slots=True)
class QueueStatus:
    """One queue. None is unknown. *dead_letters* is their number, *p95* the agent's time in milliseconds.

    *oldest* is the age in seconds of the oldest message in hand, which is about that of the oldest waiting one.
    """

    stream: str
    is_sink: bool
    waiting: int | None = None
    in_flight: int | None = None
    oldest: float | None = None
    dead_letters: int | None = None
    rate: float = 0.0
    p95: float | None = None
    counts: Mapping[str, int] = field(default_factory=dict[str, int])


@dataclass(frozen=True, slots=True)
class StatusSnapshot:
    """All that `status` shows. *redis_ms* is the time of one round trip, *tracked* the number of keys by table."""

    queues: Sequence[QueueStatus]
    workers: Sequence[Presence]
    redis_ms: float
    tracked: Mapping[str, int]


class StatusReader:
    """Reads snapshots. It finds each queue only once."""

    def __init__(self, app: App, config: Config, sqs: Sqs, store: RedisStore, taps: RedisTap) -> None:
        self._app = app
        self._config = config
        self._sqs = sqs
        self._store = store
        self._taps = taps
        self._found: dict[str, Queue] = {}

    async def look(self) -> StatusSnapshot:
        """Return the state now. Raises `ServiceError`, but of a missing queue everything is None."""
        begun = time.perf_counter()
        await self._store.ping()
        redis_ms = (time.perf_counter() - begun) * 1000
        workers = await self._taps.workers()
        reader = TapReader(self._taps)
        await reader.open()
        recent = await reader.history(since_ms=int((time.time() - LAST) * 1000))
        streams = {agent.queue: False for agent in self._app.agents.values()} | dict.fromkeys(
            self._app.sinks, True
        )
        queues = [await self._queue(stream, is_sink, workers, recent) for stream, is_sink in streams.items()]
        return StatusSnapshot(
            queues, workers, redis_ms, {name: await self._count(name) for name in self._app.tables}
        )

    async def _queue(
        self, stream: str, is_sink: bool, workers: Sequence[Presence], recent: Sequence[TapRecord]
    ) -> QueueStatus:
        queue = await self._find(self._config.queue(stream))
        if queue is None:
            return QueueStatus(stream, is_sink)
        waiting, in_flight = await self._depth(queue)
        name = queue.dead_letters_arn or queue.dead_letters
        letters = None if name is None else await self._find(name)
        mine = [record for record in recent if record.queue == queue.name]
        took = sorted(record.took_ms for record in mine if record.took_ms is not None)
        counts: dict[str, int] = dict.fromkeys(COUNTED, 0)
        for worker in workers:
            for word, number in worker.counts.get(queue.name, {}).items():
                word = "dead" if word == "invalid" else word  # noqa: PLW2901 - both are dead letters
                if word in counts:
                    counts[word] += number
        sent = [worker.oldest[queue.name] for worker in workers if queue.name in worker.oldest]
        return QueueStatus(
            stream,
            is_sink,
            waiting,
            in_flight,
            max(0.0, time.time() - min(sent)) if sent else None,
            None if letters is None else sum(await self._depth(letters)),
            len(mine) / LAST,
            took[int(len(took) * 0.95)] if took else None,
            counts,
        )

    async def _find(self, name: str) -> Queue | None:
        if name not in self._found:
            try:
                self._found[name] = await self._sqs.find(name)
            except ServiceError as error:
                if error.fault is not Fault.CONFIGURATION:
                    raise
                return None
        return self._found[name]

    async def _depth(self, queue: Queue) -> tuple[int, int]:
        depth = depth_of(await self._sqs.attributes(queue))
        return depth.waiting or 0, depth.in_flight or 0

    async def _count(self, table: str) -> int:
        start = self._app.tables[table].folding.keys_prefix(self._config.key_prefix)
        number, cursor = 0, ""
        while True:
            keys, cursor = await self._store.keys(start, cursor)
            number += len(keys)
            if not cursor:
                return number
