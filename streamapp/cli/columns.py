"""Rows in columns, as a terminal and a pipe can both read them."""

from collections.abc import Sequence

from streamapp.cli.text import printable


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Answer a line for each row, in which a cell of any column begins below the one above it."""
    from rich.cells import cell_len  # noqa: PLC0415 - slow to import

    shown = [[printable(cell) for cell in row] for row in rows]
    widths = [max(map(cell_len, column)) for column in zip(*shown, strict=True)]
    return [
        "  ".join(
            cell + " " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in shown
    ]
