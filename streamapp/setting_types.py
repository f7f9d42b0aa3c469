"""Kinds of values that a setting can have: each reads a text, or raises `BadSetting`."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Generic, TypeVar

from streamapp.errors import ConfigError

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}

T = TypeVar("T")
Word = TypeVar("Word", bound=str)


class BadSetting(ConfigError):
    """The text of a variable or a flag has no meaning there."""

    def __init__(self, name: str, expected: str, got: str) -> None:
        super().__init__(f"{name}: expected {expected}, got {got!r}")


@dataclass(frozen=True, slots=True)
class Kind(Generic[T]):
    """A kind of value. *expected* describes it, *read* returns the value of a text or raises ValueError.

    *shown* is the part of a wrong text that an error may show.
    """

    expected: str
    read: Callable[[str], T]
    shown: Callable[[str], str] = str

    def __call__(self, variable: str, text: str) -> T:
        """Return the value of *text*, or raise `BadSetting` with the name of *variable*."""
        try:
            return self.read(text)
        except ValueError as error:
            raise BadSetting(variable, self.expected, self.shown(text)) from error


def seconds(text: str) -> float:
    """Return the seconds that *text* means: `90`, `1h30m`, `30d`. Raises ValueError."""
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return float(text)
    if not re.fullmatch(r"(\d+(\.\d+)?[smhd])+", text):
        raise ValueError(text)
    return sum(float(number) * _UNITS[unit] for number, unit in re.findall(r"([\d.]+)([smhd])", text))


def _text(text: str) -> str:
    text.encode()  # Python reads bytes that are not UTF-8 as text that cannot be encoded
    return text


def _redis(text: str) -> str:
    if not text.startswith(("redis://", "rediss://", "unix://", "redis+sentinel://", "rediss+sentinel://")):
        raise ValueError
    return text


def _scheme(url: str) -> str:
    return url.split(":", maxsplit=1)[0]


def _address(text: str) -> str:
    host, colon, port = text.rpartition(":")
    if not (host and colon and re.fullmatch(r"\d{1,5}", port) and int(port) < 65_536):  # noqa: PLR2004 - ports
        raise ValueError
    return text


def _replicas(text: str) -> int:
    if text == "local":
        return 0
    match = re.fullmatch(r"replicated:([1-9]\d?)", text)
    if match is None:
        raise ValueError
    return int(match[1])


def _zone(text: str) -> tzinfo:
    if text.upper() in {"UTC", "Z"}:
        return UTC
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - slow to import

    try:
        return ZoneInfo(text)
    except (KeyError, OSError) as error:
        raise ValueError from error


def whole(low: int, high: int) -> Kind[int]:
    """Return the kind of whole numbers from *low* to *high*."""

    def read(text: str) -> int:
        if not re.fullmatch(r"\d{1,9}", text) or not low <= int(text) <= high:
            raise ValueError
        return int(text)

    return Kind(f"a whole number from {low} to {high}", read)


def duration(low: float, high: float) -> Kind[float]:
    """Return the kind of times from *low* to *high* seconds."""

    def read(text: str) -> float:
        if not low <= (value := seconds(text)) <= high:
            raise ValueError
        return value

    return Kind(f"{low:g} to {high:.12g} seconds (or as 90s, 5m, 1h30m, 30d)", read)


def choice(*words: Word) -> Kind[Word]:
    """Return the kind of *words*, in upper or lower case."""
    by_text: dict[str, Word] = {word: word for word in words}

    def read(text: str) -> Word:
        if text.lower() not in by_text:
            raise ValueError
        return by_text[text.lower()]

    return Kind(" or ".join(words), read)


text = Kind("text in UTF-8", _text)
redis = Kind(
    "a URL that begins with redis://, rediss://, unix:// or redis+sentinel://",
    _redis,
    _scheme,  # the rest may hold a password
)
address = Kind("HOST:PORT, such as 127.0.0.1:8080 or *:8080", _address)
replicas = Kind("local, or replicated:N with N replicas", _replicas)
zone = Kind("a time zone such as UTC or America/Sao_Paulo", _zone)

_levels = choice("debug", "info", "warning", "error", "critical")
level = Kind(
    _levels.expected, lambda text: _levels.read("warning" if text.lower() == "warn" else text).upper()
)
"""Levels of logging, read as Python's names for them."""
