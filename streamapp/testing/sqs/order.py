"""Who is next: the messages of a queue that may be received now."""

from bisect import insort
from collections import OrderedDict
from itertools import islice
from operator import attrgetter
from random import Random
from typing import Protocol

from streamapp.testing.sqs.message import Message

_REACH = 1_000
"""How deep into a standard queue a reordering reaches; SQS promises nothing, this only bounds the work."""


class Line(Protocol):
    """The order in which a queue gives its messages away."""

    def __len__(self) -> int:
        """Return how many messages are visible, blocked ones included."""
        ...

    def add(self, message: Message) -> None:
        """Let *message* be received."""
        ...

    def remove(self, message: Message) -> None:
        """Let *message* not be received any more."""
        ...

    def take(self, limit: int, chance: Random | None) -> list[Message]:
        """Return up to *limit* messages that may be received now, and keep them; *chance* picks any."""
        ...

    def has_left(self, message: Message) -> None:
        """Take note that *message* is in flight."""
        ...

    def is_back(self, message: Message) -> None:
        """Take note that *message* is not in flight any more."""
        ...


class StandardLine:
    """First come, first served; *chance* makes it any order, as SQS may."""

    def __init__(self) -> None:
        self._messages: OrderedDict[int, Message] = OrderedDict()

    def __len__(self) -> int:
        """Return how many messages are visible."""
        return len(self._messages)

    def add(self, message: Message) -> None:
        """Let *message* be received."""
        self._messages[message.number] = message

    def remove(self, message: Message) -> None:
        """Let *message* not be received any more."""
        self._messages.pop(message.number, None)

    def take(self, limit: int, chance: Random | None) -> list[Message]:
        """Return up to *limit* messages, and keep them."""
        if chance is None:
            return list(islice(self._messages.values(), limit))
        near = list(islice(self._messages.values(), _REACH))
        return chance.sample(near, min(limit, len(near)))

    def has_left(self, message: Message) -> None:
        """Nobody waits for a message in flight."""

    def is_back(self, message: Message) -> None:
        """Nobody waited for it."""


class FifoLine:
    """One line a group: a message waits until no earlier one of its group is in flight.

    A receive takes as many as it can of one group before it takes of the next. A group that was blocked goes
    to the end of the groups.
    """

    def __init__(self) -> None:
        self._groups: OrderedDict[str, list[Message]] = OrderedDict()
        self._away: dict[str, dict[int, Message]] = {}

    def __len__(self) -> int:
        """Return how many messages are visible, those of blocked groups included."""
        return sum(len(messages) for messages in self._groups.values())

    def add(self, message: Message) -> None:
        """Put *message* at its old place in its group."""
        insort(self._groups.setdefault(_group(message), []), message, key=attrgetter("number"))

    def remove(self, message: Message) -> None:
        """Let *message* not be received any more."""
        messages = self._groups.get(_group(message), [])
        if message in messages:
            messages.remove(message)
        if not messages:
            self._groups.pop(_group(message), None)

    def take(self, limit: int, chance: Random | None) -> list[Message]:  # noqa: ARG002 - it has one order
        """Return up to *limit* messages, and keep them."""
        taken: list[Message] = []
        for group, messages in self._groups.items():
            first_away = min(self._away.get(group, ()), default=None)
            free = [m for m in messages[:limit] if first_away is None or m.number < first_away]
            taken += free[: limit - len(taken)]
            if len(taken) == limit:
                break
        return taken

    def has_left(self, message: Message) -> None:
        """Block what comes after *message* in its group."""
        self._away.setdefault(_group(message), {})[message.number] = message
        if _group(message) in self._groups:
            self._groups.move_to_end(_group(message))

    def is_back(self, message: Message) -> None:
        """Unblock what comes after *message*, unless another one blocks it."""
        away = self._away.get(_group(message), {})
        away.pop(message.number, None)
        if not away:
            self._away.pop(_group(message), None)


def _group(message: Message) -> str:
    return message.letter.group or ""
