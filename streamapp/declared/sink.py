"""Typed destination queues."""

import hashlib
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from streamapp.messages import Outgoing
from streamapp.pipeline.work import current_in_hand

M = TypeVar("M")
M_contra = TypeVar("M_contra", contravariant=True)


class Encoder(Protocol[M_contra]):
    """What a sink encodes with."""

    def encode(self, value: M_contra) -> str:
        """Return *value* as text."""
        ...


class Sink(Generic[M]):
    """Messages of one type for one queue.

    *identity* answers what makes two messages the same: the deduplication id on a FIFO queue, and the id of an
    announcement until it is sent. By default it is the hash of group and body, so same content, same id.
    """

    def __init__(self, queue: str, codec: Encoder[M], identity: Callable[[M], str] | None = None) -> None:
        self.queue = queue
        self.codec = codec
        self._identity = identity

    def __repr__(self) -> str:
        return f"<Sink {self.queue}>"

    async def send(self, message: M, *, group: str | None = None) -> None:
        """Return when SQS has accepted *message*: with others in one call, before the event's message is deleted.

        *group* is its group on a FIFO queue. Raises `Refused` when SQS will never take it.
        """
        work = current_in_hand(self)
        _, outgoing = self.outgoing(message, group or "all")
        with work.effect():
            outbox = work.runtime.outboxes[self.queue]
            await outbox.batcher.submit(outbox.laden(outgoing))

    def outgoing(self, message: M, group: str) -> tuple[str, Outgoing]:
        """Return the identity of *message* and what is to be sent."""
        body = self.codec.encode(message)
        identity = self._identity(message) if self._identity else _digest(group, body)
        return identity, Outgoing(body, group=group, deduplication=identity)


def _digest(group: str, body: str) -> str:
    return hashlib.sha256(f"{group}\0{body}".encode()).hexdigest()
