"""Typed destination queues."""

from collections.abc import Callable, Coroutine
from typing import Any, Generic, Protocol, TypeVar

from streamapp.pipeline.in_hand import InHand, current_in_hand
from streamapp.state.destination import Destination

M = TypeVar("M")
M_contra = TypeVar("M_contra", contravariant=True)


class Encoder(Protocol[M_contra]):
    """What a sink encodes with."""

    def encode(self, value: M_contra) -> str:
        """Return *value* as text."""
        ...


class Sink(Generic[M]):
    """Messages of one type for one queue.

    *identity* returns what makes two messages the same: it is the deduplication id on a FIFO queue, and the id of an
    announcement until that is sent. By default it is the hash of group and body, so the same content has the same id.
    """

    def __init__(self, queue: str, codec: Encoder[M], identity: Callable[[M], str] | None = None) -> None:
        self.codec = codec
        self.destination = Destination(queue, codec.encode, identity)
        """Where its messages go."""

    @property
    def queue(self) -> str:
        """The stream that it sends to."""
        return self.destination.stream

    def __repr__(self) -> str:
        return f"<Sink {self.queue}>"

    def send(self, message: M, *, group: str | None = None) -> Coroutine[Any, Any, None]:
        """Send *message*, with others in one call, and return when SQS has accepted it.

        Only then is the event's own message deleted. On a FIFO queue, *message* is in *group*. Raises `Refused` if SQS
        will never accept it.
        """
        in_hand = current_in_hand(self)
        return in_hand.begin(self._send(in_hand, message, group), self)

    async def _send(self, in_hand: InHand, message: M, group: str | None) -> None:
        _, outgoing = self.destination.outgoing(message, group or "all")
        with in_hand.effect():
            outbox = in_hand.runtime.senders[self.queue]
            await outbox.batcher.submit(outbox.with_trace(outgoing))
