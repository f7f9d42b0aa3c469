"""The age of a card on a board: in digits, and in a word if it is too old."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from streamapp.declared.boards import Board, Card

WARN, LATE = 600.0, 900.0
"""Seconds after which a card without an estimate of its own is nearly late, and late."""

AgeLimits = tuple[float | None, float | None]
"""Seconds after which a card is nearly late, and late; None: by its estimate."""

NEW = 60.0
"""Seconds for which a card is new."""


@dataclass(frozen=True, slots=True)
class AgeMark:
    """Whether a card is new or late. *word* says it in the app's language, so that colour is never the only sign."""

    level: Literal["new", "usual", "warn", "late", "old"]
    word: str = ""


def mark_of(board: Board, column: str, card: Card, now: datetime, limits: AgeLimits) -> AgeMark:
    """Return the mark of *card* in *column*. *limits* are the ages that the user gave for nearly late and late."""
    if card.since is None:
        return AgeMark("usual")
    age, words = (now - card.since).total_seconds(), board.words
    if column not in board.ageing:
        if column != board.columns[-1]:
            return AgeMark("usual")
        level: Literal["new", "usual", "old"] = "new" if age < NEW else "old" if age > WARN else "usual"
        return AgeMark(level, words.new if level == "new" else "")
    warn = limits[0] if limits[0] is not None else card.due if card.due is not None else WARN
    late = limits[1] if limits[1] is not None else max(LATE, warn * 1.5)
    if age >= late:
        return AgeMark("late", f"‼ {words.late}")
    return AgeMark("warn", f"⚠ {words.warn}") if age >= warn else AgeMark("usual")


def age_text(card: Card, now: datetime) -> str:
    """Return the age as `04:10`, `1:04:10` or `3 d`."""
    if card.since is None:
        return ""
    minutes, seconds = divmod(max(0, int((now - card.since).total_seconds())), 60)
    hours, minutes = divmod(minutes, 60)
    if hours >= 24:  # noqa: PLR2004 - a day
        return f"{hours // 24} d"
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes:02}:{seconds:02}"
