"""What a worker cannot notice from inside its event loop: that the loop is blocked, or that a poll never returns."""

import logging
import threading
import time
from typing import Any

import pytest
from anyio import fail_after, sleep

from rigs.worker import Add, Count, Rig, logged, until
from streamapp.redis.store import RedisStore
from streamapp.testing import Hang


def blocked(caplog: pytest.LogCaptureFixture, agent: str) -> list[logging.LogRecord]:
    """Return the log records that say that *agent* blocks the loop; a busy machine may cause others."""
    records = logged(caplog, "the event loop is blocked")
    return [record for record in records if record.agent == agent]  # type: ignore[attr-defined]  # an extra


@pytest.fixture
async def rig(store: RedisStore, prefix: str) -> Rig:
    """The usual rig; the loop counts as blocked after a quarter of a second."""
    return await Rig(store, prefix).create(visibility=1)


async def test_the_report_of_a_blocked_loop_names_the_agent(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    """The operator has to know which code to look at."""

    async def blocking(events: Any) -> None:
        async for event in events:
            time.sleep(0.8)
            await rig.counts.update(event.key, event)

    rig.agent(blocking)
    await rig.send([Add("a")])
    await rig.work_off()
    (record,) = blocked(caplog, "blocking")

    assert "test_watchdog.py" in record.where  # type: ignore[attr-defined]  # an extra
    assert rig.tally.of("blocked", "blocking") == 1


async def test_a_blocked_loop_is_reported_while_it_is_blocked(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    """A loop that stays blocked would otherwise never be reported."""
    lines: list[int] = []

    async def blocking(events: Any) -> None:
        async for _ in events:
            time.sleep(0.8)
            lines.append(len(blocked(caplog, "blocking")))

    rig.agent(blocking)
    await rig.send([Add("a")])
    await rig.work_off()

    assert lines == [1]


async def test_code_that_an_agent_calls_is_reported_as_the_agents(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    """A function that the agent calls, such as a fold, has no name that an operator knows."""

    async def deep(seconds: float) -> None:
        time.sleep(seconds)

    async def calling(events: Any) -> None:
        async for _ in events:
            await deep(0.6)

    rig.agent(calling)
    await rig.send([Add("a")])
    await rig.work_off()

    assert len(blocked(caplog, "calling")) == 1


async def test_each_time_that_the_loop_is_blocked_is_reported_once(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    """One log line for each time, however long it takes."""

    async def blocking(events: Any) -> None:
        async for _ in events:
            time.sleep(0.8)
            await sleep(0.3)

    rig.agent(blocking, instances=1)
    await rig.send([Add("a"), Add("b")])
    await rig.work_off()

    assert len(blocked(caplog, "blocking")) == 2


async def test_all_goes_on_once_the_loop_is_free(rig: Rig) -> None:
    """A blocked loop costs time, and nothing else."""

    async def blocking(events: Any) -> None:
        async for event in events:
            if event.key == "slow":
                time.sleep(0.6)
            await rig.counts.update(event.key, event)

    rig.agent(blocking)
    await rig.send([Add("slow"), *(Add("a") for _ in range(8))])
    await rig.work_off()

    assert await rig.state("a") == Count(8, 8)
    assert rig.tally.of("lost") == 0
    assert rig.sqs.ledger.receives("orders").most_common(1)[0][1] == 1


async def test_a_poll_that_does_not_return_is_reported_once(
    rig: Rig, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A consumer that gets no response looks like one that has nothing to do."""
    monkeypatch.setattr("streamapp.worker.watchdog.SILENCE", 0.2)
    rig.count()
    hang = rig.sqs.faults.add("receive", Hang(), times=1)
    async with rig.running():
        await until(lambda: logged(caplog, "a poll has not returned"))
        await sleep(0.4)
        hang.remove()
        await until(lambda: rig.sqs.ledger.calls("receive"))

    (record,) = logged(caplog, "a poll has not returned")
    assert record.levelno == logging.ERROR
    assert record.queue == "orders"  # type: ignore[attr-defined]  # an extra
    assert rig.tally.of("silent", "orders") == 1


async def test_a_poll_that_does_not_return_again_is_reported_again(
    rig: Rig, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second time is a new failure."""
    monkeypatch.setattr("streamapp.worker.watchdog.SILENCE", 0.2)
    rig.count()
    async with rig.running():
        for times in (1, 2):
            with rig.sqs.faults.add("receive", Hang(), times=1):
                await until(lambda times=times: rig.tally.of("silent") == times)
            await sleep(0.3)

    assert len(logged(caplog, "a poll has not returned")) == 2


async def test_nothing_is_reported_when_all_is_well(
    rig: Rig, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Warnings without a cause are soon read by nobody."""
    monkeypatch.setattr("streamapp.worker.watchdog.SILENCE", 0.5)
    rig = await Rig(rig.store, rig.config.key_prefix + "x").create()
    rig.count()
    await rig.send(Add(str(n % 5)) for n in range(100))
    with fail_after(10):
        await rig.work_off(idle=1)

    assert rig.tally.of("ok") == 100
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []
    assert {"blocked", "silent", "crashing"}.isdisjoint(rig.tally.words())


async def test_the_watch_ends_with_its_worker(rig: Rig) -> None:
    """A thread that stays behind would watch a loop that is gone."""
    rig.count()
    await rig.work_off()

    await until(lambda: not [it for it in threading.enumerate() if it.name == "streamapp watch"])
