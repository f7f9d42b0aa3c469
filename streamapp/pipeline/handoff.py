"""Leases on their way from the polls of a queue to the agents that work on its messages."""

from collections import deque

from anyio import Semaphore
from anyio.lowlevel import checkpoint

from streamapp.pipeline.leases import Lease

IN_A_ROW = 10
"""Leases that are taken before others have a turn of the loop: agents that never wait must not keep it."""


class Handoff:
    """Hands each lease to one taker, in the order in which both came. Tokens bound it, so nobody waits to put."""

    def __init__(self) -> None:
        self._ready: deque[Lease] = deque()
        # A permit for each lease: whoever has one may take. To wait for one costs half of waiting for an event.
        self._permits = Semaphore(0, fast_acquire=True)
        self._taken = 0
        self._is_closed = self._is_abandoned = False

    @property
    def is_awaited(self) -> bool:
        """Whether somebody waits for the next lease."""
        return self._permits.statistics().tasks_waiting > 0

    def put(self, lease: Lease) -> bool:
        """Hand *lease* over; False once all takers are gone."""
        if not self._is_abandoned:
            self._ready.append(lease)
            self._permits.release()
        return not self._is_abandoned

    async def take(self) -> Lease | None:
        """Return the next lease, None when the feed has ended."""
        self._taken += 1
        if not self._taken % IN_A_ROW:
            await checkpoint()
        if self._permits.value:
            self._permits.acquire_nowait()
        elif not self._is_closed:
            await self._permits.acquire()
        return self._ready.popleft() if self._ready else None

    def take_back(self) -> list[Lease]:
        """Take out what nobody has taken."""
        rest: list[Lease] = []
        while self._permits.value:
            self._permits.acquire_nowait()
            if self._ready:  # of those whom the end called, one that was cut off leaves a permit for nothing
                rest.append(self._ready.pop())
        return rest[::-1]

    def close(self) -> None:
        """Nothing more comes: takers get what is there, then None."""
        self._is_closed = True
        for _ in range(self._permits.statistics().tasks_waiting):
            self._permits.release()

    def abandon(self) -> list[Lease]:
        """Nobody takes any more: answer what is left."""
        self._is_abandoned = True
        return self.take_back()
