"""One call to a service for tests, from its start to its response, with the faults that hit it."""

from collections.abc import Callable, Sequence
from typing import NoReturn, TypeVar

from anyio import get_cancelled_exc_class
from anyio.lowlevel import checkpoint

from streamapp.testing.clocks.clock import Clock
from streamapp.testing.faults.effects import Drip, Effect, Fail, Garble, Hang, Lose, Partial, Reset, Slow
from streamapp.testing.faults.ledger import Ledger
from streamapp.testing.faults.plan import Faults, Planned
from streamapp.testing.faults.refusal import Refusal

T = TypeVar("T")
R = TypeVar("R")
E = TypeVar("E")


class ResponseLost(Exception):
    """The caller gets no proper response, but what *effect* says."""

    def __init__(self, effect: Effect) -> None:
        super().__init__(effect)
        self.effect = effect


class SimulatedCall:
    """One call: `begin`, then `act` once or more, then `finish`."""

    def __init__(self, operation: str, queue: str, clock: Clock, faults: Faults, ledger: Ledger) -> None:
        self._operation = operation
        self._queue = queue
        self._clock = clock
        self._faults = faults
        self._ledger = ledger
        self._planned: list[Planned] = []
        self._number = ledger.begin()

    def effects(self, kind: type[E]) -> list[E]:
        """Return the effects of this kind that hit this call."""
        return [planned.effect for planned in self._planned if isinstance(planned.effect, kind)]

    async def begin(self) -> None:
        """Apply the faults that happen before the call takes effect. Raises `Refusal` and `ResponseLost`."""
        await checkpoint()
        self._planned = self._faults.due(self._operation, self._queue)
        for planned in self._planned:
            match planned.effect:
                case Fail(code, message, status):
                    self._note(code)
                    raise Refusal(code, message, sender_fault=False, status=status)
                case Reset(took_effect=False) | Garble(took_effect=False) as effect:
                    self._note("never began")
                    _lose(effect)
                case Slow(took_effect=False) | Hang(took_effect=False):
                    await self._hold(planned)
                case _:
                    pass

    def act(self, what: Callable[[float], T]) -> T:
        """Return *what* of the time; what it notes in the ledger belongs to this call."""
        self._number = self._ledger.begin()
        try:
            return what(self._clock.now())
        except Refusal as refusal:
            self._note(refusal.code)
            raise

    def act_on(
        self, entries: Sequence[E], what: Callable[[Sequence[E]], list[R | Refusal]]
    ) -> list[R | Refusal]:
        """Return the outcome of each entry of a batch; *what* gets only the entries that take effect."""
        planned = [self._planned_for(position) for position in range(len(entries))]
        effective = [entry for entry, (_, took_effect) in zip(entries, planned, strict=True) if took_effect]
        outcomes = iter(what(effective) if effective else [])
        merged: list[R | Refusal] = []
        for refusal, took_effect in planned:
            if took_effect:
                outcome = next(outcomes)
                merged.append(outcome if refusal is None else refusal)
            elif refusal is not None:
                merged.append(refusal)
        return merged

    async def finish(self, outcome: str = "done") -> None:
        """Apply the faults that happen to the response. Raises `ResponseLost`."""
        try:
            for planned in self._planned:
                match planned.effect:
                    case Slow(took_effect=True) | Hang(took_effect=True):
                        await self._hold(planned)
                    case Lose() | Reset() | Garble() | Drip() as effect:
                        _lose(effect)
                    case _:
                        pass
            # A caller that is cancelled here gets no response either.
            await checkpoint()
        except (ResponseLost, get_cancelled_exc_class()):
            self._note("lost")
            raise
        self._note(outcome)

    async def _hold(self, planned: Planned) -> None:
        match planned.effect:
            case Slow(seconds):
                await self._clock.sleep(seconds)
            case _:
                with self._clock.move_on_at(planned.until):
                    await planned.over.wait()

    def _planned_for(self, position: int) -> tuple[Refusal | None, bool]:
        for partial in self.effects(Partial):
            if refusal := partial.refusal(position):
                return refusal, partial.took_effect
        return None, True

    def _note(self, outcome: str) -> None:
        self._ledger.note(self._clock.now(), self._operation, self._queue, outcome, call=self._number)


def _lose(effect: Effect) -> NoReturn:
    raise ResponseLost(effect)
