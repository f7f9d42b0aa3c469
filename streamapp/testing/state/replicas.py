"""The values of a store in memory, and a replica of them that lags behind."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from streamapp.testing.clocks.clock import Clock

_TICK = 1e-9
"""Seconds that a sum of floats may be off."""


@dataclass(frozen=True, slots=True)
class StoredValue:
    """A hash of *fields*, or a set of *members*; it expires at *expires_at*, None: never."""

    fields: Mapping[str, str] = field(default_factory=dict[str, str])
    members: frozenset[str] | None = None
    expires_at: float | None = None


class ReplicatedValues:
    """The values of a master, and of its replica, which gets each write *lag* seconds later (infinite: never).

    *lag* may change at any time: when a link that was cut is healed, the replica catches up.
    """

    def __init__(self, clock: Clock, lag: float) -> None:
        self._lag = lag
        self._clock = clock
        self._master: dict[str, StoredValue] = {}
        self._replica: dict[str, StoredValue] = {}
        self._unreplicated: deque[tuple[float, str, StoredValue | None]] = deque()
        self._failovers = 0

    @property
    def lag(self) -> float:
        """How many seconds the replica is behind."""
        return self._lag

    @lag.setter
    def lag(self, seconds: float) -> None:
        # The replica keeps what it has got by now, also if the link is cut.
        self._catch_up()
        self._lag = seconds

    def get(self, key: str) -> StoredValue | None:
        """Return the master's value of *key* now."""
        value = self._master.get(key)
        if value is not None and value.expires_at is not None and value.expires_at <= self._clock.now():
            self.drop(key)
            return None
        return value

    def all(self) -> dict[str, StoredValue]:
        """Return all values of the master now."""
        return {key: value for key in list(self._master) if (value := self.get(key)) is not None}

    def replicated(self, key: str) -> StoredValue | None:
        """Return the replica's value of *key* now."""
        self._catch_up()
        return self._replica.get(key)

    def put(self, key: str, value: StoredValue) -> None:
        """Set *key* in the master, and in time in the replica."""
        self._master[key] = value
        self._replicate(key, value)

    def drop(self, key: str) -> None:
        """Remove *key* from the master, and in time from the replica."""
        self._master.pop(key, None)
        self._replicate(key, None)

    async def follows(self, within: float) -> bool:
        """Wait until the replica has all writes up to now; return False when that took longer than *within* seconds.

        It also returns False when a failover undid the writes meanwhile.
        """
        written_at, failovers = self._clock.now(), self._failovers
        while (waited := self._clock.now() - written_at) < self.lag - _TICK:
            if waited >= within - _TICK:
                return False
            await self._clock.sleep(min(within, self.lag) - waited)
        return self._failovers == failovers

    def fail_over(self) -> None:
        """Make the replica the master, and start a new replica as its copy."""
        self._catch_up()
        self._unreplicated.clear()
        self._master = dict(self._replica)
        self._failovers += 1

    def _replicate(self, key: str, value: StoredValue | None) -> None:
        self._unreplicated.append((self._clock.now(), key, value))
        self._catch_up()

    def _catch_up(self) -> None:
        while self._unreplicated and self._unreplicated[0][0] + self.lag <= self._clock.now() + _TICK:
            _, key, value = self._unreplicated.popleft()
            if value is None:
                self._replica.pop(key, None)
            else:
                self._replica[key] = value
