"""Wait out what heals by itself, so that an outage never costs a message anything but time."""

import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from anyio import sleep

from streamapp.errors import Fault, ServiceError
from streamapp.flow.backoff import Backoff
from streamapp.flow.wakeup import Wakeup

logger = logging.getLogger(__name__)

T = TypeVar("T")

AGAIN = Backoff(first=0.2, longest=2.0)
"""Between tries: short enough to be back within 5 s of the cure."""

MISCONFIGURED_PAUSE = 30.0
"""Seconds between tries where a right or a queue is missing: somebody has to act first."""


class Outage:
    """Whether one service can be used now; *probe* is a harmless call that finds out."""

    def __init__(self, service: str, probe: Callable[[], Awaitable[object]]) -> None:
        self._service = service
        self._probe = probe
        self.is_on = False
        self.begun = 0
        """How many outages there were, one that is on included."""
        self._failing: set[object] = set()
        self._fewer_fail = Wakeup()

    async def ride_out(self, call: Callable[[], Awaitable[T]], *, even_misconfigured: bool = True) -> T:
        """Return what *call* returns, and try again until it does. Only an error that cannot heal is raised.

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
        this, failures = object(), 0
        try:
            while True:
                if not (error.heals or (even_misconfigured and error.fault is Fault.CONFIGURATION)):
                    raise error
                self._begin(error)
                if error.heals:
                    self._failing.add(this)
                failures += 1
                await sleep(pause_of(error, failures, AGAIN))
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

    def _begin(self, error: ServiceError) -> None:
        if not self.is_on:
            self.is_on = True
            self.begun += 1
            logger.warning("%s cannot be used; waiting for it", self._service, extra={"reason": error.detail})

    def _end(self) -> None:
        # One call may work while another does not: a full Redis still responds to all reads.
        if self.is_on and not self._failing:
            self.is_on = False
            logger.info("%s can be used again", self._service)


def pause_of(error: ServiceError, failures: int, backoff: Backoff) -> float:
    """Return the seconds to wait after the last of *failures* in a row, by *backoff* where *error* may heal."""
    return MISCONFIGURED_PAUSE if error.fault is Fault.CONFIGURATION else backoff.pause(failures)
