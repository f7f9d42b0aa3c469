"""What the text of a setting means, or what is wrong with it.

Each of these is a `Parse`, or answers one; what cannot be meant raises `BadSetting`.
"""

import re
from collections.abc import Callable
from datetime import UTC, tzinfo
from typing import Any

from streamapp.errors import ConfigError

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


class BadSetting(ConfigError):
    """A variable holds what it cannot mean."""

    def __init__(self, name: str, expected: str, got: str) -> None:
        super().__init__(f"{name}: expected {expected}, got {got!r}")


Parse = Callable[[str, str], Any]
"""Answers what a variable of this name means by this text."""


def seconds(text: str) -> float:
    """Return the seconds that *text* means: `90`, `1h30m`, `30d`. Raises ValueError."""
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return float(text)
    if not re.fullmatch(r"(\d+(\.\d+)?[smhd])+", text):
        raise ValueError(text)
    return sum(float(number) * _UNITS[unit] for number, unit in re.findall(r"([\d.]+)([smhd])", text))


def text(variable: str, it: str) -> str:
    """Return the text as it is."""
    try:
        it.encode()
    except UnicodeEncodeError as error:  # so Python reads bytes that are no text
        raise BadSetting(variable, "text in UTF-8", it) from error
    return it


def redis(variable: str, text: str) -> str:
    """Return the URL of a Redis."""
    schemes = ("redis://", "rediss://", "unix://", "redis+sentinel://", "rediss+sentinel://")
    if not text.startswith(schemes):
        # The URL may hold a password, so what came is not shown.
        raise BadSetting(
            variable,
            "a URL that begins with redis://, rediss://, unix:// or redis+sentinel://",
            text.split(":", maxsplit=1)[0],
        )
    return text


def whole(low: int, high: int) -> Parse:
    """Return what reads a whole number from *low* to *high*."""

    def parse(variable: str, text: str) -> int:
        if not re.fullmatch(r"\d{1,9}", text) or not low <= int(text) <= high:
            raise BadSetting(variable, f"a whole number from {low} to {high}", text)
        return int(text)

    return parse


def duration(low: float, high: float) -> Parse:
    """Return what reads a time from *low* to *high* seconds."""

    def parse(variable: str, text: str) -> float:
        try:
            value = seconds(text)
        except ValueError:
            value = -1.0
        if not low <= value <= high:
            raise BadSetting(variable, f"{low:g} to {high:.12g} seconds (or as 90s, 5m, 1h30m, 30d)", text)
        return value

    return parse


def choice(*words: str) -> Parse:
    """Return what reads one of *words*, in whichever case."""

    def parse(variable: str, text: str) -> str:
        if text.lower() not in words:
            raise BadSetting(variable, " or ".join(words), text)
        return text.lower()

    return parse


def address(variable: str, text: str) -> str:
    """Return HOST:PORT."""
    host, colon, port = text.rpartition(":")
    if not (host and colon and re.fullmatch(r"\d{1,5}", port) and int(port) < 65_536):  # noqa: PLR2004 - ports
        raise BadSetting(variable, "HOST:PORT, such as 127.0.0.1:8080", text)
    return text


def replicas(variable: str, text: str) -> int:
    """Return how many replicas `local` or `replicated:N` asks for."""
    if text == "local":
        return 0
    match = re.fullmatch(r"replicated:([1-9]\d?)", text)
    if match is None:
        raise BadSetting(variable, "local, or replicated:N with N replicas", text)
    return int(match[1])


def zone(variable: str, text: str) -> tzinfo:
    """Return a time zone by its name."""
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - slow to import

    try:
        return UTC if text.upper() in {"UTC", "Z"} else ZoneInfo(text)
    except (KeyError, ValueError, OSError) as error:
        raise BadSetting(variable, "a time zone such as UTC or America/Sao_Paulo", text) from error


def level(variable: str, text: str) -> str:
    """Return a level of logging by Python's name for it."""
    words = ("debug", "info", "warning", "error", "critical")
    return str(choice(*words)(variable, "warning" if text.lower() == "warn" else text)).upper()
