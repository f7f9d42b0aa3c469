"""Cut messages into calls that SQS takes."""

from collections.abc import Iterable, Iterator

from streamapp.messages import Outgoing
from streamapp.sqs.client import BATCH

MOST_BYTES = 524_288
"""Bytes in one call: half of SQS's limit, since an emulator may count otherwise."""


def packed(messages: Iterable[Outgoing]) -> Iterator[list[Outgoing]]:
    """Return *messages* in their order, at most ten and at most `MOST_BYTES` together, one alone whatever its size."""
    batch: list[Outgoing] = []
    size = 0
    for message in messages:
        if batch and (len(batch) == BATCH or size + message.size > MOST_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(message)
        size += message.size
    if batch:
        yield batch
