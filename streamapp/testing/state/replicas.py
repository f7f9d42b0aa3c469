"""What a store in memory holds, by key, and the copy of it that is some time behind."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from streamapp.testing.clocks.clock import Clock

_TICK = 1e-9
"""Seconds that a sum of floats may be off."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A hash of *fields*, or a set of *members*; gone at *expires_at*, None: never."""

    fields: Mapping[str, str] = field(default_factory=dict[str, str])
    members: frozenset[str] | None = None
    expires_at: float | None = None


class Replicated:
    """Keys of a master, and of its replica, which hears of each write *lag* seconds later (infinite: never).

    *lag* may change at any time: a link that is cut and healed lets the replica catch up.
    """

    def __init__(self, clock: Clock, lag: float) -> None:
        self._lag = lag
        self._clock = clock
        self._master: dict[str, Kept] = {}
        self._replica: dict[str, Kept] = {}
        self._unheard: deque[tuple[float, str, Kept | None]] = deque()
        self._failovers = 0

    @property
    def lag(self) -> float:
        """For how many seconds the replica has not heard yet."""
        return self._lag

    @lag.setter
    def lag(self, seconds: float) -> None:
        # What it has heard by now it has heard, also if the link is cut.
        self._catch_up()
        self._lag = seconds

    def get(self, key: str) -> Kept | None:
        """Return what the master holds there now."""
        kept = self._master.get(key)
        if kept is not None and kept.expires_at is not None and kept.expires_at <= self._clock.now():
            self.drop(key)
            return None
        return kept

    def all(self) -> dict[str, Kept]:
        """Return all that the master holds now."""
        return {key: kept for key in list(self._master) if (kept := self.get(key)) is not None}

    def heard(self, key: str) -> Kept | None:
        """Return what the replica holds there now."""
        self._catch_up()
        return self._replica.get(key)

    def put(self, key: str, kept: Kept) -> None:
        """Let the master hold *kept*, and in time the replica."""
        self._master[key] = kept
        self._tell(key, kept)

    def drop(self, key: str) -> None:
        """Let the master forget *key*, and in time the replica."""
        self._master.pop(key, None)
        self._tell(key, None)

    async def follows(self, within: float) -> bool:
        """Wait until the replica has what was written up to now; False when that took longer than *within* seconds.

        A write that a failover undid meanwhile is nobody's any more.
        """
        written_at, failovers = self._clock.now(), self._failovers
        while (waited := self._clock.now() - written_at) < self.lag - _TICK:
            if waited >= within - _TICK:
                return False
            await self._clock.sleep(min(within, self.lag) - waited)
        return self._failovers == failovers

    def fail_over(self) -> None:
        """Let the replica be the master, and a new replica begin as its copy."""
        self._catch_up()
        self._unheard.clear()
        self._master = dict(self._replica)
        self._failovers += 1

    def _tell(self, key: str, kept: Kept | None) -> None:
        self._unheard.append((self._clock.now(), key, kept))
        self._catch_up()

    def _catch_up(self) -> None:
        while self._unheard and self._unheard[0][0] + self.lag <= self._clock.now() + _TICK:
            _, key, kept = self._unheard.popleft()
            if kept is None:
                self._replica.pop(key, None)
            else:
                self._replica[key] = kept
