"""Rows in columns, as a terminal and a pipe can both read them."""

from collections.abc import Collection, Sequence
from textwrap import wrap

from streamapp.cli.terminal.sanitize import printable

LEAST = 30
"""Columns of a terminal that a text is folded into beside what belongs to it; with fewer it stands below."""

GAP = 2
"""Columns of a terminal between two cells."""

INDENT = 6
"""Columns by which a text that stands below is moved in."""


def aligned(
    rows: Sequence[Sequence[str]],
    *,
    right: Collection[int] = (),
    width: int | None = None,
    spare: Sequence[int] = (),
) -> list[str]:
    """Return a line for each row, in which a cell of any column begins below the one above it.

    The cells of the columns *right* end below each other instead, as numbers do. With *width* no line is longer: the
    columns *spare* are left out, in this order, until the others have room, but for the last, whose cell is folded into
    what those leave of it.
    """
    from rich.cells import cell_len  # noqa: PLC0415 - slow to import

    columns = [[printable(cell) for cell in column] for column in zip(*rows, strict=True)]
    widths = [max(map(cell_len, column)) for column in columns]
    kept = list(range(len(columns)))
    for number in spare:
        if width is None or sum(widths[it] + GAP for it in kept[:-1]) - GAP <= width:
            break
        kept.remove(number)
    shown = list(zip(*(columns[it] for it in kept), strict=True))

    def padded(column: int, cell: str) -> str:
        gap = " " * (widths[column] - cell_len(cell))
        return gap + cell if column in right else cell + gap

    lines = [(" " * GAP).join(map(padded, kept, row)).rstrip() for row in shown]
    if width is None:
        return lines
    begins = sum(widths[it] + GAP for it in kept[:-1])
    return [
        part
        for row, line in zip(shown, lines, strict=True)
        for part in ([line] if cell_len(line) <= width else _folded(line, row[-1], begins, width))
    ]


def _folded(line: str, last: str, begins: int, width: int) -> list[str]:
    """Return *line* in several: its *last* cell, which *begins* there, beside the others or below them."""
    head = line.removesuffix(last)
    if width - begins < LEAST:
        indent = " " * min(INDENT, width // 4)
        return [
            head.rstrip(),
            *wrap(last, width, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False),
        ]
    first, *others = wrap(last, width - begins, break_on_hyphens=False)
    return [head + first, *(" " * begins + other for other in others)]
