"""The running event loop's own time, which a test moves forward when all tasks are idle."""

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any, Protocol, cast

from anyio import move_on_after, sleep, wait_all_tasks_blocked
from anyio.lowlevel import checkpoint, current_token
from anyio.to_thread import current_default_thread_limiter

from streamapp.errors import StreamappError
from streamapp.testing.clocks.clock import RealClock

PATIENCE = 30.0
"""Real seconds in which all tasks must become idle; a busy machine needs a hundredth of it."""


class CannotJump(StreamappError):
    """The time of this event loop cannot be moved."""

    def __init__(self, loop: object) -> None:
        super().__init__(
            f"the time of {type(loop).__name__} cannot be made to jump; run the test on asyncio's own loop or on trio"
        )


class NeverAtRest(StreamappError):
    """A task of the app, or of its test, never becomes idle."""

    def __init__(self) -> None:
        super().__init__(
            f"after {PATIENCE:g} real seconds a task still runs and waits for nothing; is it a loop?"
        )


class _LoopClock(Protocol):
    """Moves the time of one kind of event loop."""

    async def rest(self) -> None:
        """Return when every other task is blocked."""
        ...

    def now(self) -> float:
        """Return the loop's time."""
        ...

    def next(self) -> float | None:
        """Return the loop's time of the next timer, None if there is none."""
        ...

    def set(self, when: float) -> None:
        """Move the loop's time to *when*."""
        ...


class LoopTime(RealClock):
    """The event loop's time as a clock. `jump` moves it for every sleep and timeout, in any code.

    Made by `loop_time`.
    """

    def __init__(self, clock: _LoopClock, wall: datetime) -> None:
        self._clock = clock
        self._began = self.now()
        self._wall = wall

    def now(self) -> float:
        """Return the loop's time in seconds."""
        return self._clock.now()

    def wall(self) -> datetime:
        """Return the date and time, in UTC; it jumps too."""
        return self._wall + timedelta(seconds=self.now() - self._began)

    async def rest(self) -> None:
        """Return when every other task waits: for time, for another task, or for I/O. Raises `NeverAtRest`."""
        await self._clock.rest()
        while current_default_thread_limiter().borrowed_tokens:
            # A worker thread is running, in real time.
            await sleep(0.002)
            await self._clock.rest()

    async def jump(self, latest: float) -> None:
        """Move time to the next timer, at most to *latest*; call it after `rest`."""
        when = self._clock.next()
        self._clock.set(latest if when is None else max(self.now(), min(when, latest)))
        await checkpoint()


@contextmanager
def loop_time(*, is_frozen: bool = False) -> Generator[LoopTime]:
    """Make the time of the running loop movable while the context is open. Raises `CannotJump`.

    With *is_frozen* it moves in no other way, and begins at 0 on the first day of 2026: the loop must be new.
    """
    wall = datetime(2026, 1, 1, tzinfo=UTC) if is_frozen else datetime.now(UTC)
    token = current_token().native_token
    if type(token).__module__.split(".")[0] == "trio":
        with _trio(is_frozen=is_frozen) as clock:
            yield LoopTime(clock, wall)
    elif hasattr(token, "_ready") and hasattr(token, "_scheduled"):
        with _asyncio(token, is_frozen=is_frozen) as clock:
            yield LoopTime(clock, wall)
    else:
        raise CannotJump(token)


class _AsyncioClock:
    def __init__(self, loop: Any, time: Callable[[], float]) -> None:  # noqa: ANN401 - private attributes have no types
        self._loop = loop
        self._time = time
        self._offset = 0.0

    def now(self) -> float:
        return self._time() + self._offset

    async def rest(self) -> None:
        # While this task runs, the ready queue holds every other task that could.
        ends_at = monotonic() + PATIENCE
        await checkpoint()
        while self._loop._ready:  # noqa: SLF001 - the one place where it can be seen
            await checkpoint()
            if monotonic() > ends_at:
                raise NeverAtRest

    def next(self) -> float | None:
        timers = self._loop._scheduled  # noqa: SLF001 - as above
        if not timers:
            return None
        # The loop calls those that are due a nanosecond later too, and a deadline among them would ask again, for ever.
        soon = timers[0].when() + self._loop._clock_resolution  # noqa: SLF001 - as above
        return float(max(when for timer in timers if (when := timer.when()) < soon))

    def set(self, when: float) -> None:
        self._offset += when - self.now()


@contextmanager
def _asyncio(loop: Any, *, is_frozen: bool) -> Generator[_AsyncioClock]:  # noqa: ANN401 - as above
    before = cast("dict[str, Callable[[], float]]", vars(loop)).get("time")
    clock = _AsyncioClock(loop, (lambda: 0.0) if is_frozen else loop.time)
    loop.time = clock.now
    try:
        yield clock
    finally:
        if before is None:
            del loop.time
        else:
            loop.time = before


class _TrioClock:
    def __init__(self, clock: Any) -> None:  # noqa: ANN401 - any class of clock
        self._clock = clock
        self.passed = 0.0

    async def rest(self) -> None:
        with move_on_after(PATIENCE) as scope:
            await wait_all_tasks_blocked()
        if scope.cancelled_caught:
            raise NeverAtRest

    def now(self) -> float:
        return float(self._clock.current_time())

    def next(self) -> float | None:
        trio = sys.modules["trio"]
        seconds: float = trio.lowlevel.current_statistics().seconds_to_next_deadline
        return None if seconds == float("inf") else self.now() + seconds

    def set(self, when: float) -> None:
        self.pass_by(when - self.now())

    def pass_by(self, seconds: float) -> None:
        self.passed += seconds
        if hasattr(self._clock, "jump"):
            self._clock.jump(seconds)
        else:
            # Trio's own clock is an offset to the machine's, in an attrs class that is frozen.
            object.__setattr__(self._clock, "offset", self._clock.offset + seconds)


@contextmanager
def _trio(*, is_frozen: bool) -> Generator[_TrioClock]:
    trio = sys.modules["trio"]
    clock = trio.lowlevel.current_clock()
    if is_frozen and not hasattr(clock, "jump"):
        raise CannotJump(clock)
    clock = _TrioClock(clock)
    try:
        yield clock
    finally:
        if not hasattr(clock, "jump"):
            clock.pass_by(-clock.passed)
