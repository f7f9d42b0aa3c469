"""Log lines about a recurring failure are few, and all repetitions are counted."""

import logging
from typing import Any

import pytest

from rigs.worker import Add, Rig, logged
from streamapp.observe.quiet_log import CAUSES, QuietLog, _all, log_repetitions

logger = logging.getLogger("streamapp.test")


@pytest.fixture(autouse=True)
def nothing_left_to_tell(caplog: pytest.LogCaptureFixture) -> None:
    """Begin without the repetitions of other tests' workers: the logs belong to the process."""
    for quiet_log in list(_all):
        for logged_cause in quiet_log._logged.values():
            logged_cause.suppressed = 0
    caplog.clear()


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


async def test_the_last_repetitions_are_told_too(caplog: pytest.LogCaptureFixture) -> None:
    """No further line may come that would tell them."""
    quiet_log = QuietLog(logger)
    for number in range(5):
        quiet_log.log(logging.WARNING, "it failed", "cause", number=number)

    log_repetitions()
    assert len(caplog.records) == 1, "the cause may come again within ten seconds"
    for _ in range(2):
        log_repetitions(at_once=True)

    told = [(getattr(it, "number", None), getattr(it, "repeated", 0)) for it in caplog.records]
    assert told == [(0, 0), (4, 4)]


async def test_the_repetitions_of_a_forgotten_cause_are_told(caplog: pytest.LogCaptureFixture) -> None:
    """All are counted."""
    quiet_log = QuietLog(logger)
    for cause in ["first", "first", *map(str, range(CAUSES))]:
        quiet_log.log(logging.WARNING, "it failed", cause)

    assert counted(caplog.records) == CAUSES + 2


async def test_messages_that_fail_alike_are_a_few_lines_that_count_them(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    """A release that breaks at everything must not fill a disk, nor hide how often it broke."""

    async def failing(events: Any) -> None:
        async for event in events:
            if event.n == 2:
                raise KeyError(event.key)
            raise ValueError(event.key)

    rig.agent(failing)
    await rig.send([Add(str(n), 1 + n % 2) for n in range(300)])
    await rig.send(["no json"] * 30)

    await rig.work_off()
    log_repetitions(at_once=True)

    failed, dead = logged(caplog, "an agent failed"), logged(caplog, "a message was dead-lettered")
    assert counted(failed) == rig.tally.of("retry") + rig.tally.of("dead")
    assert counted(dead) == 330
    assert len(failed) < 100
    assert len(dead) < 100
    told = {(vars(it)["reason"], vars(it)["detail"]) for it in dead}
    assert {("attempts_exhausted", "KeyError"), ("attempts_exhausted", "ValueError")} <= told
    assert any(reason == "not_json" for reason, _ in told)
    assert {it.exc_info[0] for it in failed if it.exc_info} == {KeyError, ValueError}


def counted(records: list[logging.LogRecord]) -> int:
    """Return how often it happened, by what these lines say: each tells one, or the repetitions of earlier ones."""
    return sum(getattr(record, "repeated", 0) + (0 if is_only_count(record) else 1) for record in records)


def is_only_count(record: logging.LogRecord) -> bool:
    """Whether the line tells of repetitions alone."""
    return bool(getattr(record, "repeated", 0)) and record.funcName == "_log_repeated"
