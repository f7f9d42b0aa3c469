"""The instances of an agent: an exception ends its message, never the agent."""

import asyncio
import logging
from dataclasses import replace
from typing import Any

import pytest
from anyio import create_task_group, fail_after, sleep, sleep_forever

from rigs.worker import Add, Count, Note, Rig, logged, until
from streamapp.pipeline.runner import MANY_FAILURES
from streamapp.testing import Partial
from streamapp.worker.worker import Worker


async def test_an_exception_ends_its_message_and_no_other(rig: Rig) -> None:
    """A message that always fails never stops others."""

    async def picky(events: Any) -> None:
        async for event in events:
            if event.n < 0:
                raise ValueError(event)
            await rig.counts.update(event.key, event)

    rig.agent(picky)
    await rig.send(Add("a", -1 if n % 10 == 0 else 1) for n in range(100))
    await rig.work_off()

    assert await rig.state("a") == Count(90, 90)
    assert len(rig.bodies("orders-dlq")) == 10


async def test_a_value_that_sqs_refuses_dead_letters_its_input(rig: Rig) -> None:
    """It will never be accepted; the agent's own clean-up runs at once."""
    closed: list[str] = []

    async def mapping(events: Any) -> Any:
        try:
            async for event in events:
                yield Note(event.key, event.n)
        finally:
            closed.append("closed")

    rig.agent(mapping, sink=rig.out, instances=1)
    rig.sqs.faults.add(
        "send", Partial(1, code="InvalidMessageContents", sender_fault=True), queue="out", times=1
    )
    await rig.send([Add("a")])
    async with rig.running():
        await until(lambda: rig.tally.of("dead"))
        assert closed == ["closed"]

    assert len(rig.bodies("orders-dlq")) == 1


async def test_an_agent_that_returns_early_is_started_again(rig: Rig) -> None:
    """Its last message is done; the next one is for its next run."""

    async def one(events: Any) -> None:
        async for event in events:
            await rig.counts.update(event.key, event)
            break

    rig.agent(one, instances=2)
    await rig.send(Add("a") for _ in range(20))
    await rig.work_off()

    assert await rig.state("a") == Count(20, 20)
    assert rig.tally.of("ok") == 20


async def test_an_agent_that_crashes_at_once_does_not_spin(rig: Rig) -> None:
    """Each restart waits longer than the one before."""
    starts: list[object] = []

    async def broken(events: Any) -> None:
        starts.append(events)
        raise RuntimeError

    rig.agent(broken, instances=1)
    async with rig.running():
        await sleep(0.5)

    assert 1 <= len(starts) < 20


async def test_awaiting_something_cancelled_ends_the_message_and_not_the_agent(rig: Rig) -> None:
    """A cancelled future raises what a cancelled agent raises, and the agent must not end without a word in the log."""
    tries: list[int] = []

    async def awaiting(events: Any) -> None:
        async for event in events:
            tries.append(event.n)
            if len(tries) == 1:
                future = asyncio.get_running_loop().create_future()
                future.cancel()
                await future
            await rig.counts.update(event.key, event)

    rig.agent(awaiting, instances=1)
    await rig.send([Add("a")])
    await rig.work_off()

    assert await rig.state("a") == Count(1, 1)


async def test_an_agent_that_never_asks_for_events_does_not_hold_up_the_drain(rig: Rig) -> None:
    """A broken agent waits long between its starts; the worker must end sooner."""

    async def broken(events: Any) -> None:
        del events
        msg = "broken"
        raise RuntimeError(msg)

    rig.config = replace(rig.config, wait_seconds=0)
    rig.agent(broken, concurrency=1)
    worker = Worker(await rig.assemble())
    finished: list[bool] = []
    with fail_after(30):
        async with create_task_group() as tasks:

            async def run() -> None:
                finished.append(await worker.run())

            tasks.start_soon(run)
            await sleep(0.5)
            worker.stop()

    assert finished == [True]
    rig.assert_accounted()


async def test_an_agent_that_fails_at_everything_is_reported_once(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    """No bad message explains that, so the agent is broken, or what it depends on."""

    async def broken(events: Any) -> None:
        async for _ in events:
            raise RuntimeError

    rig.agent(broken)
    await rig.send(Add(str(n)) for n in range(2 * MANY_FAILURES))
    await rig.work_off()
    (record,) = logged(caplog, "an agent fails at everything")

    assert record.agent == "broken"  # type: ignore[attr-defined]  # an extra
    assert record.levelno == logging.ERROR
    assert rig.tally.of("crashing", "orders") == 1


async def test_an_agent_that_takes_too_long_over_everything_is_reported_once(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    """To be cut off each time is to fail each time."""

    async def stuck(events: Any) -> None:
        async for _ in events:
            await sleep_forever()

    rig.agent(stuck, timeout=0.05)
    await rig.send(Add(str(n)) for n in range(2 * MANY_FAILURES))
    await rig.work_off()

    assert len(logged(caplog, "an agent fails at everything")) == 1


async def test_a_few_bad_messages_are_not_the_agents_fault(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    """However often they come again, and however quiet the queue is otherwise."""

    async def broken(events: Any) -> None:
        async for _ in events:
            raise RuntimeError

    rig.agent(broken)
    await rig.send(Add(str(n)) for n in range(MANY_FAILURES - 1))
    await rig.work_off()

    assert rig.tally.of("retry") > MANY_FAILURES
    assert logged(caplog, "an agent fails at everything") == []


async def test_an_agent_with_some_successes_is_not_reported(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    """An agent that gets anything done does not fail at everything."""

    async def picky(events: Any) -> None:
        async for event in events:
            if event.key == "bad":
                raise RuntimeError
            await rig.counts.update(event.key, event)

    rig.agent(picky, instances=1, concurrency=1)
    rig.config = replace(rig.config, max_attempts=1)
    await rig.send(Add(key) for _ in range(2 * MANY_FAILURES) for key in ("bad", "good"))
    await rig.work_off()

    assert rig.tally.of("dead") == 2 * MANY_FAILURES
    assert logged(caplog, "an agent fails at everything") == []
