"""An event loop of nobody but the simulation: nothing comes from outside, and time passes at once when all wait for it."""

import asyncio
import selectors
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from streamapp.testing.clocks.clock import RealClock

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


class Loop(asyncio.SelectorEventLoop):
    """Begins at 0. *at_rest* is called whenever all tasks wait, before time passes."""

    def __init__(self) -> None:
        self.now = 0.0
        self.at_rest: Callable[[], None] = lambda: None
        super().__init__(_Selector(self))

    def time(self) -> float:
        """Return the seconds that have passed."""
        return self.now


class _Selector(selectors.SelectSelector):
    """Waits for nobody: it is asked when nothing is ready, with the time until the next timer."""

    def __init__(self, loop: Loop) -> None:
        super().__init__()
        self._loop: Any = loop

    def select(self, timeout: float | None = None) -> list[Any]:
        """Return that nothing came, at the time until which nothing would have come."""
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
        """Return the seconds that have passed."""
        return self._loop.now

    def wall(self) -> datetime:
        """Return the date and time, in UTC."""
        return BEGIN + timedelta(seconds=self._loop.now)
