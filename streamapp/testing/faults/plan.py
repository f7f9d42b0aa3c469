"""Faults on command: which calls go wrong, how, how often and for how long."""

from dataclasses import dataclass, field
from math import inf
from random import Random
from types import TracebackType
from typing import Self

from anyio import Event

from streamapp.testing.clocks.clock import Clock
from streamapp.testing.faults.effects import Effect


@dataclass(slots=True, eq=False)
class Planned:
    """One fault that was added. It is over after *left* more hits, at *until*, or when it is removed.

    As a context manager it is removed at the end.
    """

    operation: str
    effect: Effect
    queue: str | None
    left: float
    until: float
    rate: float
    skip: int
    hits: int = 0
    over: Event = field(default_factory=Event)

    def remove(self) -> None:
        """End this fault; calls that hang because of it go on."""
        self.left = 0
        self.over.set()

    def __enter__(self) -> Self:
        """Return itself; the fault is in force since it was added."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove the fault."""
        self.remove()


class Faults:
    """The faults to make happen. The same seed and the same calls give the same faults.

    faults.add("send", Fail("RequestThrottled"), queue="orders", times=3)
    faults.add("delete", Lose(), rate=0.1)                 # one call in ten, chosen by the seed
    faults.add("*", Fail("ExpiredToken"), seconds=60)
    with faults.add("receive", Hang()):
        ...
    """

    def __init__(self, clock: Clock, chance: Random) -> None:
        self._clock = clock
        self._chance = chance
        self._planned: list[Planned] = []

    def add(
        self,
        operation: str,
        effect: Effect,
        *,
        queue: str | None = None,
        times: int | None = None,
        seconds: float | None = None,
        rate: float = 1.0,
        skip: int = 0,
    ) -> Planned:
        """Make calls of *operation* (a verb of `Sqs`, or "*") go wrong, those to *queue* or to all.

        Without *times* and *seconds* it lasts until it is removed. *rate* is the probability of each call; the
        first *skip* calls are not hit.
        """
        until = inf if seconds is None else self._clock.now() + seconds
        left = inf if times is None else times
        planned = Planned(operation, effect, queue, left, until, rate, skip)
        self._planned.append(planned)
        return planned

    def clear(self) -> None:
        """Remove all faults."""
        for planned in self._planned:
            planned.remove()
        self._planned.clear()

    def due(self, operation: str, queue: str) -> list[Planned]:
        """Return the faults that hit this call, in the order in which they were added, and count the hits."""
        now = self._clock.now()
        self._planned = [planned for planned in self._planned if planned.left > 0 and now < planned.until]
        return [planned for planned in self._planned if self._hits(planned, operation, queue)]

    def _hits(self, planned: Planned, operation: str, queue: str) -> bool:
        if planned.operation not in {"*", operation} or planned.queue not in {None, queue}:
            return False
        if planned.skip > 0:
            planned.skip -= 1
            return False
        if planned.rate < 1 and self._chance.random() >= planned.rate:
            return False
        planned.left -= 1
        planned.hits += 1
        return True
