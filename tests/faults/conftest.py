"""The fault rows: each is one file, with a short form for every run and a long form, and prints its figure."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import pytest

from faults.figures import Row, renewed, table

FIGURES = pytest.StashKey[list[Row]]()


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
        request.config.stash.setdefault(FIGURES, []).append(cells)

    return note


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config
) -> None:
    """Print the table, as Markdown, so that it can be read here, and renew its lines in `--figures FILE`."""
    del exitstatus
    if rows := config.stash.get(FIGURES, []):
        terminalreporter.write_line("\n" + table(rows))
        for file in config.getoption("--figures"):
            page = Path(file)
            page.write_text(renewed(page.read_text(), rows))


@pytest.fixture
def long(request: pytest.FixtureRequest) -> bool:
    """Whether the long form was asked for."""
    return bool(request.config.getoption("--long"))


@pytest.fixture
def figure(request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Prints a figure past pytest's capture, so that it is seen when a row is run alone."""

    def show(text: str) -> None:
        with capsys.disabled():
            print(f"\n{request.node.path.stem.removeprefix('test_').replace('_', ' ')}: {text}")  # noqa: T201 - printing is its purpose

    return show
