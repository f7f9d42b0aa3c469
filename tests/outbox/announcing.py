"""An announcer with one outbox, running on an SQS in memory."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from anyio import create_task_group

from streamapp.errors import ServiceError
from streamapp.flow.outage import Outage
from streamapp.messages import Outgoing, Queue
from streamapp.observe.counters import Counters
from streamapp.outbox.announcer import Announcer
from streamapp.outbox.sender import Sender
from streamapp.state.committer import Announcement, Place
from streamapp.state.store import Commit, Confirmed
from streamapp.testing import MemorySqs


class Confirmations:
    """A store that only notes what is confirmed; its other methods do nothing."""

    def __init__(self) -> None:
        self.confirmed: list[Confirmed] = []

    async def confirm(self, confirmed: Sequence[Confirmed]) -> None:
        """Note *confirmed*."""
        self.confirmed += confirmed

    async def ping(self) -> None:
        """Respond."""

    async def read(self, keys: Sequence[str]) -> list[dict[str, str] | ServiceError]:
        """Hold nothing."""
        return [{} for _ in keys]

    async def commit(self, commits: Sequence[Commit]) -> list[bool | ServiceError]:
        """Take everything."""
        return [True for _ in commits]

    async def add(self, members: Mapping[str, Sequence[str]], ttl: float) -> list[ServiceError | None]:
        """Hold nothing."""
        del ttl
        return [None for _ in members]

    async def members(self, key: str) -> set[str]:
        """Hold nothing."""
        del key
        return set()

    async def remove(self, key: str, members: Sequence[str]) -> None:
        """Hold nothing."""


class AnnouncerRig:
    """An announcer with one outbox, running."""

    def __init__(self, sqs: MemorySqs, queue: Queue) -> None:
        self.sqs = sqs
        self.queue = queue
        self.store = Confirmations()
        self.counters = Counters()
        outage = Outage("SQS", self.store.ping)
        self.outbox = Sender(sqs, queue, outage, self.counters)
        self.announcer = Announcer({queue.name: self.outbox}, self.store, outage)

    def owes(self, body: str, sequence: int = 1, key: str = "k") -> Announcement:
        """Return an announcement that a hash owes."""
        message = Outgoing(body, group=key, deduplication=body)
        return Announcement(
            Place(key, f"id-{body}", f"[{sequence},"), self.queue.name, sequence, message, None, 0.0, "m", 0.0
        )

    def bodies(self) -> list[str]:
        """Return what has arrived."""
        return self.sqs.bodies(self.queue)


@asynccontextmanager
async def announcing(
    attributes: dict[str, str] | None = None, name: str = "out"
) -> AsyncIterator[AnnouncerRig]:
    """Run an announcer on an SQS in memory."""
    sqs = MemorySqs()
    opened = AnnouncerRig(sqs, await sqs.create(name, attributes or {}))
    async with create_task_group() as tasks:
        await tasks.start(opened.outbox.batcher.run)
        await tasks.start(opened.announcer.confirmations.run)
        yield opened
        opened.outbox.batcher.close()
        opened.announcer.confirmations.close()
