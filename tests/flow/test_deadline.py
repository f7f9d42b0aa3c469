"""An agent that takes too long over what it has fails at it, and goes on."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from anyio import Event, current_time, fail_after, sleep, sleep_forever

from rigs.jumping import jumping_rig
from rigs.worker import ATTEMPTS, Add, Count, Note, Parts, Rig, until
from streamapp.errors import Reject
from streamapp.testing import Fail, Hang, Slow


@pytest.fixture
def fifo() -> bool:
    """Whether the queues are FIFO queues."""
    return False


@pytest.fixture
async def rig(fifo: bool) -> AsyncIterator[Rig]:
    """A rig whose time moves only while nobody works, so that a slow machine cuts nothing off."""
    async with jumping_rig(fifo=fifo) as opened:
        yield opened


async def test_an_event_that_takes_too_long_is_given_back(rig: Rig) -> None:
    """Its second try, here or elsewhere, may be faster."""
    tries: list[int] = []

    async def slow_once(events: Any) -> None:
        async for event in events:
            tries.append(event.n)
            if len(tries) == 1:
                await sleep_forever()
            await rig.counts.update(event.key, event)

    rig.agent(slow_once, timeout=0.05)
    await rig.send([Add("a")])
    await rig.work_off()

    assert await rig.state("a") == Count(1, 1)
    assert (len(tries), rig.tally.of("retry"), rig.tally.of("ok")) == (2, 1, 1)
    rig.assert_accounted()


async def test_an_event_that_always_takes_too_long_is_dead_lettered(rig: Rig) -> None:
    """It ends as any other message that fails at every try."""

    async def stuck(events: Any) -> None:
        async for _ in events:
            await sleep_forever()

    rig.agent(stuck, timeout=0.05)
    await rig.send([Add("a")])
    await rig.work_off()
    (letter,) = await rig.letters()

    assert letter.attributes["streamapp-reason"] == "attempts_exhausted"
    assert letter.attributes["streamapp-detail"] == "TookTooLong"
    assert rig.tally.of("retry") == ATTEMPTS - 1
    rig.assert_accounted()


async def test_the_instance_goes_on_after_an_event_that_took_too_long(rig: Rig) -> None:
    """One stuck event must not end an agent's only instance."""

    async def stuck_at_poison(events: Any) -> None:
        async for event in events:
            if event.key == "poison":
                await sleep_forever()
            await rig.counts.update(event.key, event)

    rig.agent(stuck_at_poison, timeout=0.05, instances=1)
    await rig.send([Add("poison"), *(Add("a") for _ in range(5))])
    await rig.work_off()

    assert await rig.state("a") == Count(5, 5)
    assert len(rig.bodies("orders-dlq")) == 1


async def test_the_agents_own_clean_up_runs_when_it_is_cut_off(rig: Rig) -> None:
    """What it has open is closed before the event comes again."""
    ends: list[str] = []

    async def stuck(events: Any) -> None:
        async for _ in events:
            try:
                await sleep_forever()
            finally:
                ends.append("closed")

    rig.agent(stuck, timeout=0.05)
    await rig.send([Add("a")])
    await rig.work_off()

    assert ends == ["closed"] * ATTEMPTS


async def test_a_batch_that_takes_too_long_is_tried_again_in_parts(rig: Rig) -> None:
    """None of its messages is lost, and none of them is deleted."""
    sizes: list[int] = []

    async def slow_once(events: Any) -> None:
        async for batch in events.take(5, within=0.05):
            sizes.append(len(batch))
            if len(sizes) == 1:
                await sleep_forever()
            await rig.counts.update_many([(event.key, event) for event in batch])

    rig.agent(slow_once, instances=1, timeout=0.2)
    await rig.send(Add("a") for _ in range(5))
    await rig.work_off()

    assert sizes == [5, 2, 3]
    assert len(rig.sqs.ledger.received("orders")) == 5
    assert await rig.state("a") == Count(5, 5)
    rig.assert_accounted()


async def test_waiting_for_a_batch_to_fill_is_not_the_agents_time(rig: Rig) -> None:
    """A batch may take longer to collect than it may take to process."""

    async def batching(events: Any) -> None:
        async for batch in events.take(5, within=0.3):
            await rig.counts.update_many([(event.key, event) for event in batch])

    rig.agent(batching, instances=1, timeout=0.15)
    await rig.send([Add("a")])
    await rig.work_off()

    assert await rig.state("a") == Count(1, 1)
    assert rig.tally.of("retry") == 0


async def test_waiting_for_events_is_not_the_agents_time(rig: Rig) -> None:
    """An idle agent is not a slow one."""
    starts: list[Any] = []

    async def counting(events: Any) -> None:
        starts.append(events)
        async for event in events:
            await rig.counts.update(event.key, event)

    rig.agent(counting, instances=1, timeout=0.05)
    async with rig.running():
        await sleep(0.2)
        await rig.send([Add("a")])
        await until(lambda: rig.tally.of("ok"))

    assert len(starts) == 1
    assert rig.tally.of("retry") == 0


async def test_a_fast_event_is_never_cut_off(rig: Rig) -> None:
    """Each event has the whole time for itself, however many came before it."""

    async def working(events: Any) -> None:
        async for event in events:
            await sleep(0.02)
            await rig.counts.update(event.key, event)

    rig.agent(working, instances=1, timeout=0.5)
    await rig.send(Add("a") for _ in range(40))
    began = current_time()
    await rig.work_off()

    assert current_time() - began > 0.5  # clock: jumps
    assert await rig.state("a") == Count(40, 40)
    assert (rig.tally.of("ok"), rig.tally.of("retry")) == (40, 0)


async def test_each_event_of_a_body_has_its_own_time(rig: Rig) -> None:
    """A body of many events takes longer than one of them may."""

    async def working(events: Any) -> None:
        async for event in events:
            await sleep(0.05)
            await rig.counts.update(event.key, event)

    rig.agent(working, codec=Parts(), timeout=0.3)
    await rig.send(['[{"key":"a"},{"key":"a"},{"key":"a"},{"key":"a"},{"key":"a"},{"key":"a"},{"key":"a"}]'])
    await rig.work_off()

    assert await rig.state("a") == Count(7, 7)
    assert rig.tally.of("retry") == 0


async def test_how_long_an_announcement_takes_is_not_the_agents_time(rig: Rig) -> None:
    """The agent is done; the sink is slow."""
    rig.count(timeout=0.1)
    rig.sqs.faults.add("send", Slow(0.3), queue="out", times=1)
    await rig.send([Add("a")])
    await rig.work_off()

    assert await rig.state("a") == Count(1, 1)
    assert rig.tally.of("retry") == 0


async def test_how_long_a_send_takes_is_not_the_agents_time(rig: Rig) -> None:
    """An outage of SQS while an event is processed is not a failure of its message either."""

    async def telling(events: Any) -> None:
        async for event in events:
            await rig.out.send(Note(event.key, 1))
            await sleep(0.02)

    rig.agent(telling, timeout=0.3)
    rig.sqs.faults.add("send", Slow(0.7), queue="out", times=1)
    await rig.send([Add("a")])
    await rig.work_off()

    assert (rig.tally.of("retry"), rig.tally.of("ok")) == (0, 1)
    assert set(rig.sqs.ledger.receives("orders").values()) == {1}


async def test_what_comes_before_and_after_a_send_is_the_agents_time(rig: Rig) -> None:
    """A send pauses the agent's time; it does not start it again."""

    async def slow(events: Any) -> None:
        async for event in events:
            await sleep(0.1)
            await rig.out.send(Note(event.key, 1))
            await sleep_forever()

    rig.agent(slow, timeout=0.2)
    await rig.send([Add("a")])
    with fail_after(10):
        await rig.work_off()

    assert rig.tally.of("retry") == ATTEMPTS - 1


async def test_how_long_a_dead_letter_takes_is_not_the_agents_time(rig: Rig) -> None:
    """If it were cut off while it is sent, the message would come again and be dead-lettered twice."""
    tries: list[int] = []

    async def picky(events: Any) -> None:
        async for event in events:
            tries.append(event.n)
            raise Reject("odd")

    rig.agent(picky, timeout=0.2)
    rig.sqs.faults.add("send", Fail("InternalError"), queue="orders-dlq", seconds=0.5)
    await rig.send([Add("a")])
    with fail_after(10):
        await rig.work_off()

    assert tries == [1]
    assert len(rig.bodies("orders-dlq")) == 1


async def test_an_agent_without_a_timeout_may_take_its_time(rig: Rig) -> None:
    """The heartbeat keeps its message; how long is too long, only the application can say."""

    async def slow(events: Any) -> None:
        async for event in events:
            await sleep(0.3)
            await rig.counts.update(event.key, event)

    rig.agent(slow)
    await rig.send([Add("a")])
    await rig.work_off()

    assert await rig.state("a") == Count(1, 1)


@pytest.mark.parametrize("fifo", [True])
async def test_a_timeout_on_a_fifo_queue_gives_back_its_group(rig: Rig) -> None:
    """The messages behind it must not come before it."""
    begun: list[int] = []

    async def slow_once(events: Any) -> None:
        async for event in events:
            begun.append(event.n)
            if len(begun) == 1:
                await sleep_forever()

    rig.agent(slow_once, timeout=0.05)
    await rig.send_in_groups(Add("a", n) for n in (1, 2, 3))
    await rig.work_off()

    assert begun == [1, 1, 2, 3]
    rig.assert_accounted()


async def test_a_hard_stop_is_no_timeout(rig: Rig) -> None:
    """What is cut off by the end of the worker is given back at once, and does not count as failed."""
    began = Event()

    async def stuck(events: Any) -> None:
        async for _ in events:
            began.set()
            await sleep_forever()

    rig.config = replace(rig.config, drain_timeout=600)
    rig.agent(stuck, timeout=600, backoff=1000)
    await rig.send([Add("a")])
    with fail_after(30):
        async with rig.running() as worker:
            await began.wait()
            worker.stop()
            # A poll that the second stop cuts off would hide what is released next, as on the real SQS.
            await until(lambda: not worker.pipelines[0].poller._receiving)

    assert rig.tally.of("retry") == 0
    assert len(rig.sqs.ledger.released("orders")) == 1
    rig.assert_accounted()


async def test_a_message_that_always_takes_too_long_leaves_others_of_its_key_alone(rig: Rig) -> None:
    """A message that hangs an agent must not hang it for ever."""

    async def hanging(events: Any) -> None:
        async for event in events:
            if event.n < 0:
                await sleep_forever()
            await rig.counts.update(event.key, event)

    rig.agent(hanging, instances=1, timeout=0.1)
    await rig.send([Add("a", -1), Add("a", 1)])
    await rig.work_off()

    assert await rig.state("a") == Count(1, 1)
    assert len(rig.bodies("orders-dlq")) == 1


async def test_how_long_the_last_announcement_takes_is_not_the_agents_time(rig: Rig) -> None:
    """An agent that has returned is done; an outage of its sink is not a failure of its message."""

    async def one(events: Any) -> None:
        async for event in events:
            await rig.counts.update(event.key, event)
            break

    rig.agent(one, instances=1, timeout=0.1)
    hang = rig.sqs.faults.add("send", Hang(), queue="out")
    await rig.send([Add("a")])
    async with rig.running():
        await until(lambda: rig.tally.of("sends"))
        await sleep(0.3)
        hang.remove()
        await until(lambda: rig.tally.of("ok"))

    assert rig.tally.of("retry") == 0
    assert len(rig.bodies()) == 1
