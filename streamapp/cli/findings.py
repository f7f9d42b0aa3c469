"""What a check-up looks like on a terminal and in a pipe."""

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from streamapp.cli.checkup import Finding
from streamapp.cli.text import printable

_MARKS = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "problem": ("✗", "bold red")}

WIDTH = 22
"""Columns of a subject: the longest stream's name of most apps."""


def plain_console() -> Console:
    """Answer what prints texts from outside as they are, one line each, however wide the terminal is."""
    return Console(markup=False, emoji=False, highlight=False, soft_wrap=True)


class Printer:
    """Prints each finding as it comes: a mark, its subject, what was found, and below it what mends it."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def tell(self, finding: Finding) -> None:
        """Print *finding*."""
        mark, colour = _MARKS[finding.mark]
        line = Text(mark, style=colour) + Text(
            f" {printable(finding.subject):<{WIDTH}} {printable(finding.text)}"
        )
        self._console.print(line)
        if finding.cure:
            self._console.print(Text(f"  {'':<{WIDTH}} → {printable(finding.cure)}", style="cyan"))

    def sum_up(self, findings: Sequence[Finding]) -> None:
        """Print the counts."""
        problems, warnings = (sum(it.mark == mark for it in findings) for mark in ("problem", "warning"))
        told = (
            f"{_many(problems, 'problem')}, {_many(warnings, 'warning')}"
            if problems or warnings
            else "all is well"
        )
        self._console.print(Text(told, style="bold"))


def _many(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
