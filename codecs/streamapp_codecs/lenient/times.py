"""Times in every spelling that was seen, as aware UTC; a value that is no time is no error."""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal

from streamapp_codecs.lenient.values import is_array, is_number

# Before it, a time is what a library writes for none: 0001-01-01, 1970-01-01.
_FIRST_YEAR = 2000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# A number of a later year is no time since the epoch: 20250728120000 is a date without its separators.
_LAST_YEAR_OF_EPOCH = 2100
# The size of an epoch number gives its unit: seconds reach 1e11 in the year 5138, milliseconds did in 1973.
_MICROS_PER_UNIT = (
    (Decimal("1e11"), Decimal("1e6")),
    (Decimal("1e14"), Decimal("1e3")),
    (Decimal("1e17"), Decimal(1)),
    (Decimal("1e20"), Decimal("1e-3")),
)
_MAX_TEXT = 64
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}(?!\d)|\d{8}(?:$|T)", re.ASCII)
_ZONE_AT_END = re.compile(r"(?P<utc>\s*UTC|z)$|\[[^\]]*\]$|\s(?=[+-]\d{2}:?\d{2}$)", re.ASCII)
_EPOCH_IN_TEXT = re.compile(r"\d{9,20}(?:\.\d{1,9})?", re.ASCII)
_DAY_FIRST = re.compile(
    r"(\d{2})/(\d{2})/(\d{4})(?:[ T,]\s*(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,6})\d*)?)?)?", re.ASCII
)


def read_time(value: object, zone: tzinfo) -> datetime | None:
    """Return the time that *value* states in UTC, from 2000 on; *zone* is that of a time without one."""
    try:
        read = _read(value)
        if read is None or read.year < _FIRST_YEAR - 1:
            return None
        time = (read if read.tzinfo is not None else read.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return time if time.year >= _FIRST_YEAR else None


def _read(value: object) -> datetime | None:
    if isinstance(value, str):
        return _from_text(value)
    if is_number(value):
        return _from_epoch(Decimal(value))
    return _from_array(value) if is_array(value) else None


def _from_text(text: str) -> datetime | None:
    text = text.strip()
    if len(text) > _MAX_TEXT:
        return None
    if _ISO.match(text):
        return _from_iso(text)
    if _EPOCH_IN_TEXT.fullmatch(text):
        return _from_epoch(Decimal(text))
    match = _DAY_FIRST.fullmatch(text)
    return None if match is None else _from_day_first(match)


def _from_iso(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return datetime.fromisoformat(_ZONE_AT_END.sub(lambda end: "Z" if end["utc"] else "", text))


def _from_day_first(match: re.Match[str]) -> datetime:
    day, month, year, hour, minute, second, fraction = match.groups(default="0")
    micros = int(fraction.ljust(6, "0"))
    return datetime(int(year), int(month), int(day), int(hour), int(minute), int(second), micros)  # noqa: DTZ001 - its zone comes later


def _from_epoch(number: Decimal) -> datetime | None:
    if not number.is_finite() or number < 0:
        return None
    for limit, micros in _MICROS_PER_UNIT:
        if number < limit:
            time = _EPOCH + timedelta(microseconds=int(number * micros))
            return time if time.year <= _LAST_YEAR_OF_EPOCH else None
    return None


def _from_array(value: list[object]) -> datetime | None:
    """Read what Jackson writes for a LocalDateTime: year, month, day, hour, minute, second, nanoseconds."""
    parts = [part for part in value if isinstance(part, int) and not isinstance(part, bool)]
    if len(parts) != len(value) or not 3 <= len(parts) <= 7 or len(parts) == 4:
        return None
    year, month, day, hour, minute, second, nanos = parts + [0] * (7 - len(parts))
    return datetime(year, month, day, hour, minute, second, nanos // 1000)  # noqa: DTZ001 - its zone comes later
