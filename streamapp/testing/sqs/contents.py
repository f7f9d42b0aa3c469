"""What one queue holds, by whether it can be received: visible, delayed or in flight."""

from collections.abc import Iterator
from heapq import heappop, heappush
from random import Random

from streamapp.testing.sqs.message import Message
from streamapp.testing.sqs.order import Line


class Stock:
    """The messages of one queue. Nothing here happens by itself: `settle` brings it up to a time."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self.delayed: dict[int, Message] = {}
        self.in_flight: dict[int, Message] = {}
        self._all: dict[int, Message] = {}
        self._wakes: list[tuple[float, int, Message]] = []
        self._ages: list[tuple[float, int, Message]] = []
        self._order = 0

    def __len__(self) -> int:
        """Return how many messages there are."""
        return len(self._all)

    def __iter__(self) -> Iterator[Message]:
        """Return all messages, oldest first."""
        return iter(self._all.values())

    def get(self, number: int) -> Message | None:
        """Return the message of this number, unless it is gone."""
        return self._all.get(number)

    def put(self, message: Message, now: float) -> None:
        """Keep *message*; it becomes visible at its `visible_at`."""
        self._all[message.number] = message
        self._push(self._ages, message.sent_at, message)
        if message.visible_at > now:
            self.delayed[message.number] = message
            self._push(self._wakes, message.visible_at, message)
        else:
            self.line.add(message)

    def take(self, limit: int, chance: Random | None = None) -> list[Message]:
        """Return up to *limit* messages that may be received now; each must then be hidden or removed."""
        return self.line.take(limit, chance)

    def hide(self, message: Message, until: float) -> None:
        """Put *message* in flight until this time."""
        self.line.remove(message)
        self.in_flight[message.number] = message
        self.line.has_left(message)
        message.visible_at = until
        self._push(self._wakes, until, message)

    def show(self, message: Message, now: float) -> None:
        """Make *message* visible now."""
        message.visible_at = now
        self._land(message)
        self.line.add(message)

    def remove(self, message: Message) -> None:
        """Forget *message*."""
        self._all.pop(message.number, None)
        self._land(message)
        self.line.remove(message)

    def settle(self, now: float) -> list[Message]:
        """Make visible what is due by *now*; answer, in order, those whose visibility ran out in flight."""
        returned: list[Message] = []
        while self._wakes and self._wakes[0][0] <= now:
            when, _, message = heappop(self._wakes)
            if not self._is_waiting_for(message, when):
                continue
            if message.number in self.in_flight:
                returned.append(message)
            self.show(message, when)
        return returned

    def expire(self, sent_before: float) -> list[Message]:
        """Forget what was sent at this time or earlier; answer it."""
        expired: list[Message] = []
        while self._ages and self._ages[0][0] <= sent_before:
            message = heappop(self._ages)[2]
            if self._all.get(message.number) is message:
                expired.append(message)
                self.remove(message)
        return expired

    def next_wake(self) -> float | None:
        """Return when the next message becomes visible by itself, if any does."""
        while self._wakes and not self._is_waiting_for(self._wakes[0][2], self._wakes[0][0]):
            heappop(self._wakes)
        return self._wakes[0][0] if self._wakes else None

    def _land(self, message: Message) -> None:
        self.delayed.pop(message.number, None)
        if self.in_flight.pop(message.number, None):
            self.line.is_back(message)

    def _is_waiting_for(self, message: Message, when: float) -> bool:
        hidden = message.number in self.in_flight or message.number in self.delayed
        return hidden and message.visible_at == when

    def _push(self, heap: list[tuple[float, int, Message]], when: float, message: Message) -> None:
        self._order += 1
        heappush(heap, (when, self._order, message))
