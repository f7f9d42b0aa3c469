"""Live views of an app's state: boards, their cards and pages, and what `show` tells of one key."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Card:
    """One entry of a board. None of it is personal.

    Its age is counted from *since* (aware; None: it has no age). From an age of *due* seconds on it is nearly late.
    *notes* are words that need attention.
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

    *column_of* returns the column of a hash from its fields, or None; *card* makes its card from its key and fields. A
    hash that *is_over* never comes back. In the columns of *ageing*, age makes a card late; in the last column, unless
    it is one of those, a card is new and then old. Without *shows_age* the age is not shown.
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

    *queue* is the path of the first board's cards, *one* that of one hash of its table by key, both as JSON. Fields in
    *hidden*, and those that begin with `_`, are never shown.
    """

    pages: Mapping[str, Board]
    queue: str = "/api/queue"
    one: str = "/api/one"
    hidden: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Portrait:
    """What `show` tells of one thing that the app tracks in *table*, called *word*.

    *lines* returns lines of text from its key and its hash's fields; none of them is personal. Changes of the fields in
    *quiet* are not shown, because each event changes them.
    """

    table: str
    word: str
    lines: Callable[[str, Mapping[str, str]], Sequence[str]]
    quiet: Sequence[str] = ()
