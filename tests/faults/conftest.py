"""The fault rows: each is one file, has a short form for every run and a long one, and prints its figure."""

from collections.abc import Callable

import pytest


@pytest.fixture
def long(request: pytest.FixtureRequest) -> bool:
    """Whether the long form was asked for."""
    return bool(request.config.getoption("--long"))


@pytest.fixture
def figure(request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Prints what was measured, past pytest's capture, so that whoever runs a row alone reads it."""

    def show(text: str) -> None:
        with capsys.disabled():
            print(f"\n{request.node.path.stem.removeprefix('test_').replace('_', ' ')}: {text}")  # noqa: T201 - that is its work

    return show
