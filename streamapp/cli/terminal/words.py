"""Numbers and durations in words."""


def many(number: int, word: str) -> str:
    """Return `1 letter`, `2 letters`."""
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"


def duration(milliseconds: float) -> str:
    """Return a duration in one unit, such as `3 min`."""
    seconds = max(0.0, milliseconds / 1000)
    for limit, unit, word in ((1, 0.001, "ms"), (120, 1, "s"), (7200, 60, "min"), (172_800, 3600, "h")):
        if seconds < limit:
            return f"{seconds / unit:.0f} {word}"
    return f"{seconds / 86400:.0f} d"
