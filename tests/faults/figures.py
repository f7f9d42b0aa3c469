"""The tables of what the rig measured, in docs/guarantees.md; each run renews the lines of what it ran."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

Row = tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """A table of the page, between two comments; the first of its *columns* tells its lines apart."""

    begin: str
    end: str
    columns: Row


JUDGED = Table(
    "<!-- rig: written by `just chaos` -->",
    "<!-- rig: end -->",
    ("fault", "runs", "lost", "wrong", "unannounced", "announced again", "worst recovery"),
)
"""Rows whose states and announcements are compared with what their events imply."""

COUNTED = Table("<!-- figures: written by `just chaos` -->", "<!-- figures: end -->", ("row", "figure"))
"""Rows that count something of their own."""


def table(rows: Iterable[Row], kind: Table = JUDGED) -> str:
    """Return *rows* as Markdown, by fault."""
    all_rows = (kind.columns, ("---",) * len(kind.columns), *sorted(rows, key=_order))
    return "".join("| " + " | ".join(cells) + " |\n" for cells in all_rows)


def renewed(page: str, rows: Iterable[Row], kind: Table = JUDGED) -> str:
    """Return *page* with *rows* in its table in place of those of the same faults. The other rows stay."""
    before, _, rest = page.partition(kind.begin)
    old, _, after = rest.partition(kind.end)
    lines = [
        tuple(cell.strip() for cell in line.strip("| ").split("|"))
        for line in old.splitlines()
        if line.startswith("|")
    ]
    by_fault = {row[0]: row for row in (*lines[2:], *rows)}
    return f"{before}{kind.begin}\n\n{table(by_fault.values(), kind)}\n{kind.end}{after}"


def _order(row: Row) -> tuple[int, str]:
    number = re.match(r"\d+", row[0])
    return int(number[0]) if number else 0, row[0]
