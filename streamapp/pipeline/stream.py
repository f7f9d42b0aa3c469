"""What an agent iterates: events, and with each further one the settling of the last."""

import time
from collections import deque
from typing import Generic, TypeVar

from anyio import CancelScope, current_time

from streamapp.errors import Crowded, CutOff
from streamapp.flow.deadline import Deadline
from streamapp.messages import Delivery
from streamapp.pipeline.handoff import Handoff
from streamapp.pipeline.leases import Lease
from streamapp.pipeline.runtime import Runtime
from streamapp.pipeline.settler import Settler
from streamapp.pipeline.work import CURRENT, InHand
from streamapp_codecs import Decoded, DecodeError, Decoder, Origin

T = TypeVar("T")


class Stream(Generic[T]):
    """The events of one queue, shared with the other instances of the agent.

    Asking for the next event says that the last one is done: what it owes is sent, and its message is deleted.
    The stream ends when the worker drains.
    """

    def __init__(
        self,
        name: str,
        codec: Decoder[T],
        feed: Handoff,
        settler: Settler,
        runtime: Runtime,
        timeout: float | None = None,
    ) -> None:
        self.name = name
        self._codec = codec
        self._feed = feed
        self._settler = settler
        self._runtime = runtime
        self.timeout = Deadline(timeout)
        """How long the agent may still take over what it has."""
        self._work = InHand(runtime, self.timeout)
        CURRENT.set(self._work)
        self._process = runtime.tracing.process() if runtime.tracing else None
        self._rest: deque[T] = deque()
        self._scope: CancelScope | None = None
        self.asked = 0
        """How many times the agent has asked for something."""
        self.is_ended = False
        """Whether nothing will come any more."""

    def __aiter__(self) -> "Stream[T]":
        return self

    async def __anext__(self) -> T:
        """Settle the last event and answer the next."""
        self.asked += 1
        self.timeout.stop()
        if not self._rest:
            await self.settle()
            if not await self._open_next():
                raise StopAsyncIteration
            self._trace()
        self.timeout.start()
        return self._rest.popleft()

    def take(self, n: int, *, within: float) -> "Batches[T]":
        """Iterate lists of 1..*n* events: what came within *within* seconds of the first, settled together."""
        return Batches(self, n, within)

    async def next_batch(self, n: int, within: float) -> list[T]:
        """Settle the last events and answer the next 1..*n*; none when the stream has ended."""
        self.asked += 1
        self.timeout.stop()
        await self.settle()
        if not self._rest and not await self._open_next():
            return []
        deadline = current_time() + within
        while len(self._rest) < n and await self._open_next(deadline):
            pass
        self._trace()
        self.timeout.start()
        return [self._rest.popleft() for _ in range(min(n, len(self._rest)))]

    def watch(self, scope: CancelScope) -> None:
        """Have *scope* cancelled when the lease of what is in hand is lost, or the agent takes too long."""
        self._scope = scope
        self.timeout.watch(scope)
        for lease in self._work.leases:
            lease.scope = scope

    @property
    def message_ids(self) -> list[str]:
        """The ids of the messages in hand."""
        return [lease.delivery.message_id for lease in self._work.leases]

    def skip(self) -> None:
        """Take note that the agent skipped the event that it has."""
        self._work.is_skipped = bool(self._work.leases)

    async def settle(self) -> None:
        """End well what is in hand, unless events of it are still to come. Raises `CutOff`."""
        if (self._work.leases or self._work.owed) and not self._rest:
            # The agent is done; how long the rest takes is not its fault.
            self.timeout.stop()
            if self._work.is_cut:
                raise CutOff
            await self._settler.succeed(self._work)
            self._forget()

    async def fail(self, error: Exception) -> None:
        """End what is in hand as *error* says; whoever is cut off here still has in hand what is left."""
        self._rest.clear()
        # However long it takes to say so is not the agent's fault.
        self.timeout.stop()
        if self._process is not None:
            self._process.fail(error)
        if isinstance(error, Crowded):
            # The events before it are committed, and what they announced must go before there is room again.
            await self._settler.announce(self._work)
        leases = self._work.leases
        while leases:
            lease = next(iter(leases))
            await self._settler.fail(lease, error, self._work)
            del leases[lease]
        self._forget()

    def release(self) -> None:
        """Give back what is in hand at once: somebody else can have it."""
        for lease in self._work.leases:
            self._settler.give_back(lease, 0, "released")
        if self._process is not None:
            self._process.fail("released")
        self._forget()

    async def _open_next(self, deadline: float | None = None) -> bool:
        """Take the next delivery that holds an event into hand, and end those before it that hold none.

        False when the stream has ended, or none came before *deadline*.
        """
        while True:
            lease = await self._receive(deadline)
            if lease is None:
                return False
            if lease.is_lost:  # while it waited here
                self._settler.give_back(lease, 0, "released")
                continue
            lease.scope = self._scope
            self._work.is_batch = bool(self._work.leases)
            self._work.leases[lease] = None
            lease.begun_at = time.time()
            lease.decoded = decoded = self._decode(lease.delivery)
            self._work.leases[lease] = decoded.error
            if decoded.events:
                self._rest.extend(decoded.events)
                return True
            await self._end_empty(lease, decoded.error)

    async def _receive(self, deadline: float | None) -> Lease | None:
        lease = None
        if deadline is None:
            lease = await self._feed.take()
            self.is_ended = lease is None
        else:
            with CancelScope(deadline=deadline):
                lease = await self._feed.take()
                self.is_ended = lease is None
        return lease

    def _decode(self, delivery: Delivery) -> Decoded[T]:
        return self._codec.decode(
            delivery.body,
            Origin(
                queue=self.name,
                message_id=delivery.message_id,
                sent_at=delivery.sent_at,
                attributes=delivery.attributes,
                zone=self._runtime.config.naive_tz,
            ),
        )

    async def _end_empty(self, lease: Lease, error: DecodeError | None) -> None:
        if error is None:
            self._settler.delete(lease, "skipped")
        else:
            await self._settler.refuse(lease, error, self._work)
        del self._work.leases[lease]

    def _trace(self) -> None:
        """Let what the agent does from now on be seen as the processing of what is in hand."""
        if self._process is not None:
            self._process.take([lease.delivery for lease in self._work.leases])
            for error in self._work.leases.values():
                if error is not None:
                    self._process.fail(error.reason)

    def _forget(self) -> None:
        self._rest.clear()
        if self._process is not None:
            self._process.end({done.key for done in self._work.updates})
        self._work = InHand(self._runtime, self.timeout)
        CURRENT.set(self._work)


class Batches(Generic[T]):
    """Lists of events of one stream; asking for the next settles the last."""

    def __init__(self, stream: Stream[T], n: int, within: float) -> None:
        self._stream = stream
        self._n = n
        self._within = within

    def __aiter__(self) -> "Batches[T]":
        return self

    async def __anext__(self) -> list[T]:
        """Settle the last events and answer the next ones."""
        events = await self._stream.next_batch(self._n, self._within)
        if not events:
            raise StopAsyncIteration
        return events
