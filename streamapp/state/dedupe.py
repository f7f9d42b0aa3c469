"""Which events a hash has seen. A fold that cannot tell a repeated event needs that to apply each event once."""

import hashlib
from collections.abc import Mapping

SEEN = "_e:"
"""Begins a field that holds when an event was applied; the rest is the event's identity."""

KEPT = 30 * 86_400.0
"""Seconds that an identity is kept: longer than the 14 days that SQS keeps a message and the 14 more in a DLQ."""

MOST = 1000
"""Identities that a hash keeps; each costs some 50 bytes of every read of it."""


class Deduplication:
    """The identities of events in the *fields* of one hash at *now* (Unix time), and those that are added."""

    def __init__(self, fields: Mapping[str, str], now: float) -> None:
        self._now = now
        self._at: dict[str, float] = {}
        if fields:  # most tables need none
            stored = [(name, _time(text)) for name, text in fields.items() if name.startswith(SEEN)]
            self._at = dict(sorted(stored, key=lambda pair: pair[1]))
        self._stored = len(self._at)
        self.put: dict[str, str] = {}
        """Fields to set."""

    def __contains__(self, identity: str) -> bool:
        return SEEN + identity in self._at

    def add(self, identity: str) -> None:
        """Remember one more."""
        self._at[SEEN + identity] = self._now
        self.put[SEEN + identity] = str(int(self._now))

    def drop(self) -> tuple[list[str], int]:
        """Return the fields to unset, oldest first, and how many of them might still be needed."""
        if not self._at:
            return [], 0
        old = [name for name, at in self._at.items() if at < self._now - KEPT] if self.put else []
        left = [name for name in self._at if name not in self.put]
        evicted = left[len(old) : len(old) + max(0, len(self._at) - len(old) - MOST)]
        return old + evicted, len(evicted)


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
