"""Which records `tail` shows."""

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
class TailFilter:
    """Which records are shown: those that match every condition given, and of a list of values any one."""

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
        return self.query is None or not _is_nothing(self.result(record))

    def result(self, record: TapRecord) -> object:
        """Return the result of the query for *record*; True, which shows the record itself, without a query."""
        return True if self.query is None else self.query(as_plain(record))


def _is_nothing(result: object) -> bool:
    """Whether the result of a query shows nothing. A number is something, even 0."""
    return result is None or result is False or result in ("", [], {})


def as_plain(record: TapRecord) -> Any:  # noqa: ANN401 - JSON
    """Return *record* as JSON values."""
    return json.loads(msgspec.json.encode(record))


def keys_of(record: TapRecord) -> set[str | None]:
    """Return all keys that *record* is about."""
    return {record.key, *(effect.key for effect in record.effects)}


def text_of(record: TapRecord) -> str:
    """Return the text that `--grep` searches: the whole record."""
    return json.dumps(as_plain(record), ensure_ascii=False)


def compile_regex(pattern: str | None) -> re.Pattern[str] | None:
    """Return the regular expression of `--grep`. Raises `BadSetting`."""
    try:
        return None if pattern is None else re.compile(pattern)
    except re.error as error:
        raise BadSetting("--grep", f"a regular expression ({error})", pattern or "") from error


def compile_query(query: str | None) -> Callable[[object], object] | None:
    """Return the JMESPath query of `--query`. Raises `BadSetting`."""
    if query is None:
        return None
    try:
        parsed = cast("Any", jmespath).compile(query)
        _check_functions(parsed)
    except ValueError as error:  # JMESPath's own errors are ValueErrors, and so is that of a step of 0
        raise BadSetting("--query", "a JMESPath such as body.data.status=='Pronto'", query) from error

    def search(value: object) -> object:
        try:
            return cast("object", parsed.search(value))
        except ValueError:
            # A function got a value of another type, which one record may hold, or a slice has a step of 0.
            return None

    return search


def _check_functions(parsed: Any) -> None:  # noqa: ANN401 - untyped
    """Check that the functions of a query exist and take so many arguments; otherwise no record would match."""
    with suppress(jmespath.exceptions.JMESPathTypeError):  # in an empty object, no value has the right type
        parsed.search({})
