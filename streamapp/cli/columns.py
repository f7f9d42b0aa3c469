"""Rows in columns, as a terminal and a pipe can both read them."""

from collections.abc import Collection, Sequence
from textwrap import wrap

from streamapp.cli.text import printable

LEAST = 30
"""Columns of a terminal that a text is folded into beside what belongs to it; with fewer it stands below."""

INDENT = 6
"""Columns by which a text that stands below is moved in."""


def aligned(
    rows: Sequence[Sequence[str]], *, right: Collection[int] = (), width: int | None = None
) -> list[str]:
    """Answer a line for each row, in which a cell of any column begins below the one above it.

    The cells of the columns *right* end below each other instead, as numbers do. With *width* no line is longer: the
    last cell is folded into what the others leave of it.
    """
    from rich.cells import cell_len  # noqa: PLC0415 - slow to import

    shown = [[printable(cell) for cell in row] for row in rows]
    widths = [max(map(cell_len, column)) for column in zip(*shown, strict=True)]

    def padded(position: int, cell: str) -> str:
        gap = " " * (widths[position] - cell_len(cell))
        return gap + cell if position in right else cell + gap

    lines = ["  ".join(padded(n, cell) for n, cell in enumerate(row)).rstrip() for row in shown]
    if width is None:
        return lines
    begins = sum(widths[:-1]) + 2 * (len(widths) - 1)
    return [
        part
        for row, line in zip(shown, lines, strict=True)
        for part in ([line] if cell_len(line) <= width else _folded(line, row[-1], begins, width))
    ]


def _folded(line: str, last: str, begins: int, width: int) -> list[str]:
    """Answer *line* in several: its *last* cell, which *begins* there, beside the others or below them."""
    head = line.removesuffix(last)
    if width - begins < LEAST:
        indent = " " * min(INDENT, width // 4)
        return [
            head.rstrip(),
            *wrap(last, width, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False),
        ]
    first, *others = wrap(last, width - begins, break_on_hyphens=False)
    return [head + first, *(" " * begins + other for other in others)]
