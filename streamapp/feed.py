"""Leases on their way from the polls of a queue to the agents that work on its messages."""

from collections import deque
from dataclasses import dataclass, field

from anyio import Event
from anyio.lowlevel import checkpoint

from streamapp.leases import Lease

IN_A_ROW = 10
"""Leases that are taken before others have a turn of the loop: agents that never wait must not keep it."""


@dataclass(slots=True, eq=False)
class _Taker:
    """An agent that waits for a lease; none came to it where the feed has ended."""

    given: Event = field(default_factory=Event)
    lease: Lease | None = None


class Feed:
    """Hands each lease to one taker, in the order in which both came. Tokens bound it, so nobody waits to put."""

    def __init__(self) -> None:
        self._ready: deque[Lease] = deque()
        self._takers: deque[_Taker] = deque()
        self._taken = 0
        self._is_closed = self._is_abandoned = False

    @property
    def is_awaited(self) -> bool:
        """Whether somebody waits for the next lease."""
        return bool(self._takers)

    def put(self, lease: Lease) -> bool:
        """Hand *lease* over; False once all takers are gone."""
        if self._takers:
            taker = self._takers.popleft()
            taker.lease = lease
            taker.given.set()
        elif not self._is_abandoned:
            self._ready.append(lease)
        return not self._is_abandoned

    async def take(self) -> Lease | None:
        """Answer the next lease, None when the feed has ended."""
        self._taken += 1
        if not self._taken % IN_A_ROW:
            await checkpoint()
        if self._ready:
            return self._ready.popleft()
        if self._is_closed:
            return None
        taker = _Taker()
        self._takers.append(taker)
        try:
            await taker.given.wait()
        except BaseException:  # cut off; another may have it
            if taker.lease is not None:
                self.put(taker.lease)
            elif taker in self._takers:
                self._takers.remove(taker)
            raise
        return taker.lease

    def take_back(self) -> list[Lease]:
        """Take out what nobody has taken."""
        rest = list(self._ready)
        self._ready.clear()
        return rest

    def close(self) -> None:
        """Nothing more comes: takers get what is there, then None."""
        self._is_closed = True
        for taker in self._takers:
            taker.given.set()
        self._takers.clear()

    def abandon(self) -> list[Lease]:
        """Nobody takes any more: answer what is left."""
        self._is_abandoned = True
        return self.take_back()
