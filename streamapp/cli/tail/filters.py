"""Which records a tail shows."""

import fnmatch
import json
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, cast

import jmespath
import jmespath.exceptions
import msgspec

from streamapp.observe.tap_record import TapRecord
from streamapp.setting_types import BadSetting


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a record must be like: each given list is matched by one of its members, all lists are matched."""

    types: Sequence[str] = ()
    outcomes: Sequence[str] = ()
    order: str | None = None
    grep: re.Pattern[str] | None = None
    query: Callable[[object], object] | None = None

    def __call__(self, record: TapRecord) -> bool:
        """Whether *record* is shown."""
        if self.outcomes and record.outcome not in self.outcomes:
            return False
        if self.types and not any(fnmatch.fnmatchcase(record.event_type or "", it) for it in self.types):
            return False
        if self.order is not None and self.order not in keys_of(record):
            return False
        if self.grep is not None and not self.grep.search(text_of(record)):
            return False
        return self.query is None or not _is_nothing(self.answer(record))

    def answer(self, record: TapRecord) -> object:
        """Return what is shown of *record*: True for itself, else the query's answer."""
        return True if self.query is None else self.query(plain(record))


def _is_nothing(answer: object) -> bool:
    """Whether an answer of a query shows nothing; a number, be it 0, is something."""
    return answer is None or answer is False or answer in ("", [], {})


def plain(record: TapRecord) -> Any:  # noqa: ANN401 - JSON
    """Return *record* as JSON values."""
    return json.loads(msgspec.json.encode(record))


def keys_of(record: TapRecord) -> set[str | None]:
    """Return all keys that *record* is about."""
    return {record.key, *(effect.key for effect in record.effects)}


def text_of(record: TapRecord) -> str:
    """Return the text in which `--grep` looks: all of the record."""
    return json.dumps(plain(record), ensure_ascii=False)


def compiled(pattern: str | None) -> re.Pattern[str] | None:
    """Return a regular expression. Raises `BadSetting`."""
    try:
        return None if pattern is None else re.compile(pattern)
    except re.error as error:
        raise BadSetting("--grep", f"a regular expression ({error})", pattern or "") from error


def asked(query: str | None) -> Callable[[object], object] | None:
    """Return a JMESPath query. Raises `BadSetting`."""
    if query is None:
        return None
    try:
        parsed = cast("Any", jmespath).compile(query)
        _call_functions(parsed)
    except ValueError as error:  # JMESPath's own errors are such, and a step of 0 is
        raise BadSetting("--query", "a JMESPath such as body.data.status=='Pronto'", query) from error

    def search(value: object) -> object:
        try:
            return cast("object", parsed.search(value))
        except ValueError:
            # A function met a value of another type, as it may in any one record, or a slice has a step of 0.
            return None

    return search


def _call_functions(parsed: Any) -> None:  # noqa: ANN401 - untyped
    """Find that the functions of a query are there and take so many arguments; else no record would ever be shown."""
    with suppress(jmespath.exceptions.JMESPathTypeError):  # what is asked of nothing has no type
        parsed.search({})
