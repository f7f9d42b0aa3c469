"""Times as people give them: so long ago, or a moment."""

import time
from datetime import datetime

from streamapp.setting_types import BadSetting, seconds


def moment(flag: str, text: str | None) -> int | None:
    """Return Unix milliseconds of `10m` or `1h30m` ago, or of an ISO 8601 time (local where it names no zone).

    Raises `BadSetting`.
    """
    if text is None:
        return None
    try:
        return int((time.time() - seconds(text)) * 1000)
    except (ValueError, OverflowError):
        pass
    try:
        return int(datetime.fromisoformat(text).timestamp() * 1000)
    except (ValueError, OverflowError, OSError) as error:
        raise BadSetting(flag, "a time such as 10m, 1h30m or 2025-07-28T15:00", text) from error


def wait(flag: str, text: str | None) -> float | None:
    """Return the seconds of `30s` or `5m`. Raises `BadSetting`."""
    try:
        return None if text is None else seconds(text)
    except ValueError as error:
        raise BadSetting(flag, "seconds, as 30s or 5m", text or "") from error
