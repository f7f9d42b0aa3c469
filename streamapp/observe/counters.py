"""Counts of what became of messages."""

from collections import Counter
from typing import Literal

Word = Literal[
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
"""received: deliveries taken in. ok, duplicate (nothing changed), skipped, invalid and dead (dead-lettered: by the
codec, by the agent or its last attempt): how a message ended. retry, released: given back. lost: its lease ended
first. sent: outgoing messages accepted, in sends calls. refused: outgoing messages that SQS will never take.
blocked: how often the event loop stood still, by agent.
silent: how often a poll did not return. crashing: how often an agent failed at many messages in a row. swept: announcements, by
their queue, that a sweep found owed for long and sent. evicted: identities, by their table, that made
room for newer ones. tap_dropped: records that viewers will not see."""


class Counters:
    """One worker's counts by queue and word; reading it changes nothing."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, Word]] = Counter()

    def add(self, queue: str, word: Word, number: int = 1) -> None:
        """Count *number* more of *word* for *queue*."""
        self._counts[queue, word] += number

    def of(self, word: Word, queue: str | None = None) -> int:
        """Return how many of *word* there were, in *queue* or in all."""
        if queue is not None:
            return self._counts[queue, word]
        return sum(number for (_, counted), number in self._counts.items() if counted == word)

    def in_queue(self, queue: str) -> dict[str, int]:
        """Return the counts of *queue*, by word."""
        return {word: number for (counted, word), number in self._counts.items() if counted == queue}

    def counts(self) -> dict[tuple[str, Word], int]:
        """Return all counts, by queue (or what else was counted for) and word."""
        return dict(self._counts)

    def words(self) -> dict[Word, int]:
        """Return the totals of all words that were counted."""
        totals: Counter[Word] = Counter()
        for (_, word), number in self._counts.items():
            totals[word] += number
        return dict(totals)
