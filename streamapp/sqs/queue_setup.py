"""Create the queues that an app needs, each source with a dead-letter queue."""

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from streamapp.config import Config
from streamapp.sqs.client import Sqs
from streamapp.sqs.names import queue_name
from streamapp.sqs.queue_flaws import fewest_receives

DLQ = "-dlq"
"""Ends the name of a dead-letter queue."""

VISIBILITY = 60
"""Seconds of visibility timeout: longer than the client's read timeout, short enough to wait for after a crash."""

DLQ_RETENTION = 14 * 86_400
"""Seconds that a dead letter is kept: SQS's maximum. It is above the source's, because a moved message keeps its age."""


@dataclass(frozen=True, slots=True)
class CreatedQueue:
    """A queue that exists now. A source has a dead-letter queue, which gets a message after *max_receives* receives."""

    name: str
    dead_letters: str | None = None
    max_receives: int | None = None


async def create_queues(
    sqs: Sqs, config: Config, *, sources: Iterable[str], sinks: Iterable[str]
) -> list[CreatedQueue]:
    """Create the queues of these streams, or set their attributes again; return them."""
    created = [await _create_source(sqs, config, stream) for stream in sources]
    for stream in sinks:
        name = queue_name(config.queue(stream))
        await sqs.create(name, _kind(name))
        created.append(CreatedQueue(name))
    return created


async def _create_source(sqs: Sqs, config: Config, stream: str) -> CreatedQueue:
    name = queue_name(config.queue(stream))
    receives = fewest_receives(config)
    letters = await sqs.create(_dlq(name), _kind(name) | {"MessageRetentionPeriod": str(DLQ_RETENTION)})
    arn = (await sqs.attributes(letters))["QueueArn"]
    redrive = msgspec.json.encode({"deadLetterTargetArn": arn, "maxReceiveCount": receives}).decode()
    await sqs.create(name, _kind(name) | {"RedrivePolicy": redrive, "VisibilityTimeout": str(VISIBILITY)})
    return CreatedQueue(name, letters.name, receives)


def _dlq(name: str) -> str:
    return f"{name.removesuffix('.fifo')}{DLQ}.fifo" if name.endswith(".fifo") else name + DLQ


def _kind(name: str) -> dict[str, str]:
    return {"FifoQueue": "true"} if name.endswith(".fifo") else {}
