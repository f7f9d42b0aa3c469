"""Findings on a terminal and in a pipe."""

from collections.abc import Sequence
from textwrap import wrap

from rich.console import Console
from rich.text import Text

from streamapp.cli.doctor.checkup import Finding
from streamapp.cli.terminal import output as out
from streamapp.cli.terminal.sanitize import printable
from streamapp.cli.terminal.words import many

_MARKS = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "problem": ("✗", "bold red")}

WIDTH = 22
"""Width of a subject: the longest stream name of most apps."""

NARROW = 60
"""Width of a terminal below which a text stands under its subject."""


class FindingPrinter:
    """Prints each finding: a mark, its subject, what was found, and below it the cure."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def print(self, finding: Finding) -> None:
        """Print *finding*."""
        mark, colour = _MARKS[finding.mark]
        first, *others = self._folded(f"{printable(finding.subject):<{WIDTH}} ", printable(finding.text))
        self._print_line(Text(mark, style=colour) + Text(f" {first}"))
        for line in others:
            self._print_line(Text(f"  {line}"))
        if finding.cure:  # on one line, to be copied
            indent = "" if self._is_narrow else " " * WIDTH
            self._print_line(Text(f"  {indent} → {printable(finding.cure)}", style="cyan"))

    def _print_line(self, line: Text) -> None:
        out.clear()
        self._console.print(line, soft_wrap=True)

    @property
    def _is_narrow(self) -> bool:
        return self._console.is_terminal and self._console.width < NARROW

    def _folded(self, subject: str, text: str) -> list[str]:
        """Return *subject* and *text* in lines: in a pipe one, on a terminal as many as they need."""
        if not self._console.is_terminal:
            return [subject + text]
        if self._is_narrow:
            return [
                subject.rstrip(),
                *wrap(
                    text,
                    self._console.width - 4,
                    initial_indent="  ",
                    subsequent_indent="  ",
                    break_on_hyphens=False,
                ),
            ]
        return wrap(
            subject + text,
            self._console.width - 2,
            subsequent_indent=" " * len(subject),
            break_on_hyphens=False,
        )

    def sum_up(self, findings: Sequence[Finding]) -> None:
        """Print the number of problems and warnings."""
        problems, warnings = (sum(it.mark == mark for it in findings) for mark in ("problem", "warning"))
        total = (
            f"{many(problems, 'problem')}, {many(warnings, 'warning')}"
            if problems or warnings
            else "all is well"
        )
        self._print_line(Text(total, style="bold"))
