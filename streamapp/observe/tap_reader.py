"""Read the tap: its history, and what follows it with no gap and no repeat. Knows no terminal."""

from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Protocol

import msgspec
from anyio import current_time

from streamapp.observe.tap_record import TapRecord

PAGE = 50
"""Entries read at once: up to 10,000 records, a few MiB."""

LATE_MS = 10_000
"""Milliseconds by which an entry may be younger than its records, clocks included."""

LOOK_EVERY = 2.0
"""Seconds between two looks for new queues."""

BEGINNING = "0-0"

_DECODER = msgspec.json.Decoder(TapRecord)

Page = list[tuple[str, str]]


class TapStreams(Protocol):
    """The streams that a reader reads. Every call raises only `ServiceError`."""

    async def queues(self) -> list[str]:
        """Return the queues that have a tap."""
        ...

    async def last_id(self, queue: str) -> str:
        """Return the id of the newest entry; `0-0` where there is none."""
        ...

    async def back(self, queue: str, until: str, count: int) -> Page:
        """Return the last *count* entries up to *until*."""
        ...

    async def after(self, positions: Mapping[str, str], wait: float) -> dict[str, Page]:
        """Return what was written after each position, waiting up to *wait* seconds."""
        ...


class TapReader:
    """Reads the queues whose names match one of *patterns* (names or globs; none: all).

    `history` answers what is there, `follow` what comes after that, each record once. A queue that appears
    later is read from its beginning.
    """

    def __init__(self, streams: TapStreams, patterns: Sequence[str] = ()) -> None:
        self._streams = streams
        self._patterns = patterns
        self._positions: dict[str, str] = {}
        self._look_at = 0.0

    @property
    def queues(self) -> list[str]:
        """The queues that are read, those included that nobody has written of."""
        return sorted(self._positions)

    @property
    def silent(self) -> list[str]:
        """The queues of which nothing is there, and nothing came."""
        return sorted(queue for queue, at in self._positions.items() if at == BEGINNING)

    async def open(self) -> None:
        """Take note of where each queue's history ends; what comes later is `follow`'s."""
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
        """Return the *last* wanted records (None: all) that were done between the two times, oldest first."""
        found: list[TapRecord] = []
        for queue, end in self._positions.items():
            found += await self._back(queue, end, last, since_ms, until_ms, wanted)
        found.sort(key=_done)
        return found if last is None else found[max(0, len(found) - last) :]

    async def follow(self, wait: float) -> list[TapRecord]:
        """Return what has come since the last call, oldest first; an empty list after *wait* seconds of nothing."""
        if current_time() >= self._look_at:
            for queue in await self._found():
                self._positions.setdefault(queue, BEGINNING)
            self._look_at = current_time() + LOOK_EVERY
        pages = await self._streams.after(self._positions, wait)
        found: list[TapRecord] = []
        for queue, page in pages.items():
            for identity, lines in page:
                found += read_lines(lines)
                self._positions[queue] = identity
        found.sort(key=_done)
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

    async def _back(
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
        while page := await self._streams.back(queue, until, PAGE):
            for _, lines in reversed(page):
                found += [
                    record
                    for record in reversed(read_lines(lines))
                    if since_ms <= record.done_ms and (until_ms is None or record.done_ms <= until_ms)
                    if wanted(record)
                ]
            oldest = page[0][0]
            if last is not None and len(found) >= last:
                break
            if len(page) < PAGE or int(oldest.split("-", maxsplit=1)[0]) + LATE_MS < since_ms:
                break
            until = f"({oldest}"
        found.reverse()
        return found if last is None else found[max(0, len(found) - last) :]


def read_lines(lines: str) -> list[TapRecord]:
    """Return the records of one entry; a line that is none is left out."""
    found: list[TapRecord] = []
    for line in lines.split("\n"):
        try:
            found.append(_DECODER.decode(line))
        except (msgspec.MsgspecError, UnicodeError):
            # Of another version, or another program's: it must not end the view of the others.
            continue
    return found


def is_glob(name: str) -> bool:
    """Whether *name* is a pattern."""
    return any(character in name for character in "*?[")


def _done(record: TapRecord) -> int:
    return record.done_ms
