"""Read the tap's history, then its new records, without a gap or a repetition."""

from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Protocol

import msgspec
from anyio import current_time

from streamapp.observe.tap_record import TapRecord

PAGE = 50
"""Entries of a stream read at once: up to 10,000 records, a few MiB."""

LATE_MS = 10_000
"""Milliseconds by which an entry may be newer than its records, differences between clocks included."""

LOOK_EVERY = 2.0
"""Seconds between two searches for new queues."""

BEGINNING = "0-0"
"""The id before that of the first entry."""

_DECODER = msgspec.json.Decoder(TapRecord)

StoredEntries = list[tuple[str, str]]
"""(entry id, records as JSON lines) in the order in which they were written."""


class TapStreams(Protocol):
    """The tap's streams of entries, one a queue. Every call raises only `ServiceError`."""

    async def queues(self) -> list[str]:
        """Return the queues that have a tap."""
        ...

    async def last_id(self, queue: str) -> str:
        """Return the id of the newest entry; `0-0` if there is none."""
        ...

    async def up_to(self, queue: str, until: str, count: int) -> StoredEntries:
        """Return the last *count* entries up to the id *until*, which is included unless it begins with `(`."""
        ...

    async def after(self, positions: Mapping[str, str], wait: float) -> dict[str, StoredEntries]:
        """Return the entries after each queue's position; wait up to *wait* seconds if there are none."""
        ...


class TapReader:
    """Reads the queues whose names match one of *patterns* (names or globs; none: all).

    `history` returns the records up to `open`, `follow` those after it, each once. A queue that appears later is
    read from its beginning.
    """

    def __init__(self, streams: TapStreams, patterns: Sequence[str] = ()) -> None:
        self._streams = streams
        self._patterns = patterns
        self._positions: dict[str, str] = {}
        self._look_at = 0.0

    @property
    def queues(self) -> list[str]:
        """The queues that are read, also those without records."""
        return sorted(self._positions)

    @property
    def silent(self) -> list[str]:
        """The queues without any record so far."""
        return sorted(queue for queue, at in self._positions.items() if at == BEGINNING)

    async def open(self) -> None:
        """Find the queues, and where the history of each ends; `follow` begins there."""
        for queue in await self._found():
            self._positions[queue] = await self._streams.last_id(queue)
        self._look_at = current_time() + LOOK_EVERY

    async def history(
        self,
        *,
        last: int | None = None,
        since_ms: int = 0,
        until_ms: int | None = None,
        wanted: Callable[[TapRecord], bool] = lambda _: True,
    ) -> list[TapRecord]:
        """Return the *last* wanted records (None: all) that ended between the two times, oldest first."""
        found: list[TapRecord] = []
        for queue, end in self._positions.items():
            found += await self._backwards(queue, end, last, since_ms, until_ms, wanted)
        found.sort(key=_end)
        return found if last is None else found[max(0, len(found) - last) :]

    async def follow(self, wait: float) -> list[TapRecord]:
        """Return the records since the last call, oldest first; an empty list after *wait* seconds without one."""
        if current_time() >= self._look_at:
            for queue in await self._found():
                self._positions.setdefault(queue, BEGINNING)
            self._look_at = current_time() + LOOK_EVERY
        new = await self._streams.after(self._positions, wait)
        found: list[TapRecord] = []
        for queue, entries in new.items():
            for entry_id, lines in entries:
                found += read_lines(lines)
                self._positions[queue] = entry_id
        found.sort(key=_end)
        return found

    async def _found(self) -> list[str]:
        known = await self._streams.queues()
        named = [pattern for pattern in self._patterns if not is_glob(pattern)]
        matching = [
            name
            for name in known
            if not self._patterns or any(fnmatchcase(name, pattern) for pattern in self._patterns)
        ]
        return list(dict.fromkeys((*named, *matching)))

    async def _backwards(
        self,
        queue: str,
        end: str,
        last: int | None,
        since_ms: int,
        until_ms: int | None,
        wanted: Callable[[TapRecord], bool],
    ) -> list[TapRecord]:
        found: list[TapRecord] = []
        if last == 0 or end == BEGINNING:
            return found
        until = end
        while entries := await self._streams.up_to(queue, until, PAGE):
            for _, lines in reversed(entries):
                found += [
                    record
                    for record in reversed(read_lines(lines))
                    if since_ms <= record.done_ms and (until_ms is None or record.done_ms <= until_ms)
                    if wanted(record)
                ]
            oldest = entries[0][0]
            if last is not None and len(found) >= last:
                break
            if len(entries) < PAGE or int(oldest.split("-", maxsplit=1)[0]) + LATE_MS < since_ms:
                break
            until = f"({oldest}"
        found.reverse()
        return found if last is None else found[max(0, len(found) - last) :]


def read_lines(lines: str) -> list[TapRecord]:
    """Return the records of one entry; a line that is not a record is left out."""
    found: list[TapRecord] = []
    for line in lines.split("\n"):
        try:
            found.append(_DECODER.decode(line))
        except (msgspec.MsgspecError, UnicodeError):
            # It is of another version, or another program's; the other records must still be shown.
            continue
    return found


def is_glob(name: str) -> bool:
    """Whether *name* is a glob."""
    return any(character in name for character in "*?[")


def _end(record: TapRecord) -> int:
    return record.done_ms
