"""The choices of `tail` for how records are shown. Imports nothing slow, so that `--help` is quick."""

from enum import StrEnum
from typing import Literal

RecordForm = Literal["line", "pretty", "json", "raw"]
"""How a record is printed."""

TimeForm = Literal["local", "utc", "ago", "none"]
"""How its time is printed."""

WhenColoured = Literal["auto", "always", "never"]
"""When colours are used."""


class OutcomeWord(StrEnum):
    """How an attempt ended: the words of `Outcome`. typer takes no list of a Literal."""

    ok = "ok"
    duplicate = "duplicate"
    skipped = "skipped"
    retry = "retry"
    dead = "dead"
    invalid = "invalid"
    sent = "sent"
    refused = "refused"
