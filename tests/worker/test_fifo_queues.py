"""A worker on FIFO queues: within a group one at a time and in order, whatever happens."""

import json
from collections import defaultdict
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import pytest
from anyio import Event, create_task_group, current_time, fail_after, sleep
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rigs.worker import ATTEMPTS, Add, Note, Rig, until
from streamapp.errors import Retry
from streamapp.flow.backoff import Backoff
from streamapp.messages import Outgoing
from streamapp.pipeline.acks import TRIES
from streamapp.redis.store import RedisStore
from streamapp.sqs.client import BATCH
from streamapp.testing import Fail, Hang, Partial
from streamapp.worker.worker import Worker


@dataclass
class Book:
    """What an agent did: which events of which group it began, and which it finished."""

    begun: list[Add] = field(default_factory=list)
    done: list[Add] = field(default_factory=list)

    def of(self, key: str) -> list[int]:
        """Return the numbers that were begun of this group."""
        return [event.n for event in self.begun if event.key == key]


@pytest.fixture
async def rig(store: RedisStore, prefix: str) -> Rig:
    """The usual rig, all of its queues FIFO."""
    return await Rig(store, prefix).create(fifo=True)


async def hide_for(rig: Rig, seconds: int) -> Rig:
    """Set the visibility timeout of `orders` to that many seconds."""
    rig.queues["orders"] = await rig.sqs.create("orders.fifo", {"VisibilityTimeout": str(seconds)})
    return rig


async def all_of(rig: Rig, queue: str) -> list[Any]:
    """Take all messages out of a queue, and return them in order."""
    found: list[Any] = []
    while receipts := await rig.sqs.simulator.receive(rig.queues[queue].name, limit=BATCH):
        found += receipts
        await rig.sqs.delete(rig.queues[queue], [receipt.handle for receipt in receipts])
    return found


async def test_a_group_is_processed_in_order_and_one_at_a_time(rig: Rig) -> None:
    """That is what a FIFO queue is for."""
    book = Book()
    running: defaultdict[str, int] = defaultdict(int)

    async def working(events: Any) -> None:
        async for event in events:
            running[event.key] += 1
            assert running[event.key] == 1
            book.begun.append(event)
            await sleep(0.001 * (event.n % 3))
            await rig.counts.update(event.key, event)
            running[event.key] -= 1

    rig.agent(working, concurrency=20)
    await rig.send_in_groups(Add("abc"[n % 3], n // 3 + 1) for n in range(36))
    await rig.work_off()

    assert [book.of(key) for key in "abc"] == [list(range(1, 13))] * 3
    assert rig.tally.of("ok") == 36
    rig.assert_accounted()


async def test_groups_are_processed_in_parallel(rig: Rig) -> None:
    """One slow order must not hold up the others."""
    present: set[str] = set()
    all_there = Event()

    async def meeting(events: Any) -> None:
        async for event in events:
            present.add(event.key)
            if len(present) == 4:
                all_there.set()
            await all_there.wait()

    rig.agent(meeting)
    await rig.send_in_groups(Add(key, n) for n in (1, 2) for key in "abcd")
    with fail_after(30):
        await rig.work_off()

    assert len(rig.sqs.ledger.deleted("orders.fifo")) == 8


async def test_the_next_of_a_group_begins_once_the_delete_is_confirmed(rig: Rig) -> None:
    """Otherwise the one before could come again after it."""
    book = Book()

    async def working(events: Any) -> None:
        async for event in events:
            book.begun.append(event)
            assert len(rig.sqs.ledger.deleted("orders.fifo")) == event.n - 1

    rig.agent(working)
    hang = rig.sqs.faults.add("delete", Hang(), times=1)
    await rig.send_in_groups(Add("a", n) for n in (1, 2, 3))
    async with rig.running():
        await until(lambda: book.begun)
        await sleep(0.1)
        assert book.of("a") == [1]
        hang.remove()
        await until(lambda: len(rig.sqs.ledger.deleted("orders.fifo")) == 3)

    assert book.of("a") == [1, 2, 3]


async def test_a_delete_that_failed_keeps_its_group_back(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message will come again, perhaps to another worker, and the rest of its group must come after it."""
    monkeypatch.setattr("streamapp.pipeline.acks.AGAIN", Backoff(0.01, 0.01))
    rig = await Rig(rig.store, rig.config.key_prefix + "x").create(fifo=True, visibility=1)
    book = Book()

    async def working(events: Any) -> None:
        async for event in events:
            book.begun.append(event)
            assert len(rig.sqs.ledger.deleted("orders.fifo")) == event.n - 1

    rig.agent(working)
    rig.sqs.faults.add("delete", Fail(), times=TRIES)
    await rig.send_in_groups(Add("a", n) for n in (1, 2, 3))
    async with rig.running():
        await until(lambda: len(rig.sqs.ledger.deleted("orders.fifo")) == 3)

    assert book.of("a") == [1, 2, 3]
    assert rig.tally.of("duplicate") == 1
    rig.assert_accounted()


async def test_a_delete_by_an_expired_handle_keeps_its_group_back(rig: Rig) -> None:
    """A FIFO queue refuses such a delete: the message is still there, and comes again."""
    book = Book()

    async def working(events: Any) -> None:
        async for event in events:
            book.begun.append(event)
            assert len(rig.sqs.ledger.deleted("orders.fifo")) == event.n - 1

    rig.agent(working)
    expired = Partial(1, code="ReceiptHandleIsInvalid", sender_fault=True)
    rig.sqs.faults.add("delete", expired, times=1)
    rig = await hide_for(rig, 1)
    await rig.send_in_groups(Add("a", n) for n in (1, 2, 3))
    async with rig.running():
        await until(lambda: len(rig.sqs.ledger.deleted("orders.fifo")) == 3)

    assert book.of("a") == [1, 1, 2, 3]


async def test_a_group_waits_in_hand_for_the_next_attempt_at_its_first_message(rig: Rig) -> None:
    """Given back, each of them would pay a receive for a failure that is not its own."""
    book = Book()

    async def failing(events: Any) -> None:
        async for event in events:
            book.begun.append(event)
            if len(book.begun) == 1:
                raise Retry(after=1)
            book.done.append(event)

    rig.agent(failing)
    await rig.send_in_groups(Add("a", n) for n in (1, 2, 3))
    began = current_time()
    with fail_after(30):
        async with rig.running():
            await until(lambda: len(book.done) == 3)

    assert current_time() - began >= 1  # clock: at least the pause, however slow the machine
    assert rig.sqs.ledger.released("orders.fifo") == []
    assert len(rig.sqs.ledger.received("orders.fifo")) == 3
    assert book.of("a") == [1, 1, 2, 3]


async def test_a_failure_leaves_other_groups_alone(rig: Rig) -> None:
    """Their messages are received once."""
    book = Book()

    async def failing(events: Any) -> None:
        async for event in events:
            book.begun.append(event)
            if event.key == "a" and book.of("a") == [1]:
                raise RuntimeError
            book.done.append(event)

    rig.agent(failing)
    await rig.send_in_groups(Add(key, n) for n in (1, 2, 3) for key in "ab")
    await rig.work_off()

    assert book.of("a") == [1, 1, 2, 3]
    assert book.of("b") == [1, 2, 3]
    assert len(rig.sqs.ledger.received("orders.fifo")) == 6


async def test_a_lease_lost_in_the_middle_of_a_group_is_not_overtaken(rig: Rig) -> None:
    """The lost one comes again, and those behind it come after it."""
    rig = await hide_for(rig, 1)
    book, go_on = Book(), Event()

    async def working(events: Any) -> None:
        async for event in events:
            book.begun.append(event)
            await go_on.wait()

    rig.agent(working)
    taken = Partial(0b10, code="ReceiptHandleIsInvalid", sender_fault=True)
    rig.sqs.faults.add("change_visibility", taken, times=1)
    await rig.send_in_groups(Add("a", n) for n in (1, 2, 3))
    with fail_after(10):
        async with rig.running():
            await until(lambda: rig.tally.of("lost"))
            go_on.set()
            await until(lambda: len(rig.sqs.ledger.deleted("orders.fifo")) == 3)

    assert book.of("a") == [1, 2, 3]
    rig.assert_accounted()


async def test_a_lease_lost_by_the_first_of_a_group_is_not_overtaken(rig: Rig) -> None:
    """Its agent is cut off, and the rest of the group is given back with it."""
    rig = await hide_for(rig, 1)
    book = Book()

    async def working(events: Any) -> None:
        async for event in events:
            book.begun.append(event)
            if len(book.begun) == 1:
                await Event().wait()

    rig.agent(working)
    taken = Partial(0b1, code="ReceiptHandleIsInvalid", sender_fault=True)
    rig.sqs.faults.add("change_visibility", taken, times=1)
    await rig.send_in_groups(Add("a", n) for n in (1, 2, 3))
    with fail_after(10):
        async with rig.running():
            await until(lambda: len(rig.sqs.ledger.deleted("orders.fifo")) == 3)

    assert book.of("a") == [1, 1, 2, 3]


async def test_in_a_drain_messages_that_wait_in_a_group_are_still_processed(rig: Rig) -> None:
    """If given back, they would come again, which counts against them; a deploy is not their fault."""
    book, go_on = Book(), Event()

    async def slow(events: Any) -> None:
        async for event in events:
            book.begun.append(event)
            await go_on.wait()
            book.done.append(event)

    rig.agent(slow, concurrency=5)
    await rig.send_in_groups([*(Add("a", n) for n in (1, 2, 3)), Add("b", 1), Add("b", 2)])
    worker = Worker(await rig.assemble())
    async with create_task_group() as tasks:
        tasks.start_soon(worker.run)
        await until(lambda: rig.tally.of("received") == 5 and len(book.begun) == 2)
        worker.stop()
        go_on.set()

    assert rig.bodies("orders") == []
    assert [(each.key, each.n) for each in book.done if each.key == "a"] == [("a", 1), ("a", 2), ("a", 3)]
    assert set(rig.sqs.ledger.receives("orders.fifo").values()) == {1}
    rig.assert_accounted()


async def test_late_in_a_drain_messages_that_wait_in_a_group_are_given_back(rig: Rig) -> None:
    """The end of the drain would cut them off; the next worker finds them in order."""
    book, go_on = Book(), Event()

    async def slow(events: Any) -> None:
        async for event in events:
            book.begun.append(event)
            await go_on.wait()

    rig.agent(slow, concurrency=3)
    await rig.send_in_groups(Add("a", n) for n in (1, 2, 3))
    worker = Worker(await rig.assemble())
    (pipeline,) = worker.pipelines
    async with create_task_group() as tasks:
        tasks.start_soon(worker.run)
        await until(lambda: rig.tally.of("received") == 3 and book.begun)
        worker.stop()
        await until(lambda: pipeline.poller._is_stopped)
        pipeline.poller._handoff._last_turn = current_time() - 1
        go_on.set()

    # A poll that was under way may still have brought the second one to an agent that waits.
    assert [json.loads(body)["n"] for body in rig.bodies("orders")] == [
        n for n in (2, 3) if n not in book.of("a")
    ]
    rig.assert_accounted()
    await rig.work_off()
    assert book.of("a") == [1, 2, 3]


async def test_a_hard_stop_gives_back_a_whole_group(rig: Rig) -> None:
    """That is what is cut off, and what waited behind it."""
    book = Book()

    async def stuck(events: Any) -> None:
        async for event in events:
            book.begun.append(event)
            await Event().wait()

    rig.agent(stuck)
    await rig.send_in_groups(Add("a", n) for n in (1, 2, 3))
    async with rig.running() as worker:
        await until(lambda: book.begun)
        worker.stop()
        # A poll that the second stop cuts off would hide what is released next, as on the real SQS.
        await until(lambda: not worker.pipelines[0].poller._receiving)

    assert len(rig.bodies("orders")) == 3
    rig.assert_accounted()


async def test_a_hard_stop_gives_back_messages_behind_a_delete_under_way(rig: Rig) -> None:
    """When the delete ends they may be processed, but no agent is left to do it."""
    book = Book()

    async def working(events: Any) -> None:
        async for event in events:
            book.begun.append(event)

    rig.agent(working)
    hang = rig.sqs.faults.add("delete", Hang(), times=1)
    await rig.send_in_groups(Add("a", n) for n in (1, 2, 3))
    async with rig.running() as worker:
        await until(lambda: len(worker.pipelines[0].acks.deletes) == 0 and book.begun)
        await until(lambda: rig.tally.of("ok"))
        worker.stop()
        await until(lambda: not worker.pipelines[0].poller._receiving)
        worker.stop()
        await sleep(0.2)  # until only the delete is left
        hang.remove()

    assert book.of("a") == [1]
    assert len(rig.bodies("orders")) == 2
    rig.assert_accounted()


async def test_a_dead_letter_keeps_its_group_and_its_group_goes_on(rig: Rig) -> None:
    """A redrive needs to know its group; the messages behind it have waited long enough."""
    book = Book()

    async def failing(events: Any) -> None:
        async for event in events:
            book.begun.append(event)
            if event.n == 1:
                raise RuntimeError

    rig.agent(failing)
    await rig.send_in_groups(Add("a", n) for n in (1, 2))
    await rig.work_off()
    (letter,) = await all_of(rig, "orders-dlq")

    assert letter.content.group == "a"
    assert letter.content.attributes["streamapp-reason"].value == "attempts_exhausted"
    assert book.of("a") == [1] * ATTEMPTS + [2]


async def test_a_body_that_cannot_be_decoded_lets_its_group_go_on(rig: Rig) -> None:
    """A bad message never stops others."""
    rig.count()
    await rig.sqs.send(rig.queues["orders"], [Outgoing("none", group="a", deduplication="x")])
    await rig.send_in_groups([Add("a", 1), Add("a", 2)])
    await rig.work_off()

    state = await rig.state("a")
    assert state is not None
    assert state.total == 3
    assert rig.bodies("orders-dlq") == ["none"]


async def test_announcements_have_their_key_as_group_and_their_content_as_deduplication_id(rig: Rig) -> None:
    """So the announcements of one order stay in order, and SQS drops a repetition."""
    rig.count()
    await rig.send_in_groups([Add("a", 1), Add("b", 2)])
    await rig.work_off()
    sent = await all_of(rig, "out")

    notes = [Note(**json.loads(each.content.body)) for each in sent]
    identities = {
        rig.out.destination.outgoing(note, each.content.group)[0]
        for note, each in zip(notes, sent, strict=True)
    }
    assert sorted(each.content.group for each in sent) == ["a", "b"]
    assert {each.deduplication for each in sent} == identities


@pytest.mark.parametrize("pattern", [0b1, 0b10, 0b101, 0b1110])
async def test_announcements_of_one_key_are_sent_in_their_order(rig: Rig, pattern: int) -> None:
    """This holds also if SQS takes some entries of a batch and refuses others."""

    async def batching(events: Any) -> None:
        async for batch in events.take(10, within=0.1):
            await rig.counts.update_many([(event.key, event) for event in batch])

    rig.agent(batching, instances=1, concurrency=20)
    rig.queues["orders"] = await rig.sqs.create("standard", {})
    names = {"ORDERS_QUEUE_URL": "standard", "OUT_QUEUE_URL": "out.fifo"}
    rig.config = replace(rig.config, queues=names)
    rig.sqs.faults.add("send", Partial(pattern), queue="out.fifo", times=3)
    await rig.send(Add("ab"[n % 2]) for n in range(10))
    await rig.work_off()
    sent = await all_of(rig, "out")

    for key in "ab":
        times = [json.loads(each.content.body)["times"] for each in sent if each.content.group == key]
        assert times == [1, 2, 3, 4, 5]


async def test_a_group_on_a_standard_queue_orders_nothing(store: RedisStore, prefix: str) -> None:
    """There it names a tenant, whose messages may be processed side by side."""
    rig = await Rig(store, prefix).create()
    meeting = Event()
    here: list[Add] = []

    async def together(events: Any) -> None:
        async for event in events:
            here.append(event)
            if len(here) == 2:
                meeting.set()
            await meeting.wait()

    rig.agent(together)
    await rig.send_in_groups([Add("tenant", 1)], queue="out")
    (delivery,) = await rig.sqs.receive(rig.queues["out"], limit=1, wait=0)
    await rig.send_in_groups([Add("tenant", 1), Add("tenant", 2)])
    with fail_after(30):
        await rig.work_off()

    assert delivery.group == "tenant"
    rig.assert_accounted()


plans = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, ATTEMPTS)), min_size=1, max_size=24)


@settings(
    max_examples=15, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(plan=plans, concurrency=st.sampled_from([1, 3, 10, 20]), is_lame=st.booleans())
async def test_no_failure_breaks_the_order_within_a_group_or_loses_a_message(
    store: RedisStore, prefix: str, plan: list[tuple[str, int]], concurrency: int, is_lame: bool
) -> None:
    """A message that fails is begun again, or dead-lettered, before the next of its group begins."""
    rig = await Rig(store, prefix, wait_seconds=0).create(fifo=True, visibility=2)
    book, failures = Book(), {n: times for n, (_, times) in enumerate(plan)}

    async def failing(events: Any) -> None:
        async for event in events:
            book.begun.append(event)
            await sleep(0)
            if failures[event.n]:
                failures[event.n] -= 1
                raise Retry(after=0)
            book.done.append(event)

    rig.agent(failing, concurrency=concurrency)
    await rig.send_in_groups(Add(key, n) for n, (key, _) in enumerate(plan))
    async with rig.running():
        for operation in ("receive", "delete", "change_visibility") if is_lame else ():
            rig.sqs.faults.add(operation, Fail(), rate=0.1)
        await until(lambda: not rig.bodies("orders"))
        rig.sqs.faults.clear()

    for key in "abc":
        assert all(before <= after for before, after in pairwise(book.of(key)))
    done = [event.n for event in book.done]
    buried = [json.loads(body)["n"] for body in rig.bodies("orders-dlq")]
    assert sorted(done + buried) == list(range(len(plan)))
    assert all(plan[n][1] for n in buried)
    rig.assert_accounted()
