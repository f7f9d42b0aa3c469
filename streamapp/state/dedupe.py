"""Which events a hash has seen. A fold that cannot tell a repeated event needs that to apply each event once."""

import hashlib
from collections.abc import Mapping
from heapq import nsmallest

SEEN = "_e:"
"""Begins a field that holds when an event was applied; the rest is the event's identity."""

KEPT = 30 * 86_400.0
"""Seconds that an identity is kept: longer than the 14 days that SQS keeps a message and the 14 more in a DLQ."""

MOST = 10_000
"""Identities that a hash keeps; more than that in 30 days of one key make room, which is told.

Each costs some 50 bytes of every read of the hash, so a key with the most of them costs half a megabyte and some
20 ms for each flush that holds an event of it. A key with 330 events a day stays below.
"""


AT_ONCE = 1000
"""Identities that one commit forgets at most: a script of Redis takes only some thousand fields in a call."""


class Deduplication:
    """The identities of events in the *fields* of one hash at *now* (Unix time), and those that are added."""

    def __init__(self, fields: Mapping[str, str], now: float) -> None:
        self._fields = fields
        self._now = now
        self.put: dict[str, str] = {}
        """Fields to set."""

    def __contains__(self, identity: str) -> bool:
        name = SEEN + identity
        return name in self._fields or name in self.put

    def add(self, identity: str) -> None:
        """Remember one more."""
        self.put[SEEN + identity] = str(int(self._now))

    def drop(self) -> tuple[list[str], int]:
        """Return the fields to unset, and how many of them might still be needed: the oldest, if there are too many."""
        if not self.put:
            return [], 0
        stored = [(_time(text), name) for name, text in self._fields.items() if name.startswith(SEEN)]
        last = self._now - KEPT
        old = sum(at < last for at, _ in stored)
        excess = max(old, len(stored) + len(self.put) - MOST)
        forgotten = [name for _, name in nsmallest(min(excess, AT_ONCE), stored)] if excess > 0 else []
        return forgotten, max(0, len(forgotten) - old)


def identity_of(body: str, position: int) -> str:
    """Return the identity of the event at *position* of a message's *body*.

    A message that comes back from a dead-letter queue has a new id; only its body stays the same.
    """
    return shortened(f"{position}\0{body}")


def shortened(text: str) -> str:
    """Return 32 characters that stand for *text*: no other text has the same."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _time(text: str) -> float:
    return float(text) if text.isdecimal() else 0.0
