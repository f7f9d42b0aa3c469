"""The worker as a whole: how it begins, works, drains and stops."""

from dataclasses import replace
from typing import Any

import pytest
from anyio import CancelScope, Event, create_task_group, current_time, fail_after, sleep, sleep_forever

from rigs.worker import Add, Count, Rig, until
from streamapp.flow.backoff import Backoff
from streamapp.testing import Fail, Hang, Lose
from streamapp.worker.worker import Worker


async def test_every_message_is_folded_once_announced_and_deleted(rig: Rig) -> None:
    """This is the whole way of a message, from the queue to its delete."""
    rig.count()
    await rig.send(Add(f"k{n % 7}") for n in range(100))

    assert await rig.work_off()

    states = [await rig.state(f"k{n}") for n in range(7)]
    assert sum(state.total for state in states if state) == 100
    assert len(rig.bodies()) == 100
    assert rig.bodies("orders") == []
    assert rig.tally.of("ok") == 100
    rig.assert_accounted()


async def test_confirmed_announcements_leave_the_hash(rig: Rig) -> None:
    """What stays pending would be sent again."""
    rig.count()
    await rig.send([Add("a"), Add("a"), Add("b")])

    await rig.work_off()

    assert not [name for key in "ab" for name in await rig.fields(key) if name.startswith("_o:")]


async def test_idle_stops_by_itself(rig: Rig) -> None:
    """`--exit-when-idle` has to end, with nothing in hand."""
    rig.count()

    with fail_after(30):
        assert await rig.work_off(idle=0.1)


async def test_stop_before_run_drains_at_once(rig: Rig) -> None:
    """A signal may come after the worker is made and before it runs."""
    rig.count()
    await rig.send([Add("a")])
    worker = Worker(await rig.assemble())
    worker.stop()

    with fail_after(30):
        assert await worker.run()

    rig.assert_accounted()


async def test_stop_twice_before_run_ends_at_once(rig: Rig) -> None:
    """Two signals before the start leave nothing running."""
    rig.count()
    worker = Worker(await rig.assemble())
    worker.stop()
    worker.stop()

    with fail_after(30):
        await worker.run()

    rig.assert_accounted()


async def test_what_agents_have_in_hand_is_finished_in_the_drain(rig: Rig) -> None:
    """A deploy must not cost messages an attempt."""
    began, go_on = Event(), Event()

    async def slow(events: Any) -> None:
        async for event in events:
            began.set()
            await go_on.wait()
            await rig.counts.update(event.key, event)

    rig.agent(slow)
    await rig.send([Add("a")])
    worker = Worker(await rig.assemble())
    async with create_task_group() as tasks:
        tasks.start_soon(worker.run)
        await began.wait()
        worker.stop()
        await sleep(0.01)
        go_on.set()

    assert await rig.state("a") == Count(1, 1)
    assert rig.tally.of("ok") == 1
    rig.assert_accounted()


async def test_the_drain_deadline_gives_back_what_is_unfinished(rig: Rig) -> None:
    """Another worker can then take it at once, not only when its visibility timeout ends."""
    rig.config = replace(rig.config, drain_timeout=0.2)
    began = Event()

    async def stuck(events: Any) -> None:
        async for _ in events:
            began.set()
            await sleep_forever()

    rig.agent(stuck)
    await rig.send([Add("a"), Add("b"), Add("c")])
    worker = Worker(await rig.assemble())
    finished: list[bool] = []
    async with create_task_group() as tasks:

        async def run() -> None:
            finished.append(await worker.run())

        tasks.start_soon(run)
        await until(lambda: rig.tally.of("received") == 3)
        worker.stop()

    assert finished == [False]
    assert len(rig.sqs.ledger.released("orders")) == 3
    assert len(rig.bodies("orders")) == 3
    rig.assert_accounted()


async def test_a_second_stop_gives_back_at_once(rig: Rig) -> None:
    """An operator who presses Ctrl-C twice does not want to wait for the deadline."""

    async def stuck(events: Any) -> None:
        async for _ in events:
            await sleep_forever()

    rig.config = replace(rig.config, drain_timeout=600)
    rig.agent(stuck)
    await rig.send([Add("a")])
    with fail_after(30):
        async with rig.running() as worker:
            await until(lambda: rig.tally.of("received"))
            worker.stop()
            # A poll that the second stop cuts off would hide what is released next, as on the real SQS.
            await until(lambda: not worker.pipelines[0].poller._receiving)

    assert len(rig.sqs.ledger.released("orders")) == 1
    rig.assert_accounted()


async def test_what_no_agent_has_taken_is_released_as_the_drain_begins(rig: Rig) -> None:
    """Other workers can process it from then on."""
    go_on = Event()

    async def stuck(events: Any) -> None:
        async for _ in events:
            await go_on.wait()

    rig.agent(stuck, instances=1, concurrency=10)
    await rig.send(Add(str(n)) for n in range(10))
    async with rig.running() as worker:
        await until(lambda: rig.tally.of("received") == 10)
        worker.stop()
        await until(lambda: len(rig.sqs.ledger.released("orders")) == 9)
        go_on.set()

    rig.assert_accounted()
    assert len(rig.sqs.ledger.deleted("orders")) == 1


async def test_a_poll_under_way_returns_and_what_it_brings_is_done(rig: Rig) -> None:
    """If cut off it would hide its messages; if given back they were received for nothing."""
    rig.config = replace(rig.config, wait_seconds=20, drain_timeout=20)
    rig.count(concurrency=10, instances=2)
    worker = Worker(await rig.assemble())
    async with create_task_group() as tasks:
        await tasks.start(worker.run)
        await sleep(0.05)
        worker.stop()
        await sleep(0.05)
        await rig.send([Add("late"), Add("late")])

    assert await rig.state("late") == Count(2, 2)
    assert rig.sqs.ledger.released("orders") == []
    assert len(rig.sqs.ledger.calls("receive")) == 1
    rig.assert_accounted()


async def test_what_a_poll_under_way_brings_is_released_where_no_agent_waits(rig: Rig) -> None:
    """Another worker can process it at once."""
    rig.config = replace(rig.config, wait_seconds=20, drain_timeout=20)
    busy, go_on = Event(), Event()

    async def slow(events: Any) -> None:
        async for event in events:
            busy.set()
            await go_on.wait()
            await rig.counts.update(event.key, event)

    rig.agent(slow, concurrency=10, instances=1)
    await rig.send([Add("early")])
    worker = Worker(await rig.assemble())
    async with create_task_group() as tasks:
        await tasks.start(worker.run)
        await busy.wait()
        await sleep(0.05)
        worker.stop()
        await rig.send([Add("late"), Add("late")])
        await until(lambda: len(rig.sqs.ledger.released("orders")) == 2)
        go_on.set()

    assert await rig.state("early") == Count(1, 1)
    assert await rig.state("late") is None
    rig.assert_accounted()


async def test_a_poll_is_given_up_at_the_drain_deadline(rig: Rig) -> None:
    """An SQS that does not respond must not keep the process beyond its grace period."""
    rig.config = replace(rig.config, drain_timeout=0.2)
    rig.count()
    rig.sqs.faults.add("receive", Hang())
    worker = Worker(await rig.assemble())
    with fail_after(30):
        async with create_task_group() as tasks:
            await tasks.start(worker.run)
            await sleep(0.05)
            worker.stop()


async def test_idle_never_turns_a_drain_into_a_hard_stop(rig: Rig) -> None:
    """To be idle in a drain is no second signal: the poll under way must still return."""
    rig.config = replace(rig.config, wait_seconds=0.5, drain_timeout=5)
    rig.count()
    worker = Worker(await rig.assemble())
    (pipeline,) = worker.pipelines
    ends: list[bool] = []
    async with create_task_group() as tasks:

        async def run() -> None:
            ends.append(await worker.run(idle=0.15))

        tasks.start_soon(run)
        poller = pipeline.poller
        await until(lambda: poller.idle_since <= current_time() and poller._receiving)  # clock: an order
        worker.stop()

    assert ends == [True]
    assert len(rig.sqs.ledger.calls("receive")) == 2


@pytest.mark.parametrize("operation", ["send", "delete", "change_visibility", "receive"])
@pytest.mark.parametrize(
    "effect", [Fail("RequestThrottled"), Fail("InternalError"), Lose()], ids=["throttle", "5xx", "lost"]
)
async def test_a_third_of_all_calls_failing_loses_nothing(
    rig: Rig, operation: str, effect: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Failures of SQS cost time, never a message, and never a dead letter."""
    monkeypatch.setattr("streamapp.flow.outage.AGAIN", Backoff(0.01, 2.0))
    rig.config = replace(rig.config, wait_seconds=0)
    rig.count()
    await rig.send(Add("a") for _ in range(40))
    rig.sqs.faults.add(operation, effect, rate=0.3)

    with CancelScope():
        await rig.work_off(idle=0.6 if operation == "receive" else 0.2)

    state = await rig.state("a")
    hidden = {entry.message_id for entry in rig.sqs.ledger.in_flight("orders")}
    assert state is not None
    assert state.total + len(hidden) >= 40
    assert len({*rig.bodies()}) == state.total
    assert rig.bodies("orders-dlq") == []


async def test_a_delete_whose_response_was_lost_is_repeated(rig: Rig) -> None:
    """The message is not processed again."""
    rig.count()
    rig.sqs.faults.add("delete", Lose(), times=2)
    await rig.send([Add("a")])

    await rig.work_off()

    assert await rig.state("a") == Count(1, 1)
    assert len(rig.sqs.ledger.deleted("orders")) == 1


async def test_the_time_of_a_drain_is_bounded(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """Agents, announcements and deletes have the drain timeout, and then a last flush and last releases."""
    rig.config = replace(rig.config, drain_timeout=0.3)
    rig.count()
    monkeypatch.setattr("streamapp.worker.worker.LAST_FLUSH", 0.3)
    monkeypatch.setattr("streamapp.worker.worker.LAST_WORD", 0.3)
    rig.sqs.faults.add("send", Hang(), queue="out")
    rig.sqs.faults.add("change_visibility", Hang())
    await rig.send([Add("a")])
    with fail_after(30):
        async with rig.running():
            await until(lambda: rig.tally.of("received"))
