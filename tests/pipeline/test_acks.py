"""Deletes and releases: ten in one call; what failed is tried again."""

from typing import Any

import pytest
from anyio import create_task_group, sleep, wait_all_tasks_blocked

from pipeline.settling import settling
from rigs.worker import Add, Count, Rig, until
from streamapp.errors import Retry
from streamapp.flow.backoff import Backoff
from streamapp.messages import Outgoing
from streamapp.pipeline.acks import TRIES
from streamapp.testing import Duplicate, Fail, Hang, Partial

THROTTLED = Partial(0b11, code="RequestThrottled", sender_fault=True)


async def test_ten_deletes_are_one_call_and_end_their_leases() -> None:
    """SQS bills the call, and a delivered message must stop being extended."""
    async with settling() as it:
        for lease in await it.receive(*(Outgoing(str(n)) for n in range(10))):
            it.settler.delete(lease, "ok")

    assert len(it.sqs.ledger.calls("delete")) == 1
    assert it.is_over()


async def test_a_message_that_comes_again_while_it_is_deleted_is_deleted_by_its_new_handle() -> None:
    """The delete of an old handle succeeds and does nothing, so the message would come a third time."""
    async with settling() as it:
        it.sqs.faults.add("receive", Duplicate(), times=1)
        (lease,) = await it.receive(Outgoing("once"))
        hang = it.sqs.faults.add("delete", Hang(), times=1)
        it.settler.delete(lease, "ok")
        await until(lambda: hang.hits)
        (again,) = await it.sqs.receive(it.queue, limit=10, wait=0)
        assert it.leases.take(again) is None
        hang.remove()

    assert it.sqs.bodies(it.queue) == []
    assert it.is_over()


@pytest.mark.parametrize("effect", [Partial(1), Partial(0b101), Partial(0b1111), THROTTLED], ids=repr)
async def test_only_deletes_that_failed_are_repeated(
    monkeypatch: pytest.MonkeyPatch, effect: Partial
) -> None:
    """An HTTP 200 may carry failures, and throttling is never the fault of an entry, even if SQS calls it so."""
    monkeypatch.setattr("streamapp.pipeline.acks.AGAIN", Backoff(0.001, 0.001))
    async with settling() as it:
        it.sqs.faults.add("delete", effect, times=1)
        for lease in await it.receive(*(Outgoing(str(n)) for n in range(4))):
            it.settler.delete(lease, "ok")

    assert len(it.sqs.ledger.deleted("orders")) == 4
    assert len(it.sqs.ledger.calls("delete")) == 2
    assert it.is_over()


async def test_a_delete_that_keeps_failing_keeps_its_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    """Received again it would only be deleted, and SQS counts that receive: in the end it dead-letters what is done."""
    for pauses in ("AGAIN", "LATER"):
        monkeypatch.setattr(f"streamapp.pipeline.acks.{pauses}", Backoff(0.001, 0.001))
    async with settling() as it:
        it.sqs.faults.add("delete", Fail(), times=5 * TRIES)
        (lease,) = await it.receive(Outgoing("a"))
        it.settler.delete(lease, "ok")
        await until(lambda: len(it.sqs.ledger.calls("delete")) > 2 * TRIES)
        assert not it.is_over()
        await until(it.is_over)

    assert len(it.sqs.ledger.deleted("orders")) == 1


async def test_a_delete_that_fails_as_the_worker_drains_is_remembered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """When the message comes again it is only deleted."""
    monkeypatch.setattr("streamapp.pipeline.acks.AGAIN", Backoff(0.001, 0.001))
    async with settling() as it:
        it.sqs.faults.add("delete", Fail())
        (lease,) = await it.receive(Outgoing("a"))
        it.settler.delete(lease, "ok")
        it.acks.hurry()
        await until(it.is_over)

    (again,) = it.take_again(lease)
    assert again.was_processed


async def test_a_delete_that_breaks_ends_its_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise the message would stay invisible for twelve hours, and its place taken for ever."""
    monkeypatch.setattr("streamapp.pipeline.acks.AGAIN", Backoff(0.001, 0.001))
    async with settling() as it:
        it.sqs.faults.add("delete", Partial(lambda position: 1 // position == 0))
        (lease,) = await it.receive(Outgoing("a"))
        it.settler.delete(lease, "ok")
        await until(it.is_over)

    (again,) = it.take_again(lease)
    assert again.was_processed


async def test_what_is_given_back_is_no_longer_extended() -> None:
    """The lease ends before SQS is told, or a heartbeat could undo the release."""
    async with settling() as it:
        (lease,) = await it.receive(Outgoing("a"))
        it.acks.give_back(lease, 60)
        assert it.is_over()

    (entry,) = it.sqs.ledger.extended("orders")  # 60 s is later than the 30 s of its visibility timeout
    assert entry.handle == lease.handle


async def test_a_release_waits_for_the_heartbeat_that_holds_its_lease() -> None:
    """The call that reaches SQS last is the one that counts."""
    async with settling() as it:
        (lease,) = await it.receive(Outgoing("a"))
        lease.expires_at -= 20
        async with create_task_group() as tasks:
            hang = it.sqs.faults.add("change_visibility", Hang(), times=1)
            tasks.start_soon(it.leases.beat)
            await wait_all_tasks_blocked()
            it.acks.release(lease)
            await sleep(0.05)
            assert it.sqs.ledger.released("orders") == []
            hang.remove()

    assert it.sqs.bodies(it.queue) == ["a"]
    assert [entry.outcome for entry in it.sqs.ledger.of(lease.delivery.message_id)][-1] == "released"


@pytest.mark.parametrize("effect", [Fail("RequestThrottled"), Partial(0b10), THROTTLED], ids=repr)
async def test_a_release_that_failed_is_repeated(
    monkeypatch: pytest.MonkeyPatch, effect: Fail | Partial
) -> None:
    """At the end of a drain nothing else would bring the message back before its visibility timeout ends."""
    monkeypatch.setattr("streamapp.pipeline.acks.AGAIN", Backoff(0.001, 0.001))
    async with settling() as it:
        it.sqs.faults.add("change_visibility", effect, times=1)
        for lease in await it.receive(Outgoing("a"), Outgoing("b")):
            it.acks.release(lease)

    assert len(it.sqs.ledger.released("orders")) == 2


@pytest.mark.parametrize("after", [1e9, float("inf")])
async def test_retry_in_more_than_twelve_hours_is_as_late_as_sqs_allows(rig: Rig, after: float) -> None:
    """SQS would refuse more, and the message would come back at the end of its visibility timeout."""

    async def later(events: Any) -> None:
        async for _ in events:
            raise Retry(after=after)

    rig.agent(later)
    await rig.send([Add("a"), Add("b")])
    async with rig.running():
        await until(lambda: len(rig.sqs.ledger.extended("orders")) == 2)


async def test_a_lease_lost_while_its_message_is_deleted_cancels_no_agent(rig: Rig) -> None:
    """The agent is at work on another message by then, which must not be cut off."""
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
    # The delete takes effect, but its response never comes: then the heartbeat finds that the message is gone.
    hang = rig.sqs.faults.add("delete", Hang(took_effect=True), queue="orders")
    await rig.send([Add("first"), Add("second")])
    async with rig.running():
        await until(lambda: rig.tally.of("lost"))
        await until(lambda: rig.tally.of("ok") == 2)
        hang.remove()

    assert cut == []
    assert await rig.state("second") == Count(1, 1)
