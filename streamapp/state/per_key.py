"""Call the store for many keys at once; a key for which that takes too long fails alone."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TypeVar

from anyio import create_task_group, current_time

from streamapp.errors import ServiceError, TimedOut
from streamapp.flow.outage import Outage

T = TypeVar("T")
R = TypeVar("R")

SLOW_FOR, SLOW_LONGEST = 60.0, 900.0
"""Seconds in which a slow key is not asked for again, twice as many each time: a try may take the time that all others
need, and SQS itself dead-letters a message that comes too often."""

SLOW_MOST = 1000
"""Slow keys that are remembered."""


class SlowKey(TimedOut):
    """The store answers, and yet takes too long over this key."""

    def __init__(self, key: str, after: float) -> None:
        super().__init__(
            "Redis",
            f"{key!r} takes longer than a call may, while Redis answers; is it very large?",
            after=after,
        )


class PerKey:
    """Calls of the store, each for many items with a key: it waits in an *outage*, and a slow key's trouble is its own."""

    def __init__(self, outage: Outage) -> None:
        self._outage = outage
        # Until when a key is left alone, and for how long in all.
        self._slow: dict[str, tuple[float, float]] = {}

    async def call(
        self,
        call: Callable[[Sequence[T]], Awaitable[Sequence[R]]],
        items: Sequence[T],
        key_of: Callable[[T], str],
    ) -> Sequence[R | ServiceError]:
        """Return what *call* returns for each of *items*, or the error of this item alone."""
        if not self._slow or self._slow.keys().isdisjoint(map(key_of, items)):
            try:
                return await self._outage.ride_out(partial(call, items))
            except ServiceError as error:
                if len(items) == 1 and not isinstance(error, TimedOut):
                    return [error]
                return await self._call_each(call, items, key_of)
        results: dict[int, R | ServiceError] = {}
        quick: list[int] = []
        slow: list[int] = []
        for n, item in enumerate(items):
            known = self._slow.get(key_of(item))
            if known is None:
                quick.append(n)
            elif (left := known[0] - current_time()) > 0:
                results[n] = SlowKey(key_of(item), left)
            else:
                slow.append(n)

        async def add(some: list[int], way: Callable[..., Awaitable[Sequence[R | ServiceError]]]) -> None:
            results.update(zip(some, await way(call, [items[n] for n in some], key_of), strict=True))

        async with create_task_group() as tasks:
            if quick:
                tasks.start_soon(add, quick, self.call)
            if slow:
                tasks.start_soon(add, slow, self._call_each)
        return [results[n] for n in range(len(items))]

    async def _call_each(
        self,
        call: Callable[[Sequence[T]], Awaitable[Sequence[R]]],
        items: Sequence[T],
        key_of: Callable[[T], str],
    ) -> Sequence[R | ServiceError]:
        """Call for each of *items* alone: of a call that failed for all, it is not known which it was.

        A key is slow only if this call takes too long as well: Redis may have stood still for a moment.
        """
        results: dict[int, R | ServiceError] = {}

        async def alone(n: int, item: T) -> None:
            try:
                (results[n],) = await self._outage.ride_out(partial(call, [item]))
                self._slow.pop(key_of(item), None)
            except ServiceError as error:
                results[n] = self._own(key_of(item), error)

        async with create_task_group() as tasks:
            for n, item in enumerate(items):
                tasks.start_soon(alone, n, item)
        return [results[n] for n in range(len(items))]

    def _own(self, key: str, error: ServiceError) -> ServiceError:
        """Return *error* as that of *key*; a key that is slow is remembered."""
        if not isinstance(error, TimedOut):
            return error
        _, pause = self._slow.pop(key, (0, SLOW_FOR / 2))
        pause = min(2 * pause, SLOW_LONGEST)
        self._slow[key] = current_time() + pause, pause
        if len(self._slow) > SLOW_MOST:
            del self._slow[next(iter(self._slow))]
        return SlowKey(key, pause)
