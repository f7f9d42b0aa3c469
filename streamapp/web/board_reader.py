"""Read the cards of a board from the store, only those that may have changed."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from streamapp.declared.boards import Board, Card
from streamapp.errors import ServiceError

READ = 500
"""Hashes in one round trip: some 5 ms of the server's time."""


class HashReader(Protocol):
    """Reads hashes by key."""

    async def keys(self, prefix: str, cursor: str = "") -> tuple[list[str], str]:
        """Return some keys that begin with *prefix*, and the next cursor, empty at the end."""
        ...

    async def read(self, keys: Sequence[str]) -> list[dict[str, str] | ServiceError]:
        """Return the fields of each hash, or the error of this key alone; an empty dict is a missing hash."""
        ...


class BoardReader:
    """Reads one board of one table, whose keys begin with *start*.

    Hashes that are over are read once and never again, so the cost of a look depends on the open ones only.
    """

    def __init__(self, board: Board, hashes: HashReader, start: str) -> None:
        self._board = board
        self._hashes = hashes
        self._start = start
        self._over: set[str] = set()

    async def look(self) -> dict[str, list[Card]]:
        """Return the cards of each column, oldest first. Raises `ServiceError`."""
        columns: dict[str, list[Card]] = {name: [] for name in self._board.columns}
        keys = await self._keys()
        self._over &= keys
        todo = sorted(keys - self._over)
        for begin in range(0, len(todo), READ):
            some = todo[begin : begin + READ]
            for key, fields in zip(some, await self._hashes.read(some), strict=True):
                if isinstance(fields, ServiceError) or not fields:
                    continue
                if self._board.is_over(fields):
                    self._over.add(key)
                self._place(columns, key.removeprefix(self._start), fields)
        for cards in columns.values():
            cards.sort(key=_age)
        return columns

    async def _keys(self) -> set[str]:
        found: set[str] = set()
        cursor: str | None = ""
        while cursor is not None:
            some, following = await self._hashes.keys(self._start, cursor)
            found.update(some)
            cursor = following or None
        return found

    def _place(self, columns: dict[str, list[Card]], key: str, fields: Mapping[str, str]) -> None:
        cards = columns.get(self._board.column_of(fields) or "")
        if cards is not None:
            cards.append(self._board.card(key, fields))


def _age(card: Card) -> tuple[bool, float, str]:
    return card.since is None, 0.0 if card.since is None else card.since.timestamp(), card.key
