"""The simulated SQS: the rules joined to a clock, so that long polls wait, faults happen, and the ledger is written."""

from collections.abc import Callable, Sequence
from functools import cached_property
from random import Random
from typing import TypeVar

from streamapp.testing.clocks.clock import Clock, RealClock
from streamapp.testing.faults.call import SimulatedCall
from streamapp.testing.faults.effects import Delay, Duplicate, Reorder
from streamapp.testing.faults.ledger import Ledger
from streamapp.testing.faults.plan import Faults
from streamapp.testing.faults.refusal import Refusal
from streamapp.testing.sqs.broker import Broker
from streamapp.testing.sqs.message import MessageContent
from streamapp.testing.sqs.polls import Poll, Polls
from streamapp.testing.sqs.queue import Receipt, SendResult
from streamapp.testing.sqs.rules import check_batch_size, check_entries, check_receive

T = TypeVar("T")


class SqsSimulator:
    """One SQS. Its calls are the verbs of `Sqs`, on names of queues; they raise `Refusal` and `ResponseLost`.

    *ids* are the ids of a batch's entries, None for a call that is no batch; each entry has its own outcome.
    """

    def __init__(self, clock: Clock | None = None, seed: int = 0) -> None:
        self.clock = clock or RealClock()
        self.ledger = Ledger()
        # Chance has to repeat itself here, not to keep a secret.
        self.faults = Faults(self.clock, Random(seed))  # noqa: S311
        self.broker = Broker(self.ledger, Random(seed + 1))  # noqa: S311
        self._chance = Random(seed + 2)  # noqa: S311
        self._polls = Polls(self.broker, self.clock, self.ledger)

    @cached_property
    def epoch(self) -> float:
        """The Unix time, in seconds, at which the clock was at zero.

        It is read once: two clocks that are read one after the other give another millisecond each time.
        """
        return self.clock.wall().timestamp() - self.clock.now()

    async def call(self, operation: str, queue: str, act: Callable[[float], T]) -> T:
        """Make a call that neither waits nor has entries; *act* gets the time."""
        call = await self._begin(operation, queue)
        return await self._finish(call, act)

    async def send(
        self, queue: str, contents: Sequence[MessageContent], ids: Sequence[str] | None
    ) -> list[SendResult | Refusal]:
        """Send 1..10 messages."""
        call = await self._begin("send", queue)
        delay = sum(self._chance.uniform(e.least, e.most or e.least) for e in call.effects(Delay))

        def act(now: float) -> list[SendResult | Refusal]:
            stored = self.broker.stored(queue, now)
            if ids is not None:
                check_entries(ids)
                check_batch_size(contents)
                stored.check_batch(contents)
            outcomes = call.act_on(
                contents,
                lambda some: self.broker.send(queue, some, now, delay=delay, is_batch=ids is not None),
            )
            for duplicate in call.effects(Duplicate):
                for sent in outcomes:
                    if isinstance(sent, SendResult):
                        stored.duplicate(sent.number, now, duplicate.after)
            return outcomes

        return await self._finish(call, act)

    async def receive(
        self, queue: str, *, limit: int = 1, wait: float | None = None, visibility: int | None = None
    ) -> list[Receipt]:
        """Return as soon as there is a message, or after *wait* seconds, by default those of the queue."""
        call = await self._begin("receive", queue)

        def begin(now: float) -> Poll:
            seconds = (
                self.broker.stored(queue, now).setting("ReceiveMessageWaitTimeSeconds")
                if wait is None
                else wait
            )
            check_receive(limit, seconds)
            chance = self._chance if call.effects(Reorder) else None
            return Poll(queue, limit, visibility, now + seconds, is_long=seconds > 0, chance=chance)

        def look(now: float) -> list[Receipt]:
            receipts = self._polls.look(poll)
            for duplicate in call.effects(Duplicate):
                for receipt in receipts:
                    self.broker.stored(queue, now).duplicate(receipt.number, now, duplicate.after)
            return receipts

        poll = self._do(call, begin)
        while not (receipts := self._do(call, look)) and self.clock.now() < poll.until:
            await self._polls.wait(poll)
        await call.finish("done" if receipts else "empty")
        return receipts

    async def delete(
        self, queue: str, handles: Sequence[str], ids: Sequence[str] | None
    ) -> list[Refusal | None]:
        """Delete 1..10 messages by receipt handle."""
        call = await self._begin("delete", queue)

        def act(now: float) -> list[Refusal | None]:
            self.broker.stored(queue, now)
            if ids is not None:
                check_entries(ids)
            return call.act_on(handles, lambda some: self.broker.delete(queue, some, now))

        return await self._finish(call, act)

    async def change_visibility(
        self, queue: str, changes: Sequence[tuple[str, int]], ids: Sequence[str] | None
    ) -> list[Refusal | None]:
        """Change the visibility of 1..10 messages by (handle, seconds)."""
        call = await self._begin("change_visibility", queue)

        def act(now: float) -> list[Refusal | None]:
            self.broker.stored(queue, now)
            if ids is not None:
                check_entries(ids)
            return call.act_on(changes, lambda some: self.broker.change(queue, some, now))

        return await self._finish(call, act)

    def catch_up(self) -> None:
        """Do, and write into the ledger, what is due by now without a call."""
        self.broker.catch_up(self.clock.now())
        self._polls.wake()

    async def _begin(self, operation: str, queue: str) -> SimulatedCall:
        call = SimulatedCall(operation, queue, self.clock, self.faults, self.ledger)
        await call.begin()
        return call

    def _do(self, call: SimulatedCall, act: Callable[[float], T]) -> T:
        # Abandoned polls come first: they asked earlier.
        self._polls.wake()
        try:
            return call.act(act)
        finally:
            self._polls.wake()

    async def _finish(self, call: SimulatedCall, act: Callable[[float], T]) -> T:
        result = self._do(call, act)
        await call.finish()
        return result
