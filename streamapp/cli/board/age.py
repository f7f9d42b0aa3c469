"""How old a card of a board is, in digits, and whether that is too old, in a word."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from streamapp.declared.boards import Board, Card

WARN, LATE = 600.0, 900.0
"""Seconds from which a card is nearly late and late, where it has no estimate of its own."""

NEW = 60.0
"""Seconds for which a card that has just come is called new."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a card stands: *word* in the app's language, never by colour alone."""

    level: Literal["new", "usual", "warn", "late", "old"]
    word: str = ""


def standing(
    board: Board, column: str, card: Card, now: datetime, ages: tuple[float | None, float | None]
) -> Standing:
    """Return how *card* stands in *column*; *ages* are those asked for, from which one is nearly late, and late."""
    if card.since is None:
        return Standing("usual")
    age, words = (now - card.since).total_seconds(), board.words
    if column not in board.ageing:
        if column != board.columns[-1]:
            return Standing("usual")
        level: Literal["new", "usual", "old"] = "new" if age < NEW else "old" if age > WARN else "usual"
        return Standing(level, words.new if level == "new" else "")
    warn = ages[0] if ages[0] is not None else card.due if card.due is not None else WARN
    late = ages[1] if ages[1] is not None else max(LATE, warn * 1.5)
    if age >= late:
        return Standing("late", f"‼ {words.late}")
    return Standing("warn", f"⚠ {words.warn}") if age >= warn else Standing("usual")


def clock(card: Card, now: datetime) -> str:
    """Return the age as `04:10`, `1:04:10` or `3 d`."""
    if card.since is None:
        return ""
    minutes, seconds = divmod(max(0, int((now - card.since).total_seconds())), 60)
    hours, minutes = divmod(minutes, 60)
    if hours >= 24:  # noqa: PLR2004 - a day
        return f"{hours // 24} d"
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes:02}:{seconds:02}"
