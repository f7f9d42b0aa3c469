"""Divide messages into batches that SQS accepts."""

from collections.abc import Iterable, Iterator

from streamapp.messages import Outgoing
from streamapp.sqs.client import BATCH

MAX_BATCH_BYTES = 524_288
"""Bytes in one call: half of SQS's limit, because an emulator may count differently."""


def batches(messages: Iterable[Outgoing]) -> Iterator[list[Outgoing]]:
    """Return *messages* in order, at most ten and at most `MAX_BATCH_BYTES` in a batch.

    A message that is larger than that is a batch of its own.
    """
    batch: list[Outgoing] = []
    size = 0
    for message in messages:
        if batch and (len(batch) == BATCH or size + message.size > MAX_BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(message)
        size += message.size
    if batch:
        yield batch
