"""Long polls: those that wait for a message, and those whose caller has gone away."""

from dataclasses import dataclass, field
from math import inf
from random import Random

from anyio import Event, get_cancelled_exc_class

from streamapp.testing.clocks.clock import Clock
from streamapp.testing.faults.ledger import Ledger
from streamapp.testing.faults.refusal import Refusal
from streamapp.testing.sqs.broker import Broker
from streamapp.testing.sqs.queue import Receipt


@dataclass(slots=True, eq=False)
class Poll:
    """One receive, which waits until *until*. *event* wakes it; with *chance* it takes messages in random order."""

    queue: str
    limit: int
    visibility: int | None
    until: float
    is_long: bool
    chance: Random | None = None
    event: Event = field(default_factory=Event)


class Polls:
    """All receives under way."""

    def __init__(self, broker: Broker, clock: Clock, ledger: Ledger) -> None:
        self._broker = broker
        self._clock = clock
        self._ledger = ledger
        self._waiting: list[Poll] = []
        self._abandoned: list[Poll] = []

    def look(self, poll: Poll) -> list[Receipt]:
        """Return the messages for *poll* now. As in SQS, a long poll gets no OverLimit error but nothing."""
        now = self._clock.now()
        try:
            return self._broker.receive(
                poll.queue, poll.limit, now, visibility=poll.visibility, chance=poll.chance
            )
        except Refusal as refusal:
            if refusal.code == "OverLimit" and poll.is_long:
                return []
            raise

    async def wait(self, poll: Poll) -> None:
        """Return when it is time to look again. A poll that is cancelled here stays open, as on a real server."""
        poll.event = Event()
        wake = self._broker.next_wake(poll.queue, self._clock.now())
        self._waiting.append(poll)
        try:
            with self._clock.move_on_at(min(poll.until, inf if wake is None else wake)):
                await poll.event.wait()
        except get_cancelled_exc_class():
            self._abandoned.append(poll)
            raise
        finally:
            self._waiting.remove(poll)

    def wake(self) -> None:
        """Wake the polls whose queues were touched; abandoned polls get the first messages, which are lost."""
        self._feed_abandoned()
        for poll in self._waiting:
            if poll.queue in self._broker.touched:
                poll.event.set()
        self._broker.touched.clear()

    def _feed_abandoned(self) -> None:
        now = self._clock.now()
        self._abandoned = [poll for poll in self._abandoned if now < poll.until]
        for poll in list(self._abandoned):
            call = self._ledger.begin()
            try:
                receipts = self.look(poll)
            except Refusal:
                receipts = []
            if receipts:
                self._ledger.note(now, "receive", poll.queue, "lost", call=call)
                self._abandoned.remove(poll)
