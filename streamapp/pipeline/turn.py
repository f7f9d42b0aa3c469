"""The turn of one instance of an agent: take a delivery, give out its events, end it."""

import time
from collections import deque
from contextlib import suppress
from typing import Generic, TypeVar

from anyio import CancelScope, current_time, get_current_task

from streamapp.errors import CutOff, Panic
from streamapp.flow.deadline import Deadline
from streamapp.messages import Delivery
from streamapp.pipeline.handoff import Handoff
from streamapp.pipeline.in_hand import CURRENT, InHand, Seat
from streamapp.pipeline.leases import Lease
from streamapp.pipeline.runtime import Runtime
from streamapp.pipeline.settler import Settler
from streamapp_codecs import Decoded, DecodeError, Decoder, Origin

T = TypeVar("T")


class Turn(Generic[T]):
    """Takes deliveries of *stream* for one instance, gives its agent their events, and ends what is in hand."""

    def __init__(
        self,
        stream: str,
        codec: Decoder[T],
        handoff: Handoff,
        settler: Settler,
        runtime: Runtime,
        timeout: float | None = None,
    ) -> None:
        self.stream = stream
        self._codec = codec
        self._handoff = handoff
        self._settler = settler
        self._runtime = runtime
        self.deadline = Deadline(timeout)
        """How long the agent may still take over what it has."""
        self.task_id = get_current_task().id
        """The task in which the agent runs."""
        self._in_hand = InHand(runtime, self.deadline)
        self._in_hand.seat = self._seat = Seat(self.task_id, self._in_hand)
        CURRENT.set(self._in_hand)
        self._process = runtime.tracing.process() if runtime.tracing else None
        self._rest: deque[T] = deque()
        self._scope: CancelScope | None = None
        self.asked = 0
        """How many times the agent has asked for something."""
        self.is_ended = False
        """Whether nothing will come any more."""

    @property
    def message_ids(self) -> list[str]:
        """The ids of the messages in hand."""
        return [lease.delivery.message_id for lease in self._in_hand.leases]

    async def next_event(self) -> T:
        """End what is in hand as done, and return the next event. Raises `StopAsyncIteration` when no more will come."""
        self.asked += 1
        self.deadline.stop()
        if not self._rest:
            await self.succeed()
            if not await self._open_next():
                raise StopAsyncIteration
            self._trace()
        self.deadline.start()
        return self._rest.popleft()

    async def next_batch(self, n: int, within: float) -> list[T]:
        """End what is in hand as done, and return the next 1..*n* events; none when the stream has ended.

        They are those that come within *within* seconds of the first.
        """
        self.asked += 1
        self.deadline.stop()
        await self.succeed()
        if not self._rest and not await self._open_next():
            return []
        until = current_time() + within
        while len(self._rest) < n and await self._open_next(until):
            pass
        self._trace()
        self.deadline.start()
        return [self._rest.popleft() for _ in range(min(n, len(self._rest)))]

    def watch(self, scope: CancelScope) -> None:
        """Cancel *scope* when the lease of what is in hand is lost, or the agent takes too long."""
        self._scope = scope
        self.deadline.watch(scope)
        for lease in self._in_hand.leases:
            lease.scope = scope

    def skip(self) -> None:
        """Note that the agent skipped the event that it has."""
        self._in_hand.is_skipped = bool(self._in_hand.leases)

    async def succeed(self) -> None:
        """End what is in hand as done, unless events of it are still to be given out. Raises `CutOff`.

        An effect that nobody awaits is waited for. Raises its error too.
        """
        in_hand = self._in_hand
        if (in_hand.leases or in_hand.owed) and not self._rest:
            # The agent is done; how long the rest takes is not its fault.
            self.deadline.stop()
            if (in_hand.begun or in_hand.pending) and in_hand.has_unfinished():
                await in_hand.finish()
            in_hand.is_closed = True
            if in_hand.is_cut:
                raise CutOff
            await self._settler.succeed(in_hand)
            self._forget()

    async def fail(self, error: Exception) -> None:
        """End what is in hand as *error* says. If this is cancelled, what has not ended is still in hand."""
        self._rest.clear()
        # The agent is done; how long the rest takes is not its fault.
        self.deadline.stop()
        if self._process is not None:
            self._process.fail(error)
        if self._in_hand.owed or self._in_hand.has_unfinished():
            error = await self._announce_before(error)
        leases = self._in_hand.leases
        while leases:
            lease = next(iter(leases))
            await self._settler.fail(lease, error, self._in_hand)
            del leases[lease]
        self._forget()

    async def _announce_before(self, error: Exception) -> Exception:
        """Send what the updates before *error* announced: nothing may bring the message again that would send it.

        Return the error that ends what is in hand: that of the sending, if that fails.
        """
        with suppress(Exception):  # the message fails as it is
            await self._in_hand.finish()
        self._in_hand.is_closed = True
        try:
            await self._settler.announce(self._in_hand)
        except Exception as failure:  # noqa: BLE001 - whatever it is, what is owed must be tried again
            return failure
        return error

    def release(self) -> None:
        """Give back at once what is in hand, so that another worker can take it."""
        for lease in self._in_hand.leases:
            self._settler.acks.release(lease)
        if self._process is not None:
            self._process.fail("released")
        self._forget()

    async def _open_next(self, until: float | None = None) -> bool:
        """Take the next delivery that holds an event into hand, and end those before it that hold none.

        Return False when the stream has ended, or none came before *until* (monotonic).
        """
        while True:
            lease = await self._take(until)
            if lease is None:
                return False
            if lease.is_lost:  # while it waited here; only those behind it in its group are released
                self._settler.acks.release(lease)
                continue
            if lease.was_processed:
                self._settler.delete(lease, "duplicate")
                continue
            lease.scope = self._scope
            self._in_hand.is_batch = bool(self._in_hand.leases)
            self._in_hand.leases[lease] = None
            lease.begun_at = time.time()
            lease.decoded = decoded = self._decode(lease.delivery)
            self._in_hand.leases[lease] = decoded.error
            if decoded.events:
                self._rest.extend(decoded.events)
                return True
            await self._end_empty(lease, decoded.error)

    async def _take(self, until: float | None) -> Lease | None:
        lease = None
        if until is None:
            lease = await self._handoff.take()
            self.is_ended = lease is None
        else:
            with CancelScope(deadline=until):
                lease = await self._handoff.take()
                self.is_ended = lease is None
        return lease

    def _decode(self, delivery: Delivery) -> Decoded[T]:
        try:
            return self._codec.decode(
                delivery.body,
                Origin(
                    queue=self.stream,
                    message_id=delivery.message_id,
                    sent_at=delivery.sent_at,
                    attributes=delivery.attributes,
                    zone=self._runtime.config.naive_tz,
                ),
            )
        except StopAsyncIteration as error:
            # An `async for` would take it for the end of the stream, and the message would be done.
            raise Panic(error) from error

    async def _end_empty(self, lease: Lease, error: DecodeError | None) -> None:
        if error is None:
            self._settler.delete(lease, "skipped")
        else:
            await self._settler.bury_undecodable(lease, error, self._in_hand)
        del self._in_hand.leases[lease]

    def _trace(self) -> None:
        """Record in the trace that from now on the agent processes what is in hand."""
        if self._process is not None:
            self._process.take([lease.delivery for lease in self._in_hand.leases])
            for error in self._in_hand.leases.values():
                if error is not None:
                    self._process.fail(error.reason)

    def _forget(self) -> None:
        self._rest.clear()
        if self._process is not None:
            self._process.end({done.key for done in self._in_hand.updates})
        # What still runs for the event may not add to it any more.
        self._in_hand.is_closed = True
        self._in_hand = self._seat.in_hand = InHand(self._runtime, self.deadline, seat=self._seat)
        CURRENT.set(self._in_hand)
