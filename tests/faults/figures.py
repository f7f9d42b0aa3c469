"""The table of what the rig measured, in docs/guarantees.md; each run renews the lines of what it ran."""

import re
from collections.abc import Iterable

BEGIN, END = "<!-- rig: written by `just chaos` -->", "<!-- rig: end -->"
COLUMNS = ("fault", "runs", "lost", "wrong", "unannounced", "announced again", "worst recovery")

Row = tuple[str, ...]


def table(rows: Iterable[Row]) -> str:
    """Return *rows* as Markdown, by fault."""
    all_rows = (COLUMNS, ("---",) * len(COLUMNS), *sorted(rows, key=_order))
    return "".join("| " + " | ".join(cells) + " |\n" for cells in all_rows)


def renewed(page: str, rows: Iterable[Row]) -> str:
    """Return *page* with *rows* in its table in place of those of the same faults. The other rows stay."""
    before, _, rest = page.partition(BEGIN)
    old, _, after = rest.partition(END)
    lines = [
        tuple(cell.strip() for cell in line.strip("| ").split("|"))
        for line in old.splitlines()
        if line.startswith("|")
    ]
    by_fault = {row[0]: row for row in (*lines[2:], *rows)}
    return f"{before}{BEGIN}\n\n{table(by_fault.values())}\n{END}{after}"


def _order(row: Row) -> tuple[int, str]:
    number = re.match(r"\d+", row[0])
    return int(number[0]) if number else 0, row[0]
