"""What a tap record says in a few words: the fields that it changed, or the values in its body."""

import re
from collections.abc import Collection, Iterator
from typing import cast

from streamapp.observe.tap_record import Effect, TapRecord
from streamapp_codecs.codec import HIDDEN

MAX_VALUES = 3
"""Values of one record that fit on a line."""

SHORT = 40
"""Characters of a text that is shown on a line. Longer ones are left to `tail -o pretty`."""

_TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z")


def changes_of(effect: Effect, quiet: Collection[str] = ()) -> list[str]:
    """Return what changed, the most important first: no times, no long texts, and no field in *quiet*."""
    changes = [
        (name, old, new)
        for name, (old, new) in effect.fields.items()
        if name not in quiet and _is_worth_showing(new, effect.key) and _is_worth_showing(old, effect.key)
    ]
    # Words first: a number that changed says less.
    changes.sort(key=lambda it: not any(map(str.isalpha, it[2] or "")))
    return [f"{name} {new}" if old is None else f"{name} {old} → {new or '-'}" for name, old, new in changes]


def body_values(record: TapRecord) -> list[str]:
    """Return the first few names and values in the body of *record*."""
    return list(_values(record, record.content))[:MAX_VALUES]


def _values(record: TapRecord, value: object) -> Iterator[str]:
    """Return the names and values in a body, without those that are masked or already stand on the line."""
    if not isinstance(value, dict):
        return
    for name, member in cast("dict[str, object]", value).items():
        if isinstance(member, dict):
            yield from _values(record, cast("object", member))
        elif (
            isinstance(member, (str, int, float))
            and str(member) not in {record.event_type, HIDDEN}
            and _is_worth_showing(str(member), record.key or "")
        ):
            yield f"{name} {member}"


def _is_worth_showing(text: str | None, key: str) -> bool:
    return text is None or (len(text) <= SHORT and text != key and not _TIME.fullmatch(text))
