"""The order in which a queue's visible messages are received: standard or FIFO."""

from bisect import insort
from collections import OrderedDict
from itertools import islice
from operator import attrgetter
from random import Random
from typing import Protocol

from streamapp.testing.sqs.message import StoredMessage

_REACH = 1_000
"""Messages from which a reordered receive picks; SQS promises no order, this only bounds the work."""


class DeliveryOrder(Protocol):
    """The visible messages of a queue, in the order in which they are received."""

    def __len__(self) -> int:
        """Return how many messages are visible, including those blocked by their group."""
        ...

    def add(self, message: StoredMessage) -> None:
        """Make *message* receivable."""
        ...

    def remove(self, message: StoredMessage) -> None:
        """Make *message* not receivable any more."""
        ...

    def take(self, limit: int, chance: Random | None) -> list[StoredMessage]:
        """Return up to *limit* receivable messages without removing them; with *chance* in random order."""
        ...

    def block_group(self, message: StoredMessage) -> None:
        """*message* is in flight: a FIFO queue holds back the later ones of its group."""
        ...

    def unblock_group(self, message: StoredMessage) -> None:
        """*message* is not in flight any more: undo `block_group`."""
        ...


class StandardOrder:
    """Oldest first; with *chance* in any order, as SQS may."""

    def __init__(self) -> None:
        self._messages: OrderedDict[int, StoredMessage] = OrderedDict()

    def __len__(self) -> int:
        """Return how many messages are visible."""
        return len(self._messages)

    def add(self, message: StoredMessage) -> None:
        """Make *message* receivable."""
        self._messages[message.number] = message

    def remove(self, message: StoredMessage) -> None:
        """Make *message* not receivable any more."""
        self._messages.pop(message.number, None)

    def take(self, limit: int, chance: Random | None) -> list[StoredMessage]:
        """Return up to *limit* receivable messages without removing them."""
        if chance is None:
            return list(islice(self._messages.values(), limit))
        near = list(islice(self._messages.values(), _REACH))
        return chance.sample(near, min(limit, len(near)))

    def block_group(self, message: StoredMessage) -> None:
        """Do nothing: a standard queue has no groups."""

    def unblock_group(self, message: StoredMessage) -> None:
        """Do nothing: a standard queue has no groups."""


class FifoOrder:
    """In order within each group: a message waits until no earlier one of its group is in flight.

    A receive takes as many messages as it can of one group before it takes of the next. A group that was blocked
    goes to the end of the groups.
    """

    def __init__(self) -> None:
        self._groups: OrderedDict[str, list[StoredMessage]] = OrderedDict()
        self._in_flight: dict[str, dict[int, StoredMessage]] = {}

    def __len__(self) -> int:
        """Return how many messages are visible, those of blocked groups included."""
        return sum(len(messages) for messages in self._groups.values())

    def add(self, message: StoredMessage) -> None:
        """Make *message* receivable, at its place in its group."""
        insort(self._groups.setdefault(_group(message), []), message, key=attrgetter("number"))

    def remove(self, message: StoredMessage) -> None:
        """Make *message* not receivable any more."""
        messages = self._groups.get(_group(message), [])
        if message in messages:
            messages.remove(message)
        if not messages:
            self._groups.pop(_group(message), None)

    def take(self, limit: int, chance: Random | None) -> list[StoredMessage]:  # noqa: ARG002 - a FIFO queue has one order
        """Return up to *limit* receivable messages without removing them."""
        taken: list[StoredMessage] = []
        for group, messages in self._groups.items():
            first_in_flight = min(self._in_flight.get(group, ()), default=None)
            free = [m for m in messages[:limit] if first_in_flight is None or m.number < first_in_flight]
            taken += free[: limit - len(taken)]
            if len(taken) == limit:
                break
        return taken

    def block_group(self, message: StoredMessage) -> None:
        """Hold back the messages after *message* in its group."""
        self._in_flight.setdefault(_group(message), {})[message.number] = message
        if _group(message) in self._groups:
            self._groups.move_to_end(_group(message))

    def unblock_group(self, message: StoredMessage) -> None:
        """Release the messages after *message* in its group, unless another one holds them back."""
        in_flight = self._in_flight.get(_group(message), {})
        in_flight.pop(message.number, None)
        if not in_flight:
            self._in_flight.pop(_group(message), None)


def _group(message: StoredMessage) -> str:
    return message.content.group or ""
