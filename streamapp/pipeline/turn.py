"""The turn of one instance of an agent: take a delivery, give out its events, end it."""

import time
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, Generic, TypeVar

from anyio import CancelScope, current_time, get_cancelled_exc_class, get_current_task, sleep
from anyio.lowlevel import checkpoint_if_cancelled

from streamapp.errors import CutOff, Decision, Panic, Skip, StreamappError, contained
from streamapp.flow.deadline import Deadline
from streamapp.messages import Delivery
from streamapp.pipeline.handoff import Handoff
from streamapp.pipeline.in_hand import CURRENT, InHand, Seat
from streamapp.pipeline.leases import Lease
from streamapp.pipeline.parts import Parts
from streamapp.pipeline.runtime import Runtime
from streamapp.pipeline.settler import Settler
from streamapp_codecs import Decoded, DecodeError, Decoder, Origin

T = TypeVar("T")


class NotInBatch(StreamappError):
    """A decision on an event that is not in the batch that is in hand."""

    def __init__(self, event: object) -> None:
        super().__init__(
            f"a {type(event).__name__} is not in the batch in hand: decide on the events that the batch gave, "
            "before the next batch is asked for"
        )


class EventFailed(StreamappError):
    """An agent failed one event of a batch, and gave no error."""


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
        self._broken: BaseException | None = None
        self._parts = Parts()
        self._next: Lease | None = None
        self._is_working = self._is_alone = self._is_draining = False
        self._pause = CancelScope()
        self._scope: CancelScope | None = None
        self.asked = 0
        """How many times the agent has asked for something."""
        self._is_closed = False

    @property
    def is_ended(self) -> bool:
        """Whether nothing will come any more."""
        return self._is_closed and not self._parts.waiting and self._next is None

    @property
    def is_rehearsal(self) -> bool:
        """Whether nothing that the agent does here is written or sent."""
        return self._runtime.is_rehearsal

    @property
    def is_batch(self) -> bool:
        """Whether more than one message is in hand."""
        return len(self._in_hand.leases) > 1

    @property
    def message_ids(self) -> list[str]:
        """The ids of the messages in hand."""
        return [lease.delivery.message_id for lease in self._in_hand.leases]

    async def next_event(self) -> T:
        """End what is in hand as done, and return the next event. Raises `StopAsyncIteration` when no more will come."""
        self.asked += 1
        self.deadline.stop()
        if self._broken is not None:
            await self.fail(contained(self._broken))
        try:
            await self.succeed()
            if not (self._rest or await (self._open_part(1) if self._parts.waiting else self._open_next())):
                raise StopAsyncIteration  # noqa: TRY301 - the end of the stream breaks nothing
        except BaseException as error:
            self._note_broken(error)
            raise
        if not self._begin():
            await self._wait_to_begin()
        self.deadline.start()
        return self._rest.popleft()

    async def next_batch(self, n: int, within: float) -> list[T]:
        """End what is in hand as done, and return the next 1..*n* events; none when the stream has ended.

        They are those that come within *within* seconds of the first, or a part of a batch that failed.
        """
        self.asked += 1
        self.deadline.stop()
        if self._broken is not None:
            await self.fail(contained(self._broken))
        try:
            await self.succeed()
            if not (self._rest or await self._open_batch(n, within)):
                return []
        except BaseException as error:
            self._note_broken(error)
            raise
        if not self._begin():
            await self._wait_to_begin()
        self.deadline.start()
        return [self._rest.popleft() for _ in range(min(n, len(self._rest)))]

    async def _open_batch(self, n: int, within: float) -> bool:
        """Take the next *n* events at most into hand; False when the stream has ended."""
        if self._parts.waiting:
            return await self._open_part(n)
        if not await self._open_next():
            return False
        if not self._is_spent(next(iter(self._in_hand.leases))):
            until = current_time() + within
            while len(self._rest) < n and not self._has_all() and await self._open_next(until):
                pass
        return True

    def _note_broken(self, error: BaseException) -> None:
        """Note that what is in hand can be neither given out nor ended. An agent that goes on has not done it."""
        if not isinstance(error, (StopAsyncIteration, get_cancelled_exc_class())):
            self._broken = error

    def decide(self, event: T, decision: Exception) -> None:
        """End the message of *event*, one of the batch in hand, as *decision* says, and the others as the batch ends.

        A skip counts only for a message whose single event this is. Raises `NotInBatch`.
        """
        origins = self._in_hand.origins(event)
        if not origins:
            raise NotInBatch(event)
        for lease, _ in origins:
            if not (isinstance(decision, Skip) and lease.decoded and len(lease.decoded.events) > 1):
                self._in_hand.decisions[lease] = decision

    def drain(self) -> None:
        """Wait no more before failed parts are tried again: the worker drains."""
        self._is_draining = True
        self._pause.cancel("the worker drains")

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

        An effect that nobody awaits is waited for. Raises its error too, and what the agent swallowed before: an error
        of ours, or its own cancellation.
        """
        if self._broken is not None:
            raise self._broken
        in_hand = self._in_hand
        if (in_hand.leases or in_hand.owed) and not self._rest:
            # The agent is done; how long the rest takes is not its fault.
            self.deadline.stop()
            if self._scope is not None and (self._scope.cancel_called or self._is_draining):
                await checkpoint_if_cancelled()
            if (in_hand.begun or in_hand.pending) and in_hand.has_unfinished():
                await in_hand.finish()
            in_hand.is_closed = True
            if in_hand.is_cut:
                raise CutOff
            if in_hand.decisions and self.is_batch:
                self._set_apart()
            await self._settler.succeed(in_hand)
            if self._parts.current is not None:
                self._parts.done()
            self._forget()

    async def fail(self, error: Exception) -> None:
        """End what is in hand as *error* says. If this is cancelled, what has not ended is still in hand.

        An error of a batch says nothing about its single messages: they are tried again, in smaller parts.
        """
        self._rest.clear()
        # The agent is done; how long the rest takes is not its fault.
        self.deadline.stop()
        if self._process is not None:
            self._process.fail(error)
        if self._in_hand.owed or self._in_hand.has_unfinished():
            error = await self._announce_before(error)
        leases = self._in_hand.leases
        if not self._is_working and len(leases) == 1:
            (lease,) = leases
            lease.attempts += 1  # its codec raised, before the agent began
        self._parts.failed(list(leases), type(error).__name__)
        if len(leases) > 1:
            leases.clear()
        while leases:
            lease = next(iter(leases))
            await self._settler.fail(lease, error, self._in_hand)
            del leases[lease]
        self._forget()

    def cut_off(self) -> None:
        """Release what is lost, and try again what was in company with it."""
        kept = [lease for lease in self._in_hand.leases if not lease.is_lost]
        if kept and self.is_batch:
            for lease in kept:
                del self._in_hand.leases[lease]
            self._parts.add(kept)
        self._release(self._in_hand.leases)

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
        waiting = self._parts.clear()
        if self._next is not None:
            waiting.append(self._next)
            self._next = None
        self._release([*self._in_hand.leases, *waiting])

    def _release(self, leases: Iterable[Lease]) -> None:
        if self._is_working and not self.is_batch:
            for lease in self._in_hand.leases:
                # The worker cut it off itself, which says nothing about the message.
                lease.attempts = max(0, lease.attempts - 1)
        for lease in leases:
            self._settler.acks.release(lease)
        if self._process is not None:
            self._process.fail("released")
        self._forget()

    def _set_apart(self) -> None:
        """Take out of hand each message that the agent failed in company: it is tried again, alone."""
        for lease, decision in list(self._in_hand.decisions.items()):
            if lease in self._in_hand.leases and not isinstance(decision, Decision):
                del self._in_hand.leases[lease], self._in_hand.decisions[lease]
                self._parts.add([lease])

    def _is_spent(self, lease: Lease) -> bool:
        """Whether the receive count says that the attempts are spent: then the message is run once more, alone."""
        return lease.is_assumed and lease.attempts >= self._settler.max_attempts

    def _has_all(self) -> bool:
        """Whether all places of the agent are in hand here, so that nothing more can come."""
        return len(self._in_hand.leases) >= self._settler.acks.places

    def _begin(self) -> bool:
        """Begin the attempt at what is in hand; False if it has to wait, as `_wait_to_begin` does."""
        if not self._is_working:
            leases = self._in_hand.leases
            if len(leases) == 1:
                (lease,) = leases
                if lease.is_assumed:
                    self._is_alone = self._is_spent(lease)
                lease.attempts += 1
            solitude = self._runtime.solitude
            if solitude.is_taken or self._is_alone:
                return False
            solitude.working += 1
            self._is_working = True
        if self._process is not None:
            self._trace()
        return True

    async def _wait_to_begin(self) -> None:
        """Begin once that is possible: a message that may end the process is alone in it."""
        if self._is_alone:
            await self._runtime.solitude.enter_alone()
        else:
            await self._runtime.solitude.enter()
        self._is_working = True
        self._trace()

    async def _open_part(self, n: int) -> bool:
        """Take the next part of a failed batch into hand, else the next delivery; False when the stream has ended."""
        while self._parts.waiting:
            if self._parts.is_pause_due and not self._is_draining:
                with CancelScope() as self._pause:
                    await sleep(self._settler.pause(1))
            leases = self._parts.begin()
            if len(leases) > n:
                # The agent asks for single events now.
                for lease in leases[n:]:
                    self._parts.add([lease])
                del leases[n:]
            for lease in leases:
                if lease.is_lost:
                    self._settler.acks.release(lease)
                else:
                    self._hold(lease)
            if self._in_hand.leases:
                return True
            self._parts.done()
        return await self._open_next()

    def _hold(self, lease: Lease) -> None:
        in_hand = self._in_hand
        leases = in_hand.leases
        if leases:
            in_hand.is_batch = True
        lease.scope = self._scope
        lease.begun_at = time.time()
        leases[lease] = None  # before a codec that raises, so that it fails this message
        decoded: Decoded[Any] | None = lease.decoded
        if decoded is None:
            lease.decoded = decoded = self._decode(lease.delivery)
        if decoded.error is not None:
            leases[lease] = decoded.error
        self._rest.extend(decoded.events)

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
            if self._in_hand.leases and self._is_spent(lease):
                self._next = lease  # it is run alone
                return False
            self._hold(lease)
            if lease.decoded and lease.decoded.events:
                return True
            await self._end_empty(lease, self._in_hand.leases[lease])

    async def _take(self, until: float | None) -> Lease | None:
        lease = self._next
        if lease is not None:
            self._next = None
        elif until is None:
            lease = await self._handoff.take()
            self._is_closed = lease is None
        else:
            lease = await self._handoff.take_company(len(self._in_hand.leases), until)
            self._is_closed = lease is None and self._handoff.is_closed
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
        except Exception:
            raise
        except BaseException as error:
            # It is no cancellation either.
            raise contained(error) from error

    async def _end_empty(self, lease: Lease, error: DecodeError | None) -> None:
        if error is None:
            self._settler.delete(lease, "skipped")
        else:
            await self._settler.bury_undecodable(lease, error)
        del self._in_hand.leases[lease]
        self._in_hand.is_batch = self.is_batch  # it was nobody's company

    def _trace(self) -> None:
        """Record in the trace that from now on the agent processes what is in hand."""
        if self._process is not None:
            self._process.take([lease.delivery for lease in self._in_hand.leases])
            for error in self._in_hand.leases.values():
                if error is not None:
                    self._process.fail(error.reason)

    def _forget(self) -> None:
        self._rest.clear()
        self._broken = None
        if self._process is not None:
            self._process.end({done.key for done in self._in_hand.updates})
        # What still runs for the event may not add to it any more.
        self._in_hand.is_closed = True
        self._in_hand = self._seat.in_hand = InHand(self._runtime, self.deadline, seat=self._seat)
        CURRENT.set(self._in_hand)
        if self._is_working:
            self._is_working = False
            if self._is_alone:
                self._is_alone = False
                self._runtime.solitude.leave_alone()
            else:
                solitude = self._runtime.solitude
                solitude.working -= 1
                if solitude.is_taken:
                    solitude.ring()
