"""Queues for tests that need no whole shop."""

from streamapp.config import Config
from streamapp.messages import Queue
from streamapp.sqs.queue_setup import create_queues
from streamapp.testing import MemorySqs


async def create_sources(sqs: MemorySqs, *names: str, visibility: int) -> list[Queue]:
    """Create queues that agents receive from, as `queues create` does, with that visibility timeout in seconds."""
    await create_queues(sqs, Config(), sources=names, sinks=())
    return [await sqs.create(name, {"VisibilityTimeout": str(visibility)}) for name in names]
