"""Parts of a body that change nothing, and the names under which people may see them."""

import re
from dataclasses import dataclass
from functools import lru_cache

_MAX_NAME = 64
_MAX_DIGITS = 8
# What a kind or a status may be spelled with. An address, a document, a telephone number may not.
_VISIBLE = re.compile(r"[\w.:/() -]+")


@dataclass(frozen=True, slots=True)
class Skipped:
    """A part of a body that is acknowledged without effect: *name* is its kind, or what stands in for it."""

    name: str


def unknown_kind(kind: str) -> Skipped:
    """Return a part whose kind is unknown."""
    return Skipped(visible_word(kind) or "(unknown kind)")


def unknown_word(kind: str, word: str) -> Skipped:
    """Return a part of the kind *kind* that states nothing but an unknown status word."""
    return Skipped(f"{kind} ({visible_word(word) or 'unknown status'})")


def visible_word(text: str) -> str | None:
    """Return *text* where it can be a word that services use, and nothing personal; else None."""
    short = text.strip()
    return short if len(short) <= _MAX_NAME and _is_word(short) else None


# Services use few words, and each of their messages repeats some.
@lru_cache(maxsize=1024)
def _is_word(short: str) -> bool:
    return (
        _VISIBLE.fullmatch(short) is not None
        and short.isprintable()
        and sum(map(str.isdigit, short)) <= _MAX_DIGITS
    )
