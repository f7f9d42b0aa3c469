"""What an agent iterates: events; asking for the next one says that the last one is done."""

from collections.abc import Awaitable
from typing import Generic, TypeVar

from streamapp.pipeline.turn import Turn

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

    def __aiter__(self) -> "Stream[T]":
        return self

    def __anext__(self) -> Awaitable[T]:
        """Note that the last event is done, and return the next one."""
        return self._turn.next_event()

    def take(self, n: int, *, within: float) -> "Batches[T]":
        """Iterate lists of 1..*n* events that came within *within* seconds of the first one; each list ends together."""
        return Batches(self._turn, n, within)


class Batches(Generic[T]):
    """Lists of events of one stream; asking for the next says that the last is done."""

    def __init__(self, turn: Turn[T], n: int, within: float) -> None:
        self._turn = turn
        self._n = n
        self._within = within

    def __aiter__(self) -> "Batches[T]":
        return self

    async def __anext__(self) -> list[T]:
        """Note that the last events are done, and return the next ones."""
        events = await self._turn.next_batch(self._n, self._within)
        if not events:
            raise StopAsyncIteration
        return events
