"""What an app may add for people: made-up traffic with its outcome, examples of events, boards of its state."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Card:
    """One entry of a board. None of it is personal.

    Its age is counted from *since* (aware; None: it has none); from an age of *due* seconds on it is nearly
    late. *notes* are words that want attention.
    """

    key: str
    text: str = ""
    since: datetime | None = None
    due: float | None = None
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Words:
    """A board's own words, in the language of those who look at it."""

    live: str = "live"
    stale: str = "no answer for"
    new: str = "new"
    warn: str = "late soon"
    late: str = "LATE"
    more: str = "more"


def _bare(key: str, _: Mapping[str, str]) -> Card:
    return Card(key)


def _never(_: Mapping[str, str]) -> bool:
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """A live view of one table.

    Each hash stands in the column that *column_of* answers for its fields, or in none, as the card that *card*
    makes of its key and fields. One that *is_over* never comes back. In the columns of *ageing*, age makes a
    card late; in the last one, unless it is one of those, a card is new and then old. Without *shows_age* the age is not told.
    """

    name: str
    table: str
    columns: Sequence[str]
    column_of: Callable[[Mapping[str, str]], str | None]
    card: Callable[[str, Mapping[str, str]], Card] = _bare
    is_over: Callable[[Mapping[str, str]], bool] = _never
    title: str = ""
    ageing: Sequence[str] = ()
    shows_age: bool = True
    words: Words = Words()


@dataclass(frozen=True, slots=True, kw_only=True)
class Website:
    """An app's boards as web pages of its worker, by path.

    *queue* is the path of what stands on the first board, *one* that of one hash of its table by key, both as
    JSON; nobody is told the fields in *hidden*, nor those that begin with `_`.
    """

    pages: Mapping[str, Board]
    queue: str = "/api/queue"
    one: str = "/api/one"
    hidden: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Portrait:
    """What `show` tells of one thing that the app tracks in *table*, called *word*.

    *lines* answers lines from its key and its hash's fields, none of them personal. Changes of the fields in
    *quiet* are not told of: each event changes them.
    """

    table: str
    word: str
    lines: Callable[[str, Mapping[str, str]], Sequence[str]]
    quiet: Sequence[str] = ()
