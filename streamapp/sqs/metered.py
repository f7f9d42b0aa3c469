"""An SQS whose calls that move messages are measured."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeVar

from anyio import current_time

from streamapp.errors import ServiceError
from streamapp.messages import Delivery, Outgoing, Queue
from streamapp.sqs.client import Failure, Sqs

T = TypeVar("T")

Note = Callable[[Queue, str, float, str], None]
"""Takes note of one call: its queue, operation, seconds, and the class of its failure ("" for none)."""


class MeteredSqs:
    """Tells *note* how long each call took. A long poll that brought nothing is no measure of SQS, and is not told."""

    def __init__(self, sqs: Sqs, note: Note) -> None:
        self._sqs = sqs
        self._note = note

    async def find(self, name: str) -> Queue:
        """Return the queue of this name or URL; a missing one is a CONFIGURATION fault."""
        return await self._sqs.find(name)

    async def receive(self, queue: Queue, *, limit: int, wait: float) -> list[Delivery]:
        """Long-poll for 1..10 messages for *wait* seconds (0..20); answer as soon as there is one."""
        return await self._time(queue, "receive", self._sqs.receive(queue, limit=limit, wait=wait))

    async def send(self, queue: Queue, messages: Sequence[Outgoing]) -> list[Failure | None]:
        """Send messages."""
        return await self._time(queue, "send", self._sqs.send(queue, messages))

    async def delete(self, queue: Queue, handles: Sequence[str]) -> list[Failure | None]:
        """Delete messages by receipt handle. Success is no proof: a stale handle may succeed and do nothing."""
        return await self._time(queue, "delete", self._sqs.delete(queue, handles))

    async def change_visibility(
        self, queue: Queue, changes: Sequence[tuple[str, int]]
    ) -> list[Failure | None]:
        """Let each message of (handle, seconds) come back that many seconds from now."""
        return await self._time(queue, "change_visibility", self._sqs.change_visibility(queue, changes))

    async def create(self, name: str, attributes: Mapping[str, str]) -> Queue:
        """Create the queue, or set these attributes (SQS's names) of one that is there."""
        return await self._sqs.create(name, attributes)

    async def attributes(self, queue: Queue) -> dict[str, str]:
        """Return all queue attributes, by SQS's names."""
        return await self._sqs.attributes(queue)

    async def _time(self, queue: Queue, operation: str, call: Awaitable[list[T]]) -> list[T]:
        begun = current_time()
        try:
            answer = await call
        except ServiceError as error:
            self._note(queue, operation, current_time() - begun, error.fault.value)
            raise
        if answer:
            self._note(queue, operation, current_time() - begun, "")
        return answer
