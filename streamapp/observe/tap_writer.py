"""The tap: what the worker tells viewers about each message, best effort and never in a message's way."""

import logging
import os
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from anyio import TASK_STATUS_IGNORED, move_on_after, sleep
from anyio.abc import TaskStatus
from anyio.lowlevel import checkpoint

from streamapp.errors import ServiceError
from streamapp.flow.wakeup import Wakeup
from streamapp.observe.counters import Counters
from streamapp.observe.tap_record import ERRORS, Outcome

logger = logging.getLogger(__name__)

BUFFERED = 10_000
"""Records that wait to be written; more are dropped and counted."""

BUFFERED_CHARACTERS = 16 * 1024 * 1024
"""Characters of bodies that wait to be written."""

PACK = 200
"""Records in one entry, at most."""

LINGER = 0.1
"""Seconds in which records gather: an eye waits longer, and the writer costs less."""

AT_ONCE = 20
"""Records made before others have a turn of the loop: about half a millisecond."""

PAUSE = 1.0
"""Seconds without a try after Redis refused an entry."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Some records of one queue, one JSON a line; *keep* is how many such entries the stream should keep."""

    queue: str
    lines: bytes
    records: int
    keep: int


class Seen(Protocol):
    """Something that was seen to end; its record is made when nobody waits for it."""

    @property
    def queue(self) -> str:
        """The SQS queue."""
        ...

    @property
    def outcome(self) -> Outcome:
        """How it ended."""
        ...

    @property
    def body(self) -> str:
        """The body as it came."""
        ...

    def line(self, worker: str) -> bytes:
        """Return its record as JSON, masked."""
        ...


class TapStore(Protocol):
    """Where records are kept."""

    async def append(self, entries: Sequence[Entry]) -> None:
        """Append each entry to its queue's stream. Raises `ServiceError`."""
        ...


class Tap:
    """Takes note of attempts without waiting, and writes them behind everybody's back.

    *mode* is STREAMAPP_TAP, *keep* about how many records each queue keeps. What cannot be written is dropped and
    counted (`tap_dropped`): a viewer may miss a record, a message never misses its end.
    """

    def __init__(
        self,
        store: TapStore | None,
        counters: Counters,
        *,
        mode: Literal["on", "errors", "off"] = "on",
        keep: int = 10_000,
    ) -> None:
        self.worker = os.urandom(3).hex()
        self.observe: Callable[[Seen], None] = lambda _: None
        """Called with all that is noted, whatever the mode."""
        self._store = store
        self._counters = counters
        self._is_off = store is None or mode == "off"
        self._only_errors = mode == "errors"
        self._keep = keep
        self._waiting: deque[tuple[Seen, int]] = deque()
        self._characters = 0
        self._per_entry: dict[str, float] = {}
        self._wake, self._full = Wakeup(), Wakeup()
        self._is_closed = False

    def __len__(self) -> int:
        """How many records wait to be written."""
        return len(self._waiting)

    def note(self, seen: Seen) -> None:
        """Take *seen*, to be written soon; it costs its caller next to nothing and cannot fail."""
        self.observe(seen)
        if self._is_off or (self._only_errors and seen.outcome not in ERRORS):
            return
        waiting = len(self._waiting)
        if waiting >= BUFFERED or self._characters > BUFFERED_CHARACTERS:
            self._counters.add(seen.queue, "tap_dropped")
            return
        size = len(seen.body)
        self._waiting.append((seen, size))
        self._characters += size
        if not waiting:
            self._wake.ring()
        elif waiting + 1 >= PACK:
            self._full.ring()

    def close(self) -> None:
        """Let `run` return once what was noted is written."""
        self._is_closed = True
        self._wake.ring()
        self._full.ring()

    async def run(self, *, task_status: TaskStatus[None] = TASK_STATUS_IGNORED) -> None:
        """Write until closed."""
        task_status.started()
        while await self._something_to_write():
            entries = await self._entries()
            try:
                await self._append(entries)
            except ServiceError as error:
                for entry in entries:
                    self._counters.add(entry.queue, "tap_dropped", entry.records)
                if self._is_closed:
                    return
                logger.info("the tap could not be written", extra={"detail": error.detail})
                await sleep(PAUSE)

    async def _something_to_write(self) -> bool:
        if not self._waiting:
            if self._is_closed:
                return False
            await self._wake.wait()
        if not self._is_closed and len(self._waiting) < PACK:
            with move_on_after(LINGER):
                await self._full.wait()
        return bool(self._waiting)

    async def _entries(self) -> list[Entry]:
        """Return one entry a queue of what was noted."""
        lines: dict[str, list[bytes]] = {}
        for number in range(min(len(self._waiting), PACK)):
            if number % AT_ONCE == AT_ONCE - 1:
                await checkpoint()
            seen, size = self._waiting.popleft()
            self._characters -= size
            if (line := self._line(seen)) is not None:
                lines.setdefault(seen.queue, []).append(line)
        return [self._entry(queue, packed) for queue, packed in lines.items()]

    def _line(self, seen: Seen) -> bytes | None:
        try:
            return seen.line(self.worker)
        except Exception:  # a codec's own way of showing a body must not end the worker
            self._counters.add(seen.queue, "tap_dropped")
            logger.exception("a record of the tap could not be made", extra={"queue": seen.queue})
            return None

    def _entry(self, queue: str, packed: list[bytes]) -> Entry:
        # Redis counts entries, we promise records: so many entries, as entries have been of late.
        before = self._per_entry.get(queue, 1.0)
        self._per_entry[queue] = now = before + (len(packed) - before) / 20
        return Entry(queue, b"\n".join(packed), len(packed), max(1, round(self._keep / now)))

    async def _append(self, entries: Sequence[Entry]) -> None:
        if self._store is not None:
            await self._store.append(entries)


def off() -> Tap:
    """Return a tap that tells nobody anything."""
    return Tap(None, Counters())
