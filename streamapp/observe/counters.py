"""Counters of what happened to messages."""

from collections import Counter
from collections.abc import Iterable
from typing import Literal, get_args

CounterName = Literal[
    "received",
    "ok",
    "duplicate",
    "skipped",
    "retry",
    "invalid",
    "dead",
    "released",
    "lost",
    "sent",
    "sends",
    "refused",
    "blocked",
    "silent",
    "crashing",
    "swept",
    "evicted",
    "tap_dropped",
]
"""received: messages received. ok, duplicate (nothing changed), skipped, invalid (dead-lettered by the codec) and dead
(dead-lettered by the agent, or after its last attempt): how a message ended. skipped: by the codec, or by the agent's `Skip`. retry, released: given back. lost: its
lease ended first. sent: outgoing messages that SQS accepted, in so many sends (calls). refused: outgoing messages
that SQS refused permanently. blocked: how often the event loop was blocked, by agent. silent: how often a poll did
not return. crashing: how often an agent failed at many messages in a row. swept: announcements that were overdue and
that the sweeper sent, by their queue. evicted: identities that made room for newer ones, by their table.
tap_dropped: records that viewers will not see."""


OUTCOMES: tuple[CounterName, ...] = (
    "ok",
    "duplicate",
    "skipped",
    "retry",
    "invalid",
    "dead",
    "released",
    "lost",
)
"""How an attempt may end."""

EVENTS: tuple[CounterName, ...] = tuple(
    name for name in get_args(CounterName) if name not in {*OUTCOMES, "received", "sent", "sends"}
)
"""What an operator should see."""

OF_SOURCE: tuple[CounterName, ...] = ("received", *OUTCOMES, "silent", "crashing", "tap_dropped")
"""The counters of a queue that an agent reads."""

OF_SINK: tuple[CounterName, ...] = ("sent", "sends", "refused", "swept", "tap_dropped")
"""The counters of a queue that is sent to."""

OF_LETTERS: tuple[CounterName, ...] = ("sent", "sends", "refused")
"""The counters of a dead-letter queue."""


class Counters:
    """One worker's counts, by queue and counter; reading them does not reset them."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, CounterName]] = Counter()

    def add(self, subject: str, name: CounterName, number: int = 1) -> None:
        """Add *number* to the counter *name* of *subject*: a queue, an agent or a table."""
        self._counts[subject, name] += number

    def begin(self, subject: str, names: Iterable[CounterName]) -> None:
        """Count *names* of *subject* from 0 on: nobody sees the first increase of a series that begins with it."""
        for name in names:
            self._counts[subject, name] += 0

    def of(self, name: CounterName, queue: str | None = None) -> int:
        """Return the count of *name*, for *queue* or for all queues together."""
        if queue is not None:
            return self._counts[queue, name]
        return sum(number for (_, counted), number in self._counts.items() if counted == name)

    def in_queue(self, queue: str) -> dict[str, int]:
        """Return the counts of *queue*, by name, of what has happened at all."""
        return {
            name: number for (counted, name), number in self._counts.items() if counted == queue and number
        }

    def counts(self) -> dict[tuple[str, CounterName], int]:
        """Return all counts, by queue (or agent or table) and name, those of 0 included."""
        return dict(self._counts)

    def words(self) -> dict[CounterName, int]:
        """Return the total over all queues of each counter, of what has happened at all."""
        totals: Counter[CounterName] = Counter()
        for (_, name), number in self._counts.items():
            if number:
                totals[name] += number
        return dict(totals)
