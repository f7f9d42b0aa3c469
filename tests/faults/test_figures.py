"""The table of figures in docs/guarantees.md."""

from pathlib import Path

import pytest

from faults.figures import COUNTED, JUDGED, Table, renewed, table

DOCUMENT = Path(__file__).parents[2] / "docs" / "guarantees.md"


def row(fault: str, runs: str) -> tuple[str, ...]:
    """Return one row of the table."""
    return (fault, runs, "0", "0", "0", "0 (0.00 %)", "1.0 s")


def test_a_run_renews_its_own_lines_only() -> None:
    """Rows that take an hour are run one by one, and the table is complete all the same."""
    page = f"What people wrote.\n\n{JUDGED.begin}\n\n{table([row('9 b', '1'), row('2 a', '1')])}\n{JUDGED.end}\nAnd more.\n"

    again = renewed(page, [row("2 a", "300"), row("10 c", "1")])

    assert again == (
        f"What people wrote.\n\n{JUDGED.begin}\n\n"
        f"{table([row('2 a', '300'), row('9 b', '1'), row('10 c', '1')])}\n{JUDGED.end}\nAnd more.\n"
    )
    assert again.index("| 2 a | 300") < again.index("| 9 b | 1 ") < again.index("| 10 c")
    assert renewed(again, []) == again


@pytest.mark.parametrize("kind", [JUDGED, COUNTED], ids=lambda it: it.columns[0])
def test_the_page_of_guarantees_has_each_table(kind: Table) -> None:
    """A run has somewhere to write to."""
    text = DOCUMENT.read_text()

    assert renewed(text, [], kind) == text
    assert f"| {kind.columns[0]} |" in text.partition(kind.begin)[2].partition(kind.end)[0]


def test_each_row_of_the_catalogue_from_33_on_has_its_figures() -> None:
    """A row that the recipe does not reach would stay without."""
    rows = {path.name[9:11] for path in Path(__file__).parent.glob("test_row_*.py")}
    lines = DOCUMENT.read_text().partition(COUNTED.begin)[2].partition(COUNTED.end)[0].splitlines()
    recipe = DOCUMENT.parents[1].joinpath("justfile").read_text().partition("\nchaos ")[2]

    for number in sorted(row for row in rows if row >= "33"):
        assert any(line.startswith(f"| {number} ") for line in lines), number
        assert f"row_{number}" in recipe.partition("\n\n")[0], number
