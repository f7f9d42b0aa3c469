"""Log lines about a recurring failure are few, and all repetitions are counted."""

import logging

import pytest

from streamapp.observe.quiet_log import CAUSES, QuietLog

logger = logging.getLogger("streamapp.test")


async def test_a_cause_is_logged_once_and_then_counted(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An outage under load must not fill a disk, which may even be its cause."""
    now = 0.0
    monkeypatch.setattr("streamapp.observe.quiet_log.current_time", lambda: now)
    quiet_log = QuietLog(logger)
    for second in range(25):
        now = float(second)
        quiet_log.log(logging.WARNING, "it failed", "cause", queue="q")

    logged = [(record.getMessage(), getattr(record, "repeated", 0)) for record in caplog.records]
    assert logged == [("it failed", 0), ("it failed", 9), ("it failed", 9)]


async def test_another_cause_has_its_own_line(caplog: pytest.LogCaptureFixture) -> None:
    """A second failure must not be hidden by the first."""
    quiet_log = QuietLog(logger)
    for cause in ("a", "b", "a", "b"):
        quiet_log.log(logging.WARNING, "it failed", cause)

    assert len(caplog.records) == 2


async def test_the_number_of_remembered_causes_is_bounded() -> None:
    """An error text of a server may be different each time."""
    quiet_log = QuietLog(logger)
    for number in range(3 * CAUSES):
        quiet_log.log(logging.DEBUG, "it failed", str(number))

    assert len(quiet_log._logged) == CAUSES
