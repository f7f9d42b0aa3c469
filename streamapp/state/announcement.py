"""What a hash owes to the outside: announcements, each with one message that is responsible for it.

*pending*: stored in the hash, and not yet known to be sent. *keeper*: the message that is responsible for it, and is
not deleted before it is sent. *adopted*: taken over by another message, because its keeper has not sent it. *due*: to be
sent before a given message is deleted. *parked*: SQS refused it for good; it stays in the hash for an operator.
"""

from collections.abc import Mapping
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from streamapp.messages import Outgoing
from streamapp.state.store import PENDING

FRESH = 3.0
"""Seconds in which a message is expected to have sent what it keeps: two round trips seldom take longer. After that
the next message that finds it takes it over, sooner than the first one comes back from a worker that died."""


class Place(NamedTuple):
    """Where an announcement is owed, and by which commit: a change back and forth owes the same content twice.

    *id* names what it says, and *mark* the commit that owed it.
    """

    redis_key: str
    id: str
    mark: str


class Announcement(msgspec.Struct, frozen=True):
    """A message that a change of state owes to the outside, until it is known to be sent.

    It has been owed since *at*. *keeper* is the id of the message that is not deleted before it is sent, "" where
    that is not known: the one that made it or, with *is_adopted*, one that has just found it left alone. It has kept
    it since *since*. Times are Unix times.
    """

    place: Place
    stream: str
    sequence: int
    message: Outgoing
    ttl: float | None
    at: float
    keeper: str
    since: float
    is_adopted: bool = False

    @property
    def id(self) -> str:
        """The name of what it says."""
        return self.place.id

    def text(self) -> str:
        """Return the text of its field in the hash."""
        said = self.message
        pending = _Pending(
            self.sequence, self.at, said.group, said.deduplication, said.body, self.keeper, self.since
        )
        return msgspec.json.encode(pending).decode()


class _Pending(msgspec.Struct, array_like=True):
    """An announcement as its hash holds it; the fields are those of `Announcement`."""

    sequence: int
    at: float
    group: str | None
    deduplication: str | None
    body: str
    keeper: str = ""
    since: float = 0.0


def pending_of(
    key: str, fields: Mapping[str, str], stream: str, ttl: float | None, *, begins: str = PENDING
) -> list[Announcement]:
    """Return what a hash owes, in the order in which it was announced: the fields that begin with *begins*."""
    owed: list[Announcement] = []
    for name, text in fields.items():
        if name.startswith(begins):
            it = msgspec.json.decode(text, type=_Pending)
            message = Outgoing(it.body, group=it.group, deduplication=it.deduplication)
            identity, mark = name.removeprefix(begins), mark_of(it.sequence, it.at)
            owed.append(
                Announcement(
                    Place(key, identity, mark), stream, it.sequence, message, ttl, it.at, it.keeper, it.since
                )
            )
    return sorted(owed, key=lambda announcement: announcement.sequence)


def mark_of(sequence: int, at: float) -> str:
    """Return how the text of an announcement begins, such as `[3,1718000000.5,`; no other commit repeats that.

    The script that confirms announcements compares it, whichever message keeps the announcement by then.
    """
    return f"[{sequence},{msgspec.json.encode(at).decode()},"


def adopt(pending: list[Announcement], keeper: str, now: float) -> dict[str, str]:
    """Make *keeper* responsible for announcements whose owner has not sent them within FRESH seconds.

    Return the fields to set. Only one of the messages that find them can commit that, so only one sends them.
    """
    fields: dict[str, str] = {}
    for n, it in enumerate(pending):
        # Its keeper's clock may be ahead of ours, but not by long.
        if abs(now - it.since) >= FRESH:
            pending[n] = replace(it, keeper=keeper, since=now, is_adopted=it.keeper != keeper)
            fields[PENDING + it.place.id] = pending[n].text()
    return fields
