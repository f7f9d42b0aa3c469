"""Rows in columns, laid out by rich, as plain lines for a terminal or a pipe."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from streamapp.cli.terminal.sanitize import printable

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

MIN_FOLDED = 30
"""Width in which the last cell of a row is folded beside the others. With less it stands below them."""

GAP = 2
"""Spaces between two cells."""

INDENT = 6
"""Spaces before a cell that stands below the others."""

UNLIMITED = 1_000_000
"""A width that no row reaches."""


def aligned(
    rows: Sequence[Sequence[str]],
    *,
    right: Collection[int] = (),
    width: int | None = None,
    spare: Sequence[int] = (),
) -> list[str]:
    """Return the lines of *rows*, with the cells of each column below each other.

    The columns *right* are aligned to the right, as numbers are. With *width*, no line is longer: the columns *spare*
    are left out, in this order, until all but the last fit, and the last is folded into what is left.
    """
    if not rows:
        return []
    from rich.cells import cell_len, set_cell_size  # noqa: PLC0415 - slow to import
    from rich.padding import Padding  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    cells = [[printable(cell) for cell in row] for row in rows]
    widths = [max(map(cell_len, column)) + GAP for column in zip(*cells, strict=True)]
    *others, last = _kept(widths, width, spare)
    begins = sum(widths[it] for it in others)
    if width is None or not others or width - begins >= MIN_FOLDED:
        return _lines(_table(cells, [*others, last], right), width)
    indent = (0, 0, 0, min(INDENT, width // 4))
    lines: list[str] = []
    for head, row in zip(_lines(_table(cells, others, right), None), cells, strict=True):
        line = f"{set_cell_size(head, begins)}{row[last]}".rstrip()
        below = Padding(Text(row[last]), indent, expand=False)
        lines += [line] if cell_len(line) <= width else [head, *_lines(below, width)]
    return lines


def _kept(widths: Sequence[int], width: int | None, spare: Sequence[int]) -> list[int]:
    """Return the columns that have room in *width*, the last one not counted."""
    kept = list(range(len(widths)))
    for column in spare:
        if width is None or sum(widths[it] for it in kept[:-1]) - GAP <= width:
            break
        kept.remove(column)
    return kept


def _table(cells: Sequence[Sequence[str]], columns: Sequence[int], right: Collection[int]) -> "Table":
    """Return a table of which only the last column may be folded."""
    from rich.table import Table  # noqa: PLC0415 - slow to import
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, GAP, 0, 0))
    for column in columns:
        table.add_column(
            justify="right" if column in right else "left", no_wrap=column != columns[-1], overflow="fold"
        )
    for row in cells:
        table.add_row(*(Text(row[column]) for column in columns))
    return table


def _lines(renderable: "RenderableType", width: int | None) -> list[str]:
    from rich.console import Console  # noqa: PLC0415 - slow to import

    lines = Console(width=width or UNLIMITED).render_lines(renderable, pad=False)
    return ["".join(segment.text for segment in line).rstrip() for line in lines]
