"""The fault rows: each is one file, with a short form for every run and a long form, and prints its figure."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import pytest

from faults.figures import COUNTED, JUDGED, Row, Table, renewed, table
from faults.letters import Letters, every_sqs
from streamapp.testing.sqs.simulator import SqsSimulator

ROWS = pytest.StashKey[dict[Table, list[Row]]]()
"""The lines of each table that this run has measured."""


class _Judged(Protocol):
    """The results of the fault tests in this run."""

    lost: int
    wrong: int
    unannounced: int
    duplicates: int
    announced: int
    recovery: float


@pytest.fixture
def judged(request: pytest.FixtureRequest) -> Callable[[str, int, _Judged], None]:
    """Adds a row to the table that is printed at the end, and written to `--figures FILE`."""

    def note(fault: str, runs: int, it: _Judged) -> None:
        share = 100 * it.duplicates / it.announced if it.announced else 0.0
        again, recovery = f"{it.duplicates} ({share:.2f} %)", f"{it.recovery:.1f} s"
        cells = (fault, str(runs), str(it.lost), str(it.wrong), str(it.unannounced), again, recovery)
        _note(request, JUDGED, cells)

    return note


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config
) -> None:
    """Print the tables, as Markdown, so that they can be read here, and renew their lines in `--figures FILE`."""
    del exitstatus
    for kind, rows in config.stash.get(ROWS, {}).items():
        if kind is JUDGED:
            terminalreporter.write_line("\n" + table(rows))
        for file in config.getoption("--figures"):
            page = Path(file)
            page.write_text(renewed(page.read_text(), rows, kind))


def _note(request: pytest.FixtureRequest, kind: Table, row: Row) -> None:
    tables = request.config.stash.setdefault(ROWS, {})
    tables.setdefault(kind, []).append(row)


@pytest.fixture(scope="module", autouse=True)
def made() -> Iterator[list[SqsSimulator]]:
    """Each SQS that this file's rows make."""
    with every_sqs() as noted:
        yield noted


@pytest.fixture(autouse=True)
def letters(made: list[SqsSimulator], record_property: Callable[[str, object], None]) -> Iterator[Letters]:
    """The ledger of dead letters; at the end of each row it is checked, also where the row does not ask for it."""
    before = len(made)
    ledger = Letters()
    yield ledger
    ledger.look_through(made)
    del made[before:]
    record_property("letters", str(ledger))
    assert ledger.faults == []


@pytest.fixture
def long(request: pytest.FixtureRequest) -> bool:
    """Whether the long form was asked for."""
    return bool(request.config.getoption("--long"))


@pytest.fixture
def figure(request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Prints a figure past pytest's capture, so that it is seen when a row is run alone, and notes it for the page."""
    number, _, about = request.node.path.stem.removeprefix("test_row_").partition("_")
    claim = request.node.name.removeprefix("test_").replace("_", " ").replace("[", " [").replace("|", "/")

    def show(text: str) -> None:
        with capsys.disabled():
            print(f"\nrow {number} {about.replace('_', ' ')}: {text}")  # noqa: T201 - printing is its purpose
        # What a row that is judged counts besides is in the other table.
        if "judged" not in request.fixturenames:
            _note(request, COUNTED, (f"{int(number)} {claim}", text.replace("|", "/")))

    return show
