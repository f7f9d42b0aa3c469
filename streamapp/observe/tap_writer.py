"""The tap: what the worker records about each message for viewers. It is best effort and delays no message."""

import logging
import os
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from anyio import TASK_STATUS_IGNORED, move_on_after, sleep
from anyio.abc import TaskStatus
from anyio.lowlevel import checkpoint

from streamapp.errors import ServiceError, contained
from streamapp.flow.wakeup import Wakeup
from streamapp.observe.counters import Counters
from streamapp.observe.quiet_log import QuietLog
from streamapp.observe.tap_record import ERRORS, Outcome

logger = logging.getLogger(__name__)

BUFFERED = 10_000
"""Records that may wait to be written; more are dropped and counted."""

BUFFERED_CHARACTERS = 16 * 1024 * 1024
"""Characters of bodies that may wait to be written."""

PACK = 200
"""Records in one entry at most."""

LINGER = 0.1
"""Seconds in which records are collected: no viewer notices the delay, and larger entries cost less."""

AT_ONCE = 20
"""Records made before other tasks run: about half a millisecond."""

PAUSE = 1.0
"""Seconds until the next attempt after Redis refused an entry."""


@dataclass(frozen=True, slots=True)
class TapEntry:
    """Some records of one queue, one JSON for each line; *keep* is how many such entries the queue's stream should keep."""

    queue: str
    lines: bytes
    records: int
    keep: int


class Recordable(Protocol):
    """An attempt that has ended; its record is made later, when no message waits for that."""

    @property
    def queue(self) -> str:
        """The name of the SQS queue."""
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
    """Where the tap writes its entries."""

    async def append(self, entries: Sequence[TapEntry]) -> None:
        """Append each entry to its queue's stream. Raises `ServiceError`."""
        ...


class Tap:
    """Takes attempts without waiting, and writes their records in the background.

    *mode* is STREAMAPP_TAP, *keep* about how many records are kept for each queue. A record that cannot be written is
    dropped and counted (`tap_dropped`): viewers may miss it, but the message is not affected.
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
        self.observe: Callable[[Recordable], None] = lambda _: None
        """Called with each attempt, in every mode."""
        self._store = store
        self._counters = counters
        self._is_off = store is None or mode == "off"
        self._only_errors = mode == "errors"
        self._keep = keep
        self._waiting: deque[tuple[Recordable, int]] = deque()
        self._characters = 0
        self._per_entry: dict[str, float] = {}
        self._wake, self._full = Wakeup(), Wakeup()
        self._is_closed = False
        self._quiet_log = QuietLog(logger)

    def __len__(self) -> int:
        """How many records wait to be written."""
        return len(self._waiting)

    def note(self, attempt: Recordable) -> None:
        """Take *attempt*, to be written soon; this is cheap and cannot fail."""
        self.observe(attempt)
        if self._is_off or (self._only_errors and attempt.outcome not in ERRORS):
            return
        waiting = len(self._waiting)
        if waiting >= BUFFERED or self._characters > BUFFERED_CHARACTERS:
            self._counters.add(attempt.queue, "tap_dropped")
            return
        size = len(attempt.body)
        self._waiting.append((attempt, size))
        self._characters += size
        if not waiting:
            self._wake.ring()
        elif waiting + 1 >= PACK:
            self._full.ring()

    def close(self) -> None:
        """Make `run` return once all that waits is written."""
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
                sentence = "the tap could not be written"
                self._quiet_log.log(logging.INFO, sentence, error.detail, detail=error.detail)
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

    async def _entries(self) -> list[TapEntry]:
        """Return the waiting attempts, one entry for each queue."""
        lines: dict[str, list[bytes]] = {}
        for number in range(min(len(self._waiting), PACK)):
            if number % AT_ONCE == AT_ONCE - 1:
                await checkpoint()
            attempt, size = self._waiting.popleft()
            self._characters -= size
            if (line := self._line(attempt)) is not None:
                lines.setdefault(attempt.queue, []).append(line)
        return [self._entry(queue, packed) for queue, packed in lines.items()]

    def _line(self, attempt: Recordable) -> bytes | None:
        try:
            return attempt.line(self.worker)
        except BaseException as error:  # noqa: BLE001 - whatever a codec's `show` raises costs its record alone
            self._counters.add(attempt.queue, "tap_dropped")
            sentence, cause = (
                "a record of the tap could not be made",
                f"{attempt.queue} {type(error).__name__}",
            )
            self._quiet_log.log(logging.ERROR, sentence, cause, contained(error), queue=attempt.queue)
            return None

    def _entry(self, queue: str, packed: list[bytes]) -> TapEntry:
        # Redis limits a stream in entries, but *keep* counts records, so divide by the recent size of an entry.
        before = self._per_entry.get(queue, 1.0)
        self._per_entry[queue] = now = before + (len(packed) - before) / 20
        return TapEntry(queue, b"\n".join(packed), len(packed), max(1, round(self._keep / now)))

    async def _append(self, entries: Sequence[TapEntry]) -> None:
        if self._store is not None:
            await self._store.append(entries)


def no_tap() -> Tap:
    """Return a tap that records nothing."""
    return Tap(None, Counters())
