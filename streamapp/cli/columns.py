"""Rows in columns, as a terminal and a pipe can both read them."""

from collections.abc import Collection, Sequence

from streamapp.cli.text import printable


def aligned(rows: Sequence[Sequence[str]], *, right: Collection[int] = ()) -> list[str]:
    """Answer a line for each row, in which a cell of any column begins below the one above it.

    The cells of the columns *right* end below each other instead, as numbers do.
    """
    from rich.cells import cell_len  # noqa: PLC0415 - slow to import

    shown = [[printable(cell) for cell in row] for row in rows]
    widths = [max(map(cell_len, column)) for column in zip(*shown, strict=True)]

    def padded(position: int, cell: str) -> str:
        gap = " " * (widths[position] - cell_len(cell))
        return gap + cell if position in right else cell + gap

    return ["  ".join(padded(n, cell) for n, cell in enumerate(row)).rstrip() for row in shown]
