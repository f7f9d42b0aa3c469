"""An event loop for the simulation: it has no I/O, and moves its time forward when all tasks wait for it."""

import asyncio
import selectors
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from streamapp.testing.clocks.clock import RealClock

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


class Loop(asyncio.SelectorEventLoop):
    """Its time begins at 0. *at_rest* is called whenever all tasks wait, before time moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.at_rest: Callable[[], None] = lambda: None
        super().__init__(_Selector(self))

    def time(self) -> float:
        """Return the seconds since the loop began."""
        return self.now


class _Selector(selectors.SelectSelector):
    """Has no files to wait for: asyncio calls it when nothing is ready, with the time until the next timer."""

    def __init__(self, loop: Loop) -> None:
        super().__init__()
        self._loop: Any = loop

    def select(self, timeout: float | None = None) -> list[Any]:
        """Move the loop's time by *timeout*, and return no events."""
        if timeout == 0:
            return []
        self._loop.at_rest()
        if not self._loop._ready:
            assert timeout is not None, "everybody waits, and for nothing"
            self._loop.now = max(self._loop.now, self._loop._scheduled[0].when())
        return []


class WorldTime(RealClock):
    """The clock of a world on *loop*."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop

    def now(self) -> float:
        """Return the seconds since the loop began."""
        return self._loop.now

    def wall(self) -> datetime:
        """Return the date and time, in UTC."""
        return BEGIN + timedelta(seconds=self._loop.now)
