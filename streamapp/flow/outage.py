"""Wait out what heals by itself, so that an outage never costs a message anything but time."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TypeVar

from anyio import create_task_group, current_time, sleep

from streamapp.errors import Fault, ServiceError, TimedOut
from streamapp.flow.backoff import Backoff
from streamapp.flow.wakeup import Wakeup

logger = logging.getLogger(__name__)

T = TypeVar("T")
R = TypeVar("R")

AGAIN = Backoff(first=0.2, longest=2.0)
"""Between tries: short enough to be back within 5 s of the cure."""

MISCONFIGURED_PAUSE = 30.0
"""Seconds between tries where a right or a queue is missing: somebody has to act first."""


class Outage:
    """Whether one service can be used now; *probe* is a harmless call that finds out."""

    def __init__(self, service: str, probe: Callable[[], Awaitable[object]]) -> None:
        self.service = service
        self._probe = probe
        self.is_on = False
        self.begun = 0
        """How many outages there were, one that is on included."""
        self._failing: set[object] = set()
        self._fewer_fail = Wakeup()

    async def ride_out(self, call: Callable[[], Awaitable[T]], *, even_misconfigured: bool = True) -> T:
        """Return what *call* returns, and try again until it does. Only an error that cannot heal is raised.

        `TimedOut` is raised too if the service answers meanwhile: then the call itself asks for too much.

        With *even_misconfigured* it also waits for a right or a queue that is missing, which somebody has to mend.
        """
        try:
            result = await call()
        except ServiceError as error:
            result = await self._try_again(call, error, even_misconfigured=even_misconfigured)
        self._end()
        return result

    async def _try_again(
        self, call: Callable[[], Awaitable[T]], error: ServiceError, *, even_misconfigured: bool
    ) -> T:
        """Try *call* again after its first *error*, and return what it returns in the end."""
        this, failures, has_answered = object(), 0, False
        try:
            while True:
                is_late = isinstance(error, TimedOut) and call != self._probe
                if is_late and (has_answered or (not failures and await self._answers())):
                    self._failing.discard(this)
                    self._end()
                    raise error
                if not (error.heals or (even_misconfigured and error.fault is Fault.CONFIGURATION)):
                    raise error
                self._begin(error)
                if error.heals:
                    self._failing.add(this)
                failures += 1
                await sleep(pause_of(error, failures, AGAIN))
                if is_late:
                    # The server may still be busy with the call that was given up: it is made again once it answers.
                    has_answered = await self._answers()
                    if not has_answered:
                        continue
                try:
                    return await call()
                except ServiceError as again:
                    error = again
        finally:
            self._failing.discard(this)
            self._fewer_fail.ring()

    async def over(self) -> None:
        """Wait until the service can be used, if it cannot be used now."""
        while self.is_on:
            await self.ride_out(self._probe)
            while self._failing:
                # It responds, and yet refuses all writes: a full Redis does so.
                await self._fewer_fail.wait()

    async def _answers(self) -> bool:
        """Whether the service answers a harmless call."""
        try:
            await self._probe()
        except ServiceError:
            return False
        return True

    def _begin(self, error: ServiceError) -> None:
        if not self.is_on:
            self.is_on = True
            self.begun += 1
            logger.warning("%s cannot be used; waiting for it", self.service, extra={"reason": error.detail})

    def _end(self) -> None:
        # One call may work while another does not: a full Redis still responds to all reads.
        if self.is_on and not self._failing:
            self.is_on = False
            logger.info("%s can be used again", self.service)


def pause_of(error: ServiceError, failures: int, backoff: Backoff) -> float:
    """Return the seconds to wait after the last of *failures* in a row, by *backoff* where *error* may heal."""
    return MISCONFIGURED_PAUSE if error.fault is Fault.CONFIGURATION else backoff.pause(failures)


SLOW_FOR, SLOW_LONGEST = 60.0, 900.0
"""Seconds in which a slow key is not asked for again, twice as many each time: each try may take the time that all
others need, and SQS itself dead-letters a message that comes too often."""

SLOW_MOST = 1000
"""Slow keys that are remembered."""


class SlowKey(TimedOut):
    """The service answers, and yet takes too long over this key."""

    def __init__(self, key: str, service: str, after: float) -> None:
        super().__init__(
            service,
            f"{key!r} takes longer than a call may, while {service} answers; is it very large?",
            after=after,
        )


class PerKey:
    """Calls of one service, each for many items with a key: it waits in an *outage*, and a slow key's trouble is its own."""

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
                results[n] = SlowKey(key_of(item), self._outage.service, left)
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

        A key is slow only if this call takes too long as well: the service may have stood still for a moment.
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
        return SlowKey(key, self._outage.service, pause)
