"""What an agent sees and does, on a running worker."""

import asyncio
import json
from typing import Any

import msgspec
import pytest
from anyio import Event, create_task_group, fail_after, sleep, sleep_forever

from rigs.worker import ATTEMPTS, Add, Count, Note, Parts, Rig, until
from streamapp.declared.index import Index
from streamapp.declared.table import Table
from streamapp.errors import NotInEvent, Reject, Retry, Skip
from streamapp.flow.backoff import Backoff
from streamapp.pipeline.acks import TRIES
from streamapp.state.store import MAX_PENDING
from streamapp.testing import Duplicate, Fail, Hang, Partial
from streamapp.worker.worker import Worker
from streamapp_codecs import Decoded, Origin


async def letters(rig: Rig) -> list[Any]:
    """Return what is in the dead-letter queue."""
    return await rig.sqs.receive(rig.queues["orders-dlq"], limit=10, wait=0)


async def test_an_exception_gives_the_message_back_and_tries_again(rig: Rig) -> None:
    """A bug or an outage of something else: the next try may succeed."""
    tries: list[int] = []

    async def flaky(events: Any) -> None:
        async for event in events:
            tries.append(event.n)
            if len(tries) < ATTEMPTS:
                raise RuntimeError
            await rig.counts.update(event.key, event)

    rig.agent(flaky)
    await rig.send([Add("a")])
    await rig.work_off()

    assert len(tries) == ATTEMPTS
    assert await rig.state("a") == Count(1, 1)
    assert (rig.tally.of("retry"), rig.tally.of("dead")) == (ATTEMPTS - 1, 0)


async def test_the_last_attempt_ends_in_the_dead_letter_queue(rig: Rig) -> None:
    """Body byte for byte, and three attributes that say why, whence and how often."""

    async def broken(events: Any) -> None:
        async for _ in events:
            raise ZeroDivisionError

    body = ' {"key": "a\\u0000é🍕", "n":1 , "more": [1, 2]}\n'
    rig.agent(broken)
    await rig.send([body])
    await rig.work_off()
    (letter,) = await letters(rig)

    assert letter.body == body
    assert letter.attributes["streamapp-reason"] == "attempts_exhausted"
    assert letter.attributes["streamapp-detail"] == "ZeroDivisionError"
    source = json.loads(letter.attributes["streamapp-source"])
    assert (source["queue"], source["receive_count"]) == ("orders", ATTEMPTS)
    assert set(letter.attributes) == {"streamapp-reason", "streamapp-detail", "streamapp-source"}
    assert rig.bodies("orders") == []
    assert rig.tally.of("dead") == 1
    rig.assert_accounted()


async def test_an_exception_ends_its_message_and_no_other(rig: Rig) -> None:
    """Poison never stops others."""

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


async def test_what_cannot_be_decoded_is_a_dead_letter_at_once(rig: Rig) -> None:
    """No try can heal a body."""
    rig.count()
    await rig.send(["nonsense", '{"key": 7}', Add("a")])
    await rig.work_off()
    found = {letter.body: letter.attributes["streamapp-reason"] for letter in await letters(rig)}

    assert found == {"nonsense": "not_json", '{"key": 7}': "invalid_value"}
    assert rig.tally.of("invalid") == 2
    assert set(rig.sqs.ledger.receives("orders").values()) == {1}


async def test_retry_comes_again_when_it_says(rig: Rig) -> None:
    """The agent knows better when."""
    times: list[float] = []

    async def later(events: Any) -> None:
        async for _ in events:
            times.append(asyncio.get_running_loop().time())
            if len(times) == 1:
                raise Retry(after=1)

    rig.agent(later)
    await rig.send([Add("a")])
    async with rig.running():
        await until(lambda: rig.tally.of("ok"))

    assert 0.9 < times[1] - times[0] < 3


@pytest.mark.parametrize("after", [1e9, float("inf")])
async def test_retry_in_more_than_twelve_hours_is_as_late_as_sqs_allows(rig: Rig, after: float) -> None:
    """SQS would refuse it, and the message would come back at the end of its visibility timeout."""

    async def later(events: Any) -> None:
        async for _ in events:
            raise Retry(after=after)

    rig.agent(later)
    await rig.send([Add("a"), Add("b")])
    async with rig.running():
        await until(lambda: len(rig.sqs.ledger.extended("orders")) == 2)


async def test_reject_is_a_dead_letter_at_once(rig: Rig) -> None:
    """With the agent's own reason."""

    async def rejecting(events: Any) -> None:
        async for _ in events:
            raise Reject("undecidable", "")

    rig.agent(rejecting)
    await rig.send([Add("a")])
    await rig.work_off()
    (letter,) = await letters(rig)

    assert letter.attributes["streamapp-reason"] == "undecidable"
    assert set(rig.sqs.ledger.receives("orders").values()) == {1}


async def test_skip_acknowledges(rig: Rig) -> None:
    """Without effect, and without a dead letter."""

    async def skipping(events: Any) -> None:
        async for _ in events:
            raise Skip("not ours")

    rig.agent(skipping)
    await rig.send([Add("a")])
    await rig.work_off()

    assert rig.tally.words() == {"received": 1, "skipped": 1}
    assert rig.bodies("orders") == rig.bodies("orders-dlq") == []


async def test_skipping_one_event_of_a_body_leaves_the_others_theirs(rig: Rig) -> None:
    """What the first one owes is announced before the message is deleted."""

    async def picky(events: Any) -> None:
        async for event in events:
            if event.n < 0:
                raise Skip("negative")
            await rig.counts.update(event.key, event)

    rig.agent(picky, codec=Parts())
    await rig.send(['[{"key":"a","n":5},{"key":"a","n":-1}]', '[{"key":"b","n":-1},{"key":"b","n":7}]'])
    await rig.work_off()

    assert (await rig.state("a"), await rig.state("b")) == (Count(5, 1), Count(7, 1))
    assert len(rig.bodies()) == 2
    rig.assert_accounted()


async def test_skipping_does_not_hide_a_bad_part(rig: Rig) -> None:
    """The body is dead-lettered once, after its good parts."""

    async def skipping(events: Any) -> None:
        async for _ in events:
            raise Skip("any")

    rig.agent(skipping, codec=Parts())
    await rig.send(['[{"key":"a"},"bad"]'])
    await rig.work_off()

    assert len(rig.bodies("orders-dlq")) == 1


async def test_a_body_of_several_events_is_settled_once(rig: Rig) -> None:
    """Its message is deleted after the last of them."""
    rig.count(codec=Parts())
    await rig.send(['[{"key":"a"},{"key":"b"},{"key":"a","n":4}]', "[]"])
    await rig.work_off()

    assert (await rig.state("a"), await rig.state("b")) == (Count(5, 2), Count(1, 1))
    assert len(rig.sqs.ledger.deleted("orders")) == 2
    assert (rig.tally.of("ok"), rig.tally.of("skipped")) == (1, 1)


async def test_a_bad_part_is_a_dead_letter_after_the_good_ones(rig: Rig) -> None:
    """Good parts count; the body is kept for a human."""
    rig.count(codec=Parts())
    await rig.send(['["bad",{"key":"a"}]', '["bad"]'])
    await rig.work_off()

    assert await rig.state("a") == Count(1, 1)
    assert sorted(rig.bodies("orders-dlq")) == ['["bad",{"key":"a"}]', '["bad"]']
    assert rig.bodies("orders") == []


async def test_a_codec_that_raises_ends_its_message_and_no_other(rig: Rig) -> None:
    """A codec is total; one that is not must not leave its delivery in nobody's hand."""

    class Raising(Parts):
        def decode(self, body: str, origin: Origin) -> Decoded[Add]:
            if "boom" in body:
                raise KeyError(body)
            return super().decode(body, origin)

    rig.count(codec=Raising(), concurrency=2)
    await rig.send(["boom"] * 5 + ['[{"key":"a"}]'])
    await rig.work_off()

    assert await rig.state("a") == Count(1, 1)
    assert rig.bodies("orders-dlq") == ["boom"] * 5
    rig.assert_accounted()


async def test_values_that_an_agent_yields_are_sent_before_its_message_is_deleted(rig: Rig) -> None:
    """A sink agent loses nothing either."""

    async def mapping(events: Any) -> Any:
        async for event in events:
            yield Note(event.key, event.n)

    rig.agent(mapping, sink=rig.out)
    rig.sqs.faults.add("send", Partial(0b111), queue="out", times=3)
    await rig.send(Add(str(n)) for n in range(20))
    await rig.work_off()

    assert len(rig.bodies()) == 20
    ledger = rig.sqs.ledger.entries
    first_delete = next(n for n, entry in enumerate(ledger) if entry.operation == "delete")
    assert any(entry.operation == "send" and entry.queue == "out" for entry in ledger[:first_delete])


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


async def test_an_announcement_that_sqs_refuses_is_parked_and_its_input_dead_lettered(rig: Rig) -> None:
    """Nothing is dropped silently."""
    rig.count()
    rig.sqs.faults.add(
        "send", Partial(1, code="InvalidMessageContents", sender_fault=True), queue="out", times=1
    )
    await rig.send([Add("a")])
    await rig.work_off()
    (letter,) = await letters(rig)

    names = [name[:3] for name in await rig.fields("a")]
    assert "_x:" in names
    assert "_o:" not in names
    assert letter.attributes["streamapp-reason"] == "attempts_exhausted"


async def test_nothing_is_deleted_before_its_announcement_is_sent(rig: Rig) -> None:
    """A crash in between would have told nobody, and nobody would come again."""
    rig.count()
    hang = rig.sqs.faults.add("send", Hang(), queue="out")
    await rig.send([Add("a"), Add("b")])
    async with rig.running():
        await until(lambda: rig.tally.of("sends"))
        await sleep(0.1)
        assert rig.sqs.ledger.calls("delete") == []
        hang.remove()
        await until(lambda: len(rig.sqs.ledger.deleted("orders")) == 2)

    assert len(rig.bodies()) == 2


async def test_what_is_owed_stays_in_the_hash_until_it_is_sent(rig: Rig) -> None:
    """A crash in between leaves the mark by which another worker finds it."""
    rig.count()
    hang = rig.sqs.faults.add("send", Hang(), queue="out")
    await rig.send([Add("a")])
    async with rig.running():
        await until(lambda: rig.tally.of("sends"))
        await sleep(0.05)
        assert [name for name in await rig.fields("a") if name.startswith("_o:")]
        hang.remove()


async def test_one_message_may_announce_more_than_a_key_may_owe(rig: Rig) -> None:
    """What it announced so far is sent before it comes again, so that there is room for the rest."""

    class Numbers(msgspec.Struct, frozen=True):
        seen: frozenset[int] = frozenset()

    def see(state: Numbers | None, event: Add) -> Numbers:
        return Numbers((state.seen if state else frozenset()) | {event.n})

    seen: Table[Numbers, Add] = rig.app.table(
        "seen",
        Numbers,
        fold=see,
        announce=lambda before, after: None if before == after else Note("n", len(after.seen)),
        to=rig.out,
    )

    async def seeing(events: Any) -> None:
        async for event in events:
            await seen.update("all", event)

    most = MAX_PENDING + 6
    rig.agent(seeing, codec=Parts())
    await rig.send([json.dumps([{"key": "a", "n": n} for n in range(1, most + 1)])])
    await rig.work_off(idle=0.3)

    assert sorted(json.loads(body)["times"] for body in rig.bodies()) == list(range(1, most + 1))
    assert rig.bodies("orders-dlq") == []
    assert rig.tally.of("retry") == 1


async def test_take_gives_what_came_within_its_time(rig: Rig) -> None:
    """Batches settle together."""
    sizes: list[int] = []

    async def batching(events: Any) -> None:
        async for batch in events.take(8, within=0.1):
            sizes.append(len(batch))
            await rig.counts.update_many([(event.key, event) for event in batch])

    rig.agent(batching, instances=1, concurrency=20)
    await rig.send(Add("a") for _ in range(20))
    await rig.work_off()

    assert sum(sizes) == 20
    assert max(sizes) == 8
    assert await rig.state("a") == Count(20, 20)
    assert len(rig.bodies()) == 20
    rig.assert_accounted()


async def test_take_cuts_bodies_of_several_events(rig: Rig) -> None:
    """A message whose events are in two batches is deleted after the second."""
    sizes: list[int] = []

    async def batching(events: Any) -> None:
        async for batch in events.take(2, within=0.05):
            sizes.append(len(batch))
            await rig.counts.update_many([(event.key, event) for event in batch])

    rig.agent(batching, instances=1, codec=Parts())
    await rig.send([json.dumps([{"key": "a"}] * 5)])
    await rig.work_off()

    assert sizes == [2, 2, 1]
    assert await rig.state("a") == Count(5, 5)
    assert len(rig.sqs.ledger.deleted("orders")) == 1


async def test_a_failing_batch_comes_again_as_a_whole(rig: Rig) -> None:
    """None of its messages is lost, none is left in hand."""

    async def batching(events: Any) -> None:
        async for _ in events.take(5, within=0.05):
            raise RuntimeError

    rig.agent(batching, instances=1)
    await rig.send(Add(str(n)) for n in range(5))
    await rig.work_off()

    assert len(rig.bodies("orders-dlq")) == 5
    rig.assert_accounted()


async def test_a_hard_stop_in_the_midst_of_dead_lettering_gives_all_back(rig: Rig) -> None:
    """What waits for its turn to be dead-lettered is still in hand."""

    async def rejecting(events: Any) -> None:
        async for _ in events.take(3, within=1):
            raise Reject("undecidable")

    rig.agent(rejecting, instances=1)
    rig.sqs.faults.add("send", Hang(), queue="orders-dlq")
    await rig.send(Add(str(n)) for n in range(3))
    worker = Worker(await rig.assemble())
    async with create_task_group() as tasks:
        await tasks.start(worker.run)
        await until(lambda: rig.tally.of("sends"))
        worker.stop()
        await until(lambda: not rig.sqs.simulator._polls._waiting)
        worker.stop()
        rig.sqs.faults.clear()

    assert len(rig.sqs.ledger.released("orders")) == 3
    rig.assert_accounted()


async def test_an_agent_that_takes_too_long_fails_at_its_message(rig: Rig) -> None:
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


async def test_waiting_for_the_sink_is_not_taking_too_long(rig: Rig) -> None:
    """An agent that has returned is done; an outage of its sink costs its message nothing."""

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


async def test_two_keys_that_owe_the_same_content_both_announce(rig: Rig) -> None:
    """An announcement's id names what it says; where it is owed is another matter."""
    rig.out._identity = lambda _: "same"

    async def batching(events: Any) -> None:
        async for batch in events.take(2, within=1):
            await rig.counts.update_many([(event.key, event) for event in batch])

    rig.agent(batching, instances=1)
    await rig.send([Add("a"), Add("b")])
    await rig.work_off()

    assert len(rig.bodies()) == 2


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
    """One pause after the other, and longer each time."""
    starts: list[object] = []

    async def broken(events: Any) -> None:
        starts.append(events)
        raise RuntimeError

    rig.agent(broken, instances=1)
    async with rig.running():
        await sleep(0.5)

    assert 1 <= len(starts) < 20


async def test_something_else_being_cancelled_ends_the_message_and_not_the_agent(rig: Rig) -> None:
    """A cancelled future raises what a cancelled agent raises; the agent must not vanish silently."""
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


async def test_a_table_outside_an_agent_is_refused(rig: Rig) -> None:
    """Its writes would belong to no event."""
    with pytest.raises(NotInEvent, match="count"):
        await rig.counts.update("a", Add("a"))
    with pytest.raises(NotInEvent, match="out"):
        await rig.out.send(Note("a", 1))
    with pytest.raises(NotInEvent):
        await Index("i").members("a")


async def test_a_lost_lease_cuts_its_agent_off_and_forbids_the_delete(rig: Rig) -> None:
    """Somebody else has the message; they will delete it."""
    rig = await Rig(rig.store, rig.config.key_prefix + "x").create(visibility=1)
    ends: list[str] = []

    async def slow(events: Any) -> None:
        async for event in events:
            if event.key == "lost":
                try:
                    await sleep_forever()
                finally:
                    ends.append("cut off")
            await rig.counts.update(event.key, event)

    rig.agent(slow, instances=1)
    await rig.send([Add("lost")])
    with fail_after(5):
        async with rig.running():
            await until(lambda: rig.tally.of("received"))
            (entry,) = rig.sqs.ledger.received("orders")
            await rig.sqs.delete(rig.queues["orders"], [str(entry.handle)])
            await until(lambda: ends)
            await rig.send([Add("next")])
            await until(lambda: rig.tally.of("ok"))

    assert rig.tally.of("lost") == 1
    assert await rig.state("next") == Count(1, 1)
    assert len(rig.sqs.ledger.deleted("orders")) == 2


async def test_leases_lost_in_the_buffer_are_not_processed(rig: Rig) -> None:
    """Their tokens bring others, which must find room; whoever has them now will see to them."""
    rig = await Rig(rig.store, rig.config.key_prefix + "x").create(visibility=1)
    go_on = Event()

    async def slow(events: Any) -> None:
        async for event in events:
            await go_on.wait()
            await rig.counts.update(event.key, event)

    rig.agent(slow, instances=1, concurrency=5)
    await rig.send(Add("old") for _ in range(5))
    async with rig.running():
        await until(lambda: rig.tally.of("received") == 5)
        handles = [str(entry.handle) for entry in rig.sqs.ledger.received("orders")]
        await rig.sqs.delete(rig.queues["orders"], handles[1:])
        await until(lambda: rig.tally.of("lost") == 4)
        await rig.send(Add("new") for _ in range(4))
        await until(lambda: rig.tally.of("received") == 9)
        go_on.set()
        await until(lambda: rig.tally.of("ok") == 5)

    assert await rig.state("old") == Count(1, 1)
    assert await rig.state("new") == Count(4, 4)


async def test_a_lost_lease_that_waits_for_its_delete_disturbs_nobody(rig: Rig) -> None:
    """The agent has gone on to another message, which must not be cut off."""
    rig = await Rig(rig.store, rig.config.key_prefix + "x").create(visibility=1)
    cut: list[str] = []

    async def slow(events: Any) -> None:
        async for event in events:
            if event.key == "second":
                try:
                    await sleep(1.5)
                except BaseException:
                    cut.append("cut off")
                    raise
            await rig.counts.update(event.key, event)

    rig.agent(slow, instances=1)
    # The delete takes effect, but its answer never comes: the heartbeat then hears that the message is gone.
    hang = rig.sqs.faults.add("delete", Hang(took_effect=True), queue="orders")
    await rig.send([Add("first"), Add("second")])
    async with rig.running():
        await until(lambda: rig.tally.of("lost"))
        await until(lambda: rig.tally.of("ok") == 2)
        hang.remove()

    assert cut == []
    assert await rig.state("second") == Count(1, 1)


async def test_a_message_in_hand_that_comes_again_runs_once(rig: Rig) -> None:
    """SQS may deliver a copy while the first one is being worked on."""
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


async def test_a_message_whose_delete_failed_is_only_deleted_when_it_comes_again(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its effect is durable; to run it again would be a waste, or worse."""
    monkeypatch.setattr("streamapp.pipeline.acks.AGAIN", Backoff(0.01, 0.01))
    rig = await Rig(rig.store, rig.config.key_prefix + "x").create(visibility=1)
    rig.count()
    rig.sqs.faults.add("delete", Fail(), times=TRIES)
    await rig.send([Add("a")])
    async with rig.running():
        await until(lambda: rig.sqs.ledger.deleted("orders"))

    assert await rig.state("a") == Count(1, 1)
    assert rig.tally.of("duplicate") == 1
