"""The messages of one queue by their state: visible, delayed or in flight."""

from collections.abc import Iterator
from heapq import heappop, heappush
from random import Random

from streamapp.testing.sqs.delivery_order import DeliveryOrder
from streamapp.testing.sqs.message import StoredMessage


class StoredMessages:
    """The messages of one queue. Nothing changes as time passes until `catch_up` is called."""

    def __init__(self, visible: DeliveryOrder) -> None:
        self.visible = visible
        self.delayed: dict[int, StoredMessage] = {}
        self.in_flight: dict[int, StoredMessage] = {}
        self._all: dict[int, StoredMessage] = {}
        self._wakes: list[tuple[float, int, StoredMessage]] = []
        self._ages: list[tuple[float, int, StoredMessage]] = []
        self._order = 0

    def __len__(self) -> int:
        """Return how many messages there are, in any state."""
        return len(self._all)

    def __iter__(self) -> Iterator[StoredMessage]:
        """Return all messages, oldest first."""
        return iter(self._all.values())

    def get(self, number: int) -> StoredMessage | None:
        """Return the message of this number, None if it was removed."""
        return self._all.get(number)

    def put(self, message: StoredMessage, now: float) -> None:
        """Add *message*, which becomes visible at its `visible_at`."""
        self._all[message.number] = message
        self._push(self._ages, message.sent_at, message)
        if message.visible_at > now:
            self.delayed[message.number] = message
            self._push(self._wakes, message.visible_at, message)
        else:
            self.visible.add(message)

    def take(self, limit: int, chance: Random | None = None) -> list[StoredMessage]:
        """Return up to *limit* messages that may be received now; the caller must hide or remove each."""
        return self.visible.take(limit, chance)

    def hide(self, message: StoredMessage, until: float) -> None:
        """Put *message* in flight until *until*."""
        self.visible.remove(message)
        self.in_flight[message.number] = message
        self.visible.block_group(message)
        message.visible_at = until
        self._push(self._wakes, until, message)

    def show(self, message: StoredMessage, now: float) -> None:
        """Make *message* visible now."""
        message.visible_at = now
        self._land(message)
        self.visible.add(message)

    def remove(self, message: StoredMessage) -> None:
        """Remove *message*."""
        self._all.pop(message.number, None)
        self._land(message)
        self.visible.remove(message)

    def catch_up(self, now: float) -> list[StoredMessage]:
        """Make visible what is due by *now*; return, in order, those whose visibility timeout ran out in flight."""
        returned: list[StoredMessage] = []
        while self._wakes and self._wakes[0][0] <= now:
            when, _, message = heappop(self._wakes)
            if not self._is_waiting_for(message, when):
                continue
            if message.number in self.in_flight:
                returned.append(message)
            self.show(message, when)
        return returned

    def expire(self, sent_before: float) -> list[StoredMessage]:
        """Remove what was sent at *sent_before* or earlier, and return it."""
        expired: list[StoredMessage] = []
        while self._ages and self._ages[0][0] <= sent_before:
            message = heappop(self._ages)[2]
            if self._all.get(message.number) is message:
                expired.append(message)
                self.remove(message)
        return expired

    def next_wake(self) -> float | None:
        """Return when the next hidden message becomes visible, None if none is hidden."""
        while self._wakes and not self._is_waiting_for(self._wakes[0][2], self._wakes[0][0]):
            heappop(self._wakes)
        return self._wakes[0][0] if self._wakes else None

    def _land(self, message: StoredMessage) -> None:
        self.delayed.pop(message.number, None)
        if self.in_flight.pop(message.number, None):
            self.visible.unblock_group(message)

    def _is_waiting_for(self, message: StoredMessage, when: float) -> bool:
        hidden = message.number in self.in_flight or message.number in self.delayed
        return hidden and message.visible_at == when

    def _push(
        self, heap: list[tuple[float, int, StoredMessage]], when: float, message: StoredMessage
    ) -> None:
        self._order += 1
        heappush(heap, (when, self._order, message))
