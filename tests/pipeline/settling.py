"""A settler and its acks on a queue in memory, and leases for them to end."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from anyio import create_task_group

from streamapp.flow.outage import Outage
from streamapp.messages import Outgoing, Queue
from streamapp.observe.counters import Counters
from streamapp.outbox.announcer import Announcer
from streamapp.outbox.sender import Sender
from streamapp.pipeline.acks import Acks
from streamapp.pipeline.handoff import Handoff
from streamapp.pipeline.leases import Lease, Leases
from streamapp.pipeline.settler import Settler
from streamapp.pipeline.tokens import Tokens
from streamapp.testing import MemorySqs, MemoryStore


class SettlerRig:
    """A settler on a queue in memory, and leases to end."""

    def __init__(self, sqs: MemorySqs, queue: Queue, dead: Queue | None, attempts: int) -> None:
        self.sqs = sqs
        self.queue = queue
        self.dead = dead
        self.counters = Counters()
        self.tokens = Tokens(20)
        self.leases = Leases(sqs, queue, self.tokens, self.counters)
        outage = Outage("SQS", lambda: sqs.attributes(queue))
        self.letters = Sender(sqs, dead, outage, self.counters) if dead else None
        self.handoff = Handoff(fifo=True)
        self.acks = Acks(sqs, queue, self.leases, self.handoff, self.counters)
        announcer = Announcer({}, MemoryStore(), outage)
        self.settler = Settler(
            queue,
            self.acks,
            self.letters,
            announcer,
            self.handoff,
            self.counters,
            max_attempts=attempts,
            backoff=100,
        )

    async def receive(self, *messages: Outgoing) -> list[Lease]:
        """Send and receive *messages*, and return their leases."""
        await self.sqs.send(self.queue, messages)
        deliveries = await self.sqs.receive(self.queue, limit=10, wait=0)
        await self.tokens.take(len(deliveries))
        return [lease for each in deliveries if (lease := self.leases.take(each))]

    def take_again(self, *leases: Lease) -> list[Lease]:
        """Return new leases of the messages of *leases*."""
        return [again for lease in leases if (again := self.leases.take(lease.delivery))]

    def is_over(self) -> bool:
        """Whether nothing is in hand."""
        return len(self.leases) == 0 and self.tokens.free == 20


@asynccontextmanager
async def settling(*, dead: bool = True, attempts: int = 5) -> AsyncIterator[SettlerRig]:
    """Run a settler's batchers; all is flushed at the end."""
    sqs = MemorySqs()
    queue = await sqs.create("orders", {})
    it = SettlerRig(sqs, queue, await sqs.create("dead", {}) if dead else None, attempts)
    batchers = [it.acks.deletes, it.acks.releases]
    async with create_task_group() as tasks:
        for batcher in batchers:
            await tasks.start(batcher.run)
        if it.letters is not None:
            await tasks.start(it.letters.batcher.run)
        yield it
        for batcher in batchers:
            batcher.close()
        if it.letters is not None:
            it.letters.batcher.close()
