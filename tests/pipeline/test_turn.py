"""Bodies, their events and their messages, on a running worker."""

import json
from typing import Any

import msgspec
from anyio import Event, create_task_group, fail_after, sleep_forever
from anyio.lowlevel import checkpoint

from rigs.worker import ATTEMPTS, PATIENCE, Add, Count, Note, Parts, Rig, until
from streamapp.declared.table import Table
from streamapp.errors import Reject, Skip, StreamappError
from streamapp.state.store import MAX_PENDING
from streamapp.testing import Hang, Partial
from streamapp.worker.worker import Worker
from streamapp_codecs import Decoded, Origin


async def test_what_cannot_be_decoded_is_a_dead_letter_at_once(rig: Rig) -> None:
    """No further try can change a body."""
    rig.count()
    await rig.send(["nonsense", '{"key": 7}', Add("a")])
    await rig.work_off()
    found = {letter.body: letter.attributes["streamapp-reason"] for letter in await rig.letters()}

    assert found == {"nonsense": "not_json", '{"key": 7}': "invalid_value"}
    assert rig.tally.of("invalid") == 2
    assert set(rig.sqs.ledger.receives("orders").values()) == {1}


async def test_a_skipped_message_is_deleted(rig: Rig) -> None:
    """It has no effect, and is no dead letter."""

    async def skipping(events: Any) -> None:
        async for _ in events:
            raise Skip("not ours")

    rig.agent(skipping)
    await rig.send([Add("a")])
    await rig.work_off()

    assert rig.tally.words() == {"received": 1, "skipped": 1}
    assert rig.bodies("orders") == rig.bodies("orders-dlq") == []


async def test_skipping_one_event_of_a_body_keeps_the_effects_of_the_others(rig: Rig) -> None:
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


async def test_a_body_of_several_events_ends_once(rig: Rig) -> None:
    """Its message is deleted after the last of them."""
    rig.count(codec=Parts())
    await rig.send(['[{"key":"a"},{"key":"b"},{"key":"a","n":4}]', "[]"])
    await rig.work_off()

    assert (await rig.state("a"), await rig.state("b")) == (Count(5, 2), Count(1, 1))
    assert len(rig.sqs.ledger.deleted("orders")) == 2
    assert (rig.tally.of("ok"), rig.tally.of("skipped")) == (1, 1)


async def test_a_bad_part_is_a_dead_letter_after_the_good_ones(rig: Rig) -> None:
    """The good parts take effect; the whole body is kept for an operator to look at."""
    rig.count(codec=Parts())
    await rig.send(['["bad",{"key":"a"}]', '["bad"]'])
    await rig.work_off()

    assert await rig.state("a") == Count(1, 1)
    assert sorted(rig.bodies("orders-dlq")) == ['["bad",{"key":"a"}]', '["bad"]']
    assert rig.bodies("orders") == []


async def test_a_codec_that_raises_ends_its_message_and_no_other(rig: Rig) -> None:
    """A codec should never raise; if one does, its message must not stay in hand for ever."""

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


async def test_one_message_may_announce_more_than_a_key_may_owe(rig: Rig) -> None:
    """What it announced so far is sent while it waits in hand, so that there is room for the rest."""

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
    assert rig.tally.of("retry") == 0


async def test_a_failing_batch_comes_again_as_a_whole(rig: Rig) -> None:
    """None of its messages is lost, and none is left in hand."""

    async def batching(events: Any) -> None:
        async for _ in events.take(5, within=0.05):
            raise RuntimeError

    rig.agent(batching, instances=1)
    await rig.send(Add(str(n)) for n in range(5))
    await rig.work_off()

    assert len(rig.bodies("orders-dlq")) == 5
    rig.assert_accounted()


async def test_a_hard_stop_in_the_midst_of_dead_lettering_gives_all_back(rig: Rig) -> None:
    """Messages that are still to be dead-lettered are in hand until then."""

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


async def test_an_agent_whose_lease_is_lost_is_cut_off_and_its_message_not_deleted(rig: Rig) -> None:
    """Another worker has the message, and deletes it."""
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
    with fail_after(30):
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


async def test_leases_lost_before_an_agent_took_them_are_not_processed(rig: Rig) -> None:
    """Their tokens bring other messages, which must find room."""
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


async def test_a_message_whose_delete_failed_is_only_deleted_when_it_comes_again(rig: Rig) -> None:
    """Its effect is durable; to process it again would be a waste, or worse."""
    rig = await Rig(rig.store, rig.config.key_prefix + "x").create(visibility=1)
    rig.count()
    rig.sqs.faults.add("delete", Partial(1, "InvalidParameterValue", sender_fault=True), times=1)
    await rig.send([Add("a")])
    async with rig.running():
        await until(lambda: rig.sqs.ledger.deleted("orders"))

    assert await rig.state("a") == Count(1, 1)
    assert rig.tally.of("duplicate") == 1


async def received_before(rig: Rig, times: int) -> None:
    """Receive all that is there so many times, as workers do that die."""
    for _ in range(times):
        deliveries = await rig.sqs.receive(rig.queues["orders"], limit=10, wait=0)
        await rig.sqs.change_visibility(rig.queues["orders"], [(it.handle, 0) for it in deliveries])


async def test_what_was_received_more_often_than_it_may_fail_is_run_once_more_and_alone(rig: Rig) -> None:
    """It may have ended the process, or only have been in one that another message ended."""
    working, most, tries = 0, dict[str, int](), list[str]()

    async def agent(events: Any) -> None:
        nonlocal working
        async for event in events:
            working += 1
            tries.append(event.key)
            for _ in range(5):
                await checkpoint()
                most[event.key] = max(most.get(event.key, 0), working)
            working -= 1
            if event.key == "poison":
                raise RuntimeError

    rig.agent(agent, concurrency=10)
    await rig.send(Add(key) for key in ("poison", "good", "fine"))
    await received_before(rig, ATTEMPTS)
    await rig.send(Add(f"new{n}") for n in range(5))
    await rig.work_off()

    assert [most[key] for key in ("poison", "good", "fine")] == [1, 1, 1]
    assert tries.count("poison") == 1
    assert [json.loads(body)["key"] for body in rig.bodies("orders-dlq")] == ["poison"]
    assert rig.bodies("orders") == []


async def test_receives_that_this_worker_gave_back_itself_are_no_attempts(rig: Rig) -> None:
    """A drain, or a lost lease, says nothing about a message."""
    tries = 0

    async def failing(events: Any) -> None:
        nonlocal tries
        async for _ in events:
            tries += 1
            raise RuntimeError

    rig.agent(failing)
    await rig.send([Add("a")])
    await received_before(rig, 1)
    await rig.work_off()

    assert tries == ATTEMPTS - 1  # the receive that nobody here knows of counts as one
    assert len(rig.bodies("orders-dlq")) == 1


async def test_a_batch_that_loses_one_lease_tries_the_others_again_in_hand(rig: Rig) -> None:
    """Another worker has the lost one; the others are not received again for it."""
    sizes: list[int] = []

    async def batching(events: Any) -> None:
        async for batch in events.take(3, within=0.2):
            sizes.append(len(batch))
            if len(sizes) == 1:
                (lease, *_) = [it for it in pipeline.leases._held.values() if it.delivery.body == first]
                pipeline.leases._let_go([lease])
                await sleep_forever()

    rig.agent(batching, instances=1)
    await rig.send(Add("a", n) for n in (1, 2, 3))
    first = rig.bodies("orders")[0]
    worker = Worker(await rig.assemble())
    (pipeline,) = worker.pipelines
    with fail_after(PATIENCE):
        await worker.run(idle=0.2)

    assert sizes[:2] == [3, 2]
    assert rig.tally.of("ok") == 2
    assert rig.tally.of("released") == 0


async def test_only_events_of_the_batch_in_hand_are_decided_on(rig: Rig) -> None:
    """Another one would end a message of another batch, or none."""
    told: list[str] = []

    async def batching(events: Any) -> None:
        async for batch in events.take(3, within=0.05):
            try:
                batch.skip(Add("elsewhere"))
            except StreamappError as error:
                told.append(str(error))

    rig.agent(batching, instances=1)
    await rig.send([Add("a")])
    await rig.work_off()

    assert len(told) == 1
    assert "not in the batch in hand" in told[0]
    assert rig.tally.of("ok") == 1
