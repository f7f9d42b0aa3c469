"""The machine's clock, and one that a test moves."""

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from typing import Protocol

from anyio import CancelScope, current_time, move_on_after, sleep, sleep_forever, wait_all_tasks_blocked
from anyio.lowlevel import checkpoint

# When anyio finds a task that is not blocked, it looks again only after 0.1 s. A few turns of the loop
# beforehand let most tasks come to rest, so that it finds none.
_TURNS = 25


class Clock(Protocol):
    """Tells the time, and waits for it."""

    def now(self) -> float:
        """Return the monotonic time in seconds; only differences mean anything."""
        ...

    def wall(self) -> datetime:
        """Return the date and time, in UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return after *seconds*."""
        ...

    def move_on_at(self, when: float) -> AbstractContextManager[CancelScope]:
        """Cancel what runs inside when `now()` reaches *when*."""
        ...


class RealClock:
    """The machine's clock."""

    def now(self) -> float:
        """Return the event loop's time in seconds; it must be called inside one."""
        return current_time()

    def wall(self) -> datetime:
        """Return the date and time, in UTC."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        """Return after *seconds*."""
        await sleep(seconds)

    def move_on_at(self, when: float) -> AbstractContextManager[CancelScope]:
        """Cancel what runs inside when `now()` reaches *when*."""
        return move_on_after(max(0.0, when - self.now()))


@dataclass(order=True, slots=True)
class _Timer:
    when: float
    order: int
    wake: Callable[[], None] = field(compare=False)
    is_over: bool = field(default=False, compare=False)


class VirtualClock:
    """A clock that moves only by `advance`.

    Sleeping tasks wake one by one, in order; between two of them every task runs until it is blocked again.

        clock = VirtualClock()
        tg.start_soon(clock.sleep, 30)
        await clock.advance(30)              # the task has woken, and has run on
    """

    def __init__(self, now: float = 0.0, wall: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self._now = now
        self._epoch = wall - timedelta(seconds=now)
        self._timers: list[_Timer] = []
        self._order = 0

    def now(self) -> float:
        """Return the seconds that have passed by `advance`."""
        return self._now

    def wall(self) -> datetime:
        """Return the date and time, in UTC."""
        return self._epoch + timedelta(seconds=self._now)

    async def sleep(self, seconds: float) -> None:
        """Return when `advance` has moved the clock by *seconds*."""
        await checkpoint()
        with self.move_on_at(self._now + seconds):
            await sleep_forever()

    @contextmanager
    def move_on_at(self, when: float) -> Generator[CancelScope]:
        """Cancel what runs inside when `now()` reaches *when*."""
        with CancelScope() as scope:
            if when <= self._now:
                scope.cancel()
            timer = _Timer(when, self._order, scope.cancel)
            self._order += 1
            heappush(self._timers, timer)
            try:
                yield scope
            finally:
                timer.is_over = True

    async def advance(self, seconds: float) -> None:
        """Move the clock by *seconds*; on return every task has done what it could do by then."""
        end = self._now + seconds
        await settle()
        while self._timers and self._timers[0].when <= end:
            timer = heappop(self._timers)
            if timer.is_over:
                continue
            self._now = max(self._now, timer.when)
            timer.wake()
            await settle()
        self._now = end
        await settle()

    async def advance_to_next(self) -> float:
        """Move the clock until the next sleeping task wakes; return by how many seconds, 0 if no task sleeps."""
        await settle()
        while self._timers and self._timers[0].is_over:
            heappop(self._timers)
        seconds = max(0.0, self._timers[0].when - self._now) if self._timers else 0.0
        await self.advance(seconds)
        return seconds


async def settle() -> None:
    """Return when every other task is blocked: all that needs no time to pass has happened."""
    for _ in range(_TURNS):
        await checkpoint()
    await wait_all_tasks_blocked()
