"""Times as people write them: so long ago, or a date."""

import time
from datetime import datetime

from streamapp.setting_types import BadSetting, seconds


def unix_ms(flag: str, text: str | None) -> int | None:
    """Return the Unix milliseconds of a time such as `10m` ago, or of an ISO 8601 time (local if it names no zone).

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
