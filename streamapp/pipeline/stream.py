"""What an agent iterates: events; asking for the next one says that the last one is done."""

from collections.abc import Awaitable, Iterable
from typing import Generic, TypeVar

from streamapp.errors import Reject, Skip
from streamapp.pipeline.turn import EventFailed, Turn

T = TypeVar("T")


class Stream(Generic[T]):
    """The events of one queue, shared with the other instances of the agent.

    Asking for the next event says that the last one is done: what it owes is sent, and its message is deleted.
    The stream ends when the worker drains.
    """

    def __init__(self, turn: Turn[T]) -> None:
        self._turn = turn

    @property
    def name(self) -> str:
        """The stream's name, as the agent declares it."""
        return self._turn.stream

    @property
    def is_rehearsal(self) -> bool:
        """Whether the agent is only tried (`streamapp dlq redrive --run-agents`).

        Tables and sinks then keep nothing and send nothing; what else the agent does happens, unless it asks here first.
        """
        return self._turn.is_rehearsal

    def __aiter__(self) -> "Stream[T]":
        return self

    def __anext__(self) -> Awaitable[T]:
        """Note that the last event is done, and return the next one."""
        return self._turn.next_event()

    def take(self, n: int, *, within: float) -> "Batches[T]":
        """Iterate lists of 1..*n* events that came within *within* seconds of the first one; each list ends together."""
        return Batches(self._turn, n, within)


class Batch(list[T]):
    """Some events of one stream, ended together: all are done when the agent asks for the next batch.

    An exception of the agent says nothing about the single events of a batch of more than one. They are tried again
    in smaller batches, down to one, before anything is skipped or dead-lettered. An agent that knows better ends
    single events itself, with `fail`, `skip` and `reject`.
    """

    def __init__(self, events: Iterable[T], turn: Turn[T]) -> None:
        super().__init__(events)
        self._turn = turn

    def fail(self, event: T, error: Exception | None = None) -> None:
        """Try the message of *event* again, alone. *error* is what is told of it if that was the last attempt."""
        self._turn.decide(event, error or EventFailed("the agent failed the event"))

    def skip(self, event: T, reason: str = "skipped by the agent") -> None:
        """Acknowledge the message of *event* without effect, as `Skip` does."""
        self._turn.decide(event, Skip(reason))

    def reject(self, event: T, reason: str, detail: str = "rejected by the agent") -> None:
        """Dead-letter the message of *event*, as `Reject` does; *reason* is one word."""
        self._turn.decide(event, Reject(reason, detail))


class Batches(Generic[T]):
    """Lists of events of one stream; asking for the next says that the last is done."""

    def __init__(self, turn: Turn[T], n: int, within: float) -> None:
        self._turn = turn
        self._n = n
        self._within = within

    def __aiter__(self) -> "Batches[T]":
        return self

    async def __anext__(self) -> Batch[T]:
        """Note that the last events are done, and return the next ones."""
        events = await self._turn.next_batch(self._n, self._within)
        if not events:
            raise StopAsyncIteration
        return Batch(events, self._turn)
