"""Values as text: JSON, amounts and times."""

import json
from datetime import UTC, datetime


def to_json(value: object) -> str:
    """Return *value* as JSON text, accents as they are."""
    return json.dumps(value, ensure_ascii=False)


def to_compact_json(value: object) -> str:
    """Return *value* as JSON text without spaces, as fields of a hash hold it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def to_rfc3339(time: datetime) -> str:
    """Return *time* in RFC 3339, in UTC with a Z."""
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z")


def to_decimal(cents: int) -> str:
    """Return the decimal text of an amount."""
    return f"{cents // 100}.{cents % 100:02}"
