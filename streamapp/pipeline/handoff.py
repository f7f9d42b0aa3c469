"""From the polls of a queue to the agents that work on its messages: order within groups is kept here."""

import math
from collections import deque

from anyio import Semaphore, current_time
from anyio.lowlevel import checkpoint

from streamapp.pipeline.fifo import FifoGroups
from streamapp.pipeline.leases import Lease

IN_A_ROW = 10
"""Leases that are taken before others have a turn of the loop: agents that never wait must not keep it."""


class Handoff:
    """Hands each lease to one taker, in the order in which leases and takers came.

    On a *fifo* queue the next lease of a group is handed over when the one before it is done. Tokens bound how many
    leases wait here, so `put` itself never waits. A call that finds leases which nobody will take returns them: its
    caller gives them back.
    """

    def __init__(self, *, fifo: bool = False) -> None:
        self._ready: deque[Lease] = deque()
        # One permit for each lease: a taker needs one. Waiting for a permit costs half of waiting for an event.
        self._permits = Semaphore(0, fast_acquire=True)
        self._groups = FifoGroups() if fifo else None
        self._taken = 0
        self._last_turn = math.inf
        self._is_stopped = self._is_closed = self._is_abandoned = False

    def put(self, lease: Lease) -> list[Lease]:
        """Hand *lease* over, now or when it is the first of its group. Return the leases that nobody will take."""
        if self._groups is not None and not self._groups.enter(lease):
            return []
        return self._offer(lease)

    def done(self, lease: Lease) -> list[Lease]:
        """Note that the message of *lease* is deleted: the next of its group follows. Return the leases that nobody will take."""
        following = self._groups.leave(lease) if self._groups is not None else None
        if following is None:
            return []
        return [following] if current_time() > self._last_turn else self._offer(following)

    def give_up(self, lease: Lease) -> list[Lease]:
        """Note that the message of *lease* comes again. Return the leases behind it, which must not come before it."""
        return [] if self._groups is None else self._groups.abandon(lease)

    async def take(self) -> Lease | None:
        """Return the next lease, None when no more will come."""
        self._taken += 1
        if not self._taken % IN_A_ROW:
            await checkpoint()
        if self._permits.value:
            self._permits.acquire_nowait()
        elif not self._is_closed:
            await self._permits.acquire()
        return self._ready.popleft() if self._ready else None

    def stop(self, last_turn: float) -> list[Lease]:
        """Hand over only to agents that wait, from now on. Return the leases that nobody has taken.

        Leases that wait in a group may still follow until *last_turn* (monotonic time).
        """
        self._is_stopped = True
        self._last_turn = last_turn
        return self._take_back()

    async def nobody_waits(self) -> None:
        """Return when no lease waits behind another one of its group; for one caller."""
        if self._groups is not None:
            await self._groups.nobody_waits()

    def close(self) -> None:
        """Note that nothing more comes: takers get what is there, then None."""
        self._is_closed = True
        for _ in range(self._permits.statistics().tasks_waiting):
            self._permits.release()

    def abandon(self) -> list[Lease]:
        """Note that nobody takes any more, and return what is left."""
        self._is_abandoned = True
        return self._take_back()

    def _offer(self, lease: Lease) -> list[Lease]:
        # Once stopped, a lease goes to an agent that waits, or back: to come again would count against it.
        if self._is_abandoned or (self._is_stopped and not self._permits.statistics().tasks_waiting):
            return [lease]
        self._ready.append(lease)
        self._permits.release()
        return []

    def _take_back(self) -> list[Lease]:
        rest: list[Lease] = []
        while self._permits.value:
            self._permits.acquire_nowait()
            if (
                self._ready
            ):  # a taker that `close` woke and that was cancelled leaves a permit without a lease
                rest.append(self._ready.pop())
        return rest[::-1]
