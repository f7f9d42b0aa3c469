"""What streamapp asks of its state store: hashes that change by one commit for each key, and sets."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from streamapp.errors import ServiceError

TOKEN = "_t"  # noqa: S105 - a field's name
"""Field of a hash that holds the token of its last commit."""

PENDING = "_o:"
"""Begins a field that holds an announcement not yet known to be sent; the rest is its id."""

PARKED = "_x:"
"""Begins a field that holds an announcement that SQS refused for good."""

MAX_PENDING = 64
"""Announcements a key may have pending; more would let one dead sink fill the store."""


PAGE = 100
"""Members of a set in one call: some microseconds of Redis."""


class Commit(msgspec.Struct, frozen=True):
    """A change of one hash, made only if the hash's token is still *seen* (empty: there is no hash).

    *token* is unique to this commit. *put* are fields to set, pending announcements among them, *drop* fields
    to unset. *ttl* is in seconds, None: for ever; a hash with something pending (*keep*) does not expire.
    """

    key: str
    seen: str
    token: str
    put: Mapping[str, str]
    drop: Sequence[str] = ()
    keep: bool = False
    ttl: float | None = None


class Confirmed(msgspec.Struct, frozen=True):
    """Announcements of one hash that are not pending any more; those in *parked* were refused and are set aside.

    Each is (id, mark). If the text of the field does not begin with the mark, it was owed again since, and stays.
    """

    key: str
    sent: Sequence[tuple[str, str]] = ()
    parked: Sequence[tuple[str, str]] = ()
    ttl: float | None = None


class Store(Protocol):
    """The state store, or something that keeps its rules.

    Every call raises only `ServiceError`. Every call may be repeated without harm if its response was lost.
    """

    async def read(self, keys: Sequence[str]) -> list[dict[str, str] | ServiceError]:
        """Return the fields of each hash, or the error of this key alone; empty: there is no hash."""
        ...

    async def commit(self, commits: Sequence[Commit]) -> list[bool | ServiceError]:
        """Make the changes durable. The result of each is False if another change came first."""
        ...

    async def confirm(self, confirmed: Sequence[Confirmed]) -> None:
        """Remove announcements from the pending ones; a hash with none left expires by its ttl again."""
        ...

    async def add(self, members: Mapping[str, Sequence[str]], ttl: float) -> list[ServiceError | None]:
        """Add members to each set, by its key; each set lives *ttl* seconds from now. Return the error of each set, if any."""
        ...

    async def members(self, key: str) -> set[str] | ServiceError:
        """Return all members of a set, or the error of this key alone."""
        ...

    async def members_page(
        self, key: str, cursor: str = "", size: int = PAGE
    ) -> tuple[list[str], str] | ServiceError:
        """Return some members of a set, about *size*, and the cursor of the next call, empty when all were seen.

        A member may come twice; one that was there all the time is never left out, unless the store failed over meanwhile.
        """
        ...

    async def remove(self, key: str, members: Sequence[str]) -> ServiceError | None:
        """Take members out of a set. Return the error of this key alone, if any."""
        ...

    async def claim(self, key: str, seconds: float, *, again: bool = False) -> bool:
        """Hold *key* for *seconds* from now, and return whether that was possible: another one may hold it.

        With *again* it is held for longer, if somebody holds it at all.
        """
        ...

    async def scan(self, prefix: str, cursor: str = "") -> tuple[list[str], str]:
        """Return some keys that begin with *prefix* of hashes that do not expire, as hashes that owe something do not.

        With them comes the cursor of the next call, empty when all were seen. A key may come twice; a key that
        was there all the time is never left out.
        """
        ...

    async def ping(self) -> None:
        """Return when the store responds."""
        ...
