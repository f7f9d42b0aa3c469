"""Put a hook around the SQS calls that move messages, for example to measure or trace them."""

from collections.abc import Coroutine, Mapping, Sequence
from typing import Any, Literal, Protocol, TypeVar

from streamapp.messages import Delivery, Outgoing, Queue
from streamapp.sqs.client import Failure, Sqs

T = TypeVar("T", Delivery, Failure | None)

Operation = Literal["receive", "send", "delete", "change_visibility"]
"""A call that moves messages."""

Call = Coroutine[Any, Any, list[T]]


class Around(Protocol):
    """Makes one call, and does something before or after it."""

    async def __call__(
        self, queue: Queue, operation: Operation, entries: Sequence[object], call: Call[T]
    ) -> list[T]:
        """Await *call*, and return what it returns. *entries* are those of the batch; a receive has none."""
        ...


def around(sqs: Sqs, hook: Around) -> Sqs:
    """Return *sqs* with *hook* around each call that moves messages; its other calls are unchanged."""
    return _AroundSqs(sqs, hook)  # pyright: ignore[reportReturnType]  # it asks for `async def`


class _AroundSqs:
    # None of these methods is `async`: each returns the coroutine of the hook or of the SQS below. So a call does not
    # pay for a coroutine of this layer as well.

    def __init__(self, sqs: Sqs, hook: Around) -> None:
        self._sqs = sqs
        self._hook = hook

    def find(self, name: str) -> Coroutine[Any, Any, Queue]:
        return self._sqs.find(name)

    def receive(
        self, queue: Queue, *, limit: int, wait: float, visibility: int | None = None
    ) -> Coroutine[Any, Any, list[Delivery]]:
        call = self._sqs.receive(queue, limit=limit, wait=wait, visibility=visibility)
        return self._hook(queue, "receive", (), call)

    def send(self, queue: Queue, messages: Sequence[Outgoing]) -> Coroutine[Any, Any, list[Failure | None]]:
        return self._hook(queue, "send", messages, self._sqs.send(queue, messages))

    def delete(self, queue: Queue, handles: Sequence[str]) -> Coroutine[Any, Any, list[Failure | None]]:
        return self._hook(queue, "delete", handles, self._sqs.delete(queue, handles))

    def change_visibility(
        self, queue: Queue, changes: Sequence[tuple[str, int]]
    ) -> Coroutine[Any, Any, list[Failure | None]]:
        call = self._sqs.change_visibility(queue, changes)
        return self._hook(queue, "change_visibility", changes, call)

    def create(self, name: str, attributes: Mapping[str, str]) -> Coroutine[Any, Any, Queue]:
        return self._sqs.create(name, attributes)

    def attributes(self, queue: Queue) -> Coroutine[Any, Any, dict[str, str]]:
        return self._sqs.attributes(queue)
