"""The table of figures in docs/guarantees.md."""

from pathlib import Path

from faults.figures import BEGIN, COLUMNS, END, renewed, table

DOCUMENT = Path(__file__).parents[2] / "docs" / "guarantees.md"


def row(fault: str, runs: str) -> tuple[str, ...]:
    """Return one row of the table."""
    return (fault, runs, "0", "0", "0", "0 (0.00 %)", "1.0 s")


def test_a_run_renews_its_own_lines_only() -> None:
    """Rows that take an hour are run one by one, and the table is complete all the same."""
    page = f"What people wrote.\n\n{BEGIN}\n\n{table([row('9 b', '1'), row('2 a', '1')])}\n{END}\nAnd more.\n"

    again = renewed(page, [row("2 a", "300"), row("10 c", "1")])

    assert again == (
        f"What people wrote.\n\n{BEGIN}\n\n"
        f"{table([row('2 a', '300'), row('9 b', '1'), row('10 c', '1')])}\n{END}\nAnd more.\n"
    )
    assert again.index("| 2 a | 300") < again.index("| 9 b | 1 ") < again.index("| 10 c")
    assert renewed(again, []) == again


def test_the_page_of_guarantees_has_the_table() -> None:
    """A run has somewhere to write to."""
    text = DOCUMENT.read_text()

    assert renewed(text, []) == text
    assert COLUMNS[0] in text.partition(BEGIN)[2].partition(END)[0]
