"""Polls: as many messages as there is room for, and no receive after a stop."""

from dataclasses import replace
from typing import Any

import pytest
from anyio import Event, create_task_group, fail_after, sleep, wait_all_tasks_blocked

from rigs.worker import Add, Count, Rig, until
from streamapp.testing import Duplicate, Fail, Garble, Slow
from streamapp.worker.worker import Worker


@pytest.mark.parametrize("concurrency", [1, 3, 10, 25])
async def test_no_more_are_in_hand_than_there_are_tokens(rig: Rig, concurrency: int) -> None:
    """A worker that receives more than it can process hides messages from workers that could."""
    most = 0

    async def counting(events: Any) -> None:
        nonlocal most
        async for event in events:
            most = max(most, len(rig.sqs.ledger.in_flight("orders")))
            await rig.counts.update(event.key, event)

    rig.agent(counting, concurrency=concurrency)
    await rig.send(Add(str(n)) for n in range(60))
    await rig.work_off()

    assert 1 <= most <= concurrency
    assert rig.tally.of("ok") == 60


async def test_slow_messages_leave_the_other_places_in_use(rig: Rig) -> None:
    """With five places and four slow messages, the fifth place does all the rest."""
    go_on = Event()

    async def uneven(events: Any) -> None:
        async for event in events:
            if event.n > 1:
                await go_on.wait()
            await rig.counts.update(event.key, event)

    rig.agent(uneven, concurrency=5)
    await rig.send(Add(f"slow{n}", 9) for n in range(4))
    async with rig.running():
        await until(lambda: rig.tally.of("received") == 4)
        await rig.send(Add("fast") for _ in range(50))
        await until(lambda: rig.tally.of("ok") == 50)
        go_on.set()

    assert await rig.state("fast") == Count(50, 50)
    assert rig.tally.of("ok") == 54


async def test_every_place_is_used_again_and_again(rig: Rig) -> None:
    """A poll that is forgotten while it waits for a token would stop the queue."""
    rig.count(concurrency=40)
    async with rig.running():
        for round_number in range(1, 6):
            await rig.send(Add(str(n)) for n in range(100))
            await until(lambda: rig.tally.of("ok") + rig.tally.of("duplicate") == 100 * round_number)  # noqa: B023

    rig.assert_accounted()


async def test_full_responses_start_more_polls_and_empty_ones_end_them(rig: Rig) -> None:
    """A backlog is worked off by many polls at once; an idle queue costs one."""
    rig.config = replace(rig.config, wait_seconds=0.2)
    slow = rig.sqs.faults.add("receive", Slow(0.05))
    rig.count(concurrency=40)
    await rig.send(Add(str(n)) for n in range(200))
    most = 0
    async with rig.running() as worker:
        (pipeline,) = worker.pipelines
        while rig.tally.of("ok") < 200:
            most = max(most, pipeline.poller._polls)
            await sleep(0.005)
        slow.remove()
        await until(lambda: pipeline.poller._polls == 1)

    assert 2 <= most <= 4


async def test_an_idle_queue_is_polled_once_at_a_time(rig: Rig) -> None:
    """SQS bills every poll."""
    rig.config = replace(rig.config, wait_seconds=20, drain_timeout=0.1)
    rig.count(concurrency=40)
    async with rig.running():
        await sleep(0.2)
        assert len(rig.sqs.simulator._polls._waiting) == 1


async def test_short_polls_do_not_spin(rig: Rig) -> None:
    """Without a long wait an empty queue is polled a few times a second, not thousands of times."""
    rig.config = replace(rig.config, wait_seconds=0)
    rig.count()
    async with rig.running():
        await sleep(1)

    assert len(rig.sqs.ledger.calls("receive")) < 15


async def test_a_queue_that_keeps_failing_is_polled_less_and_less(rig: Rig) -> None:
    """More polls would not end the failure sooner."""
    rig.count()
    rig.sqs.faults.add("receive", Fail("InternalError"))
    async with rig.running():
        await sleep(1)

    assert len(rig.sqs.ledger.calls("receive")) < 30


async def test_a_queue_that_keeps_failing_is_reported_once_in_a_while(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    """One log line for each poll would hide all others."""
    rig.count()
    rig.sqs.faults.add("receive", Fail("InternalError"))
    async with rig.running():
        await until(lambda: len(rig.sqs.ledger.calls("receive")) >= 4)

    assert sum("cannot be polled" in record.getMessage() for record in caplog.records) == 1


async def test_a_queue_is_polled_again_once_it_is_well(rig: Rig) -> None:
    """No operator has to restart anything."""
    rig.count()
    rig.sqs.faults.add("receive", Fail("ExpiredToken"), times=3)
    rig.sqs.faults.add("receive", Garble(), times=1)
    await rig.send([Add("a")])
    async with rig.running():
        await until(lambda: rig.tally.of("ok"))

    assert await rig.state("a") == Count(1, 1)


async def test_a_token_that_comes_with_the_stop_starts_no_receive(rig: Rig) -> None:
    """What is received after a stop can only be given back, and delays the end."""
    rig.config = replace(rig.config, wait_seconds=20, drain_timeout=600)
    go_on = Event()

    async def slow(events: Any) -> None:
        async for event in events:
            await go_on.wait()
            await rig.counts.update(event.key, event)

    rig.agent(slow, concurrency=1)
    await rig.send([Add("a")])
    worker = Worker(await rig.assemble())
    (pipeline,) = worker.pipelines
    with fail_after(30):
        async with create_task_group() as tasks:
            await tasks.start(worker.run)
            await until(lambda: rig.tally.of("received"))
            await wait_all_tasks_blocked()
            before = len(rig.sqs.ledger.calls("receive"))
            # Both in one turn of the loop: the token wakes the poll, and the stop comes before it runs.
            pipeline.poller._tokens.give(1)
            pipeline.poller.stop(0)
            worker.stop()
            go_on.set()

    assert len(rig.sqs.ledger.calls("receive")) == before


async def test_workers_that_share_a_queue_process_each_message_once(rig: Rig) -> None:
    """A worker must not take what another one has in hand."""
    other = Rig(rig.store, "x")
    other.sqs, other.queues, other.config = rig.sqs, rig.queues, rig.config
    rig.count(concurrency=3)
    other.count(concurrency=3)
    await rig.send(Add("a") for _ in range(100))
    async with rig.running(), other.running():
        await until(lambda: rig.tally.of("ok") + other.tally.of("ok") == 100)

    assert await rig.state("a") == Count(100, 100)
    assert set(rig.sqs.ledger.receives("orders").values()) == {1}
    assert len(rig.bodies()) >= 100


async def test_a_message_that_comes_again_while_it_is_in_hand_is_processed_once(rig: Rig) -> None:
    """SQS may deliver a copy while the first one is being processed."""
    go_on = Event()

    async def slow(events: Any) -> None:
        async for event in events:
            await go_on.wait()
            await rig.counts.update(event.key, event)

    rig.agent(slow)
    rig.sqs.faults.add("receive", Duplicate(), times=1)
    await rig.send([Add("a")])
    async with rig.running():
        await until(lambda: rig.tally.of("received") == 2)
        go_on.set()
        await until(lambda: rig.tally.of("ok"))

    assert await rig.state("a") == Count(1, 1)
