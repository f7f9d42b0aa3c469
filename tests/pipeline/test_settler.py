"""How deliveries end: what is sent before a delete, and what becomes of a failure."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from anyio import sleep
from msgspec.structs import replace

from pipeline.settling import settling
from rigs.worker import ATTEMPTS, Add, Count, Rig, until
from streamapp.errors import Fault, Refused, Reject, Retry, ServiceError
from streamapp.messages import Outgoing
from streamapp.pipeline.dead_letter import Why
from streamapp.testing import Fail, Hang, Partial


async def test_a_lost_lease_is_neither_deleted_nor_given_back() -> None:
    """Another worker has its message."""
    async with settling() as it:
        (lease,) = await it.receive(Outgoing("a"))
        it.leases._let_go([lease])
        it.settler.delete(lease, "ok")
        it.acks.release(lease)

    assert it.sqs.ledger.calls("delete") == it.sqs.ledger.calls("change_visibility") == []
    assert it.is_over()
    assert it.counters.words() == {"lost": 1}


@pytest.mark.parametrize(
    ("error", "attempts", "word"),
    [
        (RuntimeError(), 1, "retry"),
        (RuntimeError(), 4, "retry"),
        (RuntimeError(), 5, "dead"),
        (RuntimeError(), 9, "dead"),
        (Retry(), 4, "retry"),
        (Retry(5), 5, "dead"),
        (Reject("undecidable"), 1, "dead"),
        (Refused("InvalidMessageContents"), 1, "dead"),
        (ServiceError("Redis", Fault.SENDER, "x"), 99, "retry"),
    ],
    ids=str,
)
async def test_a_failure_is_retried_or_dead_lettered_by_its_kind_and_its_attempts(
    error: Exception, attempts: int, word: str
) -> None:
    """A failure of SQS or Redis never counts against a message."""
    async with settling() as it:
        (lease,) = await it.receive(Outgoing("a"))
        lease.attempts = attempts
        await it.settler.fail(lease, error)

    assert it.counters.of(word) == 1  # type: ignore[arg-type]  # a word of the table above
    assert it.is_over()


async def test_a_message_whose_agent_raised_is_tried_again(rig: Rig) -> None:
    """It may be a passing failure of something else: the next try may succeed."""
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


async def test_a_rejected_message_is_a_dead_letter_at_once(rig: Rig) -> None:
    """It carries the agent's own reason."""

    async def rejecting(events: Any) -> None:
        async for _ in events:
            raise Reject("undecidable", "")

    rig.agent(rejecting)
    await rig.send([Add("a")])
    await rig.work_off()
    (letter,) = await rig.letters()

    assert letter.attributes["streamapp-reason"] == "undecidable"
    assert set(rig.sqs.ledger.receives("orders").values()) == {1}


@pytest.mark.parametrize(
    ("detail", "recorded"),
    [(ValueError("17 is odd"), "17 is odd"), (None, "None"), ("half: \ud83c", "half: ?")],
)
async def test_a_reject_takes_anything_for_its_detail(rig: Rig, detail: Any, recorded: str) -> None:
    """Agents pass an exception, or text with half a character, which a careless codec had read."""

    async def picky(events: Any) -> None:
        async for event in events:
            if event.n == 2:
                raise Reject("odd", detail)

    rig.agent(picky)
    kept = rig.keep_records()
    await rig.send(Add("a", n) for n in range(1, 6))
    assert await rig.work_off()

    assert rig.dead() == [{"key": "a", "n": 2}]
    assert [it["detail"] for it in kept.records if it["outcome"] == "dead"] == [recorded]
    assert (rig.tally.of("ok"), rig.tally.of("received")) == (4, 5)


async def test_a_retry_comes_again_at_the_time_that_it_names(rig: Rig) -> None:
    """The agent may know when another try makes sense."""
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

    assert times[1] - times[0] > 0.9  # clock: at least the pause, however slow the machine


@pytest.mark.parametrize("after", [timedelta(seconds=1), "60", float("nan")])
async def test_a_retry_with_no_number_for_its_time_fails_alone(rig: Rig, after: Any) -> None:
    """Other messages that are given back in the same call must keep their own times."""
    tries: list[int] = []

    async def retrying(events: Any) -> None:
        async for event in events:
            tries.append(event.n)
            if event.n == 2:
                raise Retry(after)
            if event.n == 3 and tries.count(3) == 1:
                raise Retry(0)

    rig.agent(retrying)
    rig.keep_records()
    await rig.send(Add("a", n) for n in range(1, 6))
    assert await rig.work_off()

    assert rig.dead() == [{"key": "a", "n": 2}]
    assert (rig.tally.of("ok"), rig.tally.of("retry")) == (4, ATTEMPTS)
    rig.assert_accounted()


async def test_nothing_is_deleted_before_its_announcement_is_sent(rig: Rig) -> None:
    """After a crash in between, no message would come again to announce it."""
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


async def test_an_announcement_that_sqs_refuses_is_parked_and_its_input_dead_lettered(rig: Rig) -> None:
    """Nothing is dropped silently."""
    rig.count()
    rig.sqs.faults.add(
        "send", Partial(1, code="InvalidMessageContents", sender_fault=True), queue="out", times=1
    )
    await rig.send([Add("a")])
    await rig.work_off()
    (letter,) = await rig.letters()

    names = [name[:3] for name in await rig.fields("a")]
    assert "_x:" in names
    assert "_o:" not in names
    assert letter.attributes["streamapp-reason"] == "attempts_exhausted"


async def test_a_dead_letter_is_sent_before_its_message_is_deleted() -> None:
    """The other way round, a crash would lose it."""
    async with settling() as it:
        (lease,) = await it.receive(Outgoing("body"))
        await it.settler.bury(lease, Why("undecidable", "d"))

    operations = [(entry.operation, entry.queue) for entry in it.sqs.ledger.entries if entry.message_id]
    assert operations.index(("send", "dead")) < operations.index(("delete", "orders"))


async def test_without_a_dead_letter_queue_a_message_is_given_back() -> None:
    """It must not be deleted, and SQS's own rules decide what becomes of it."""
    async with settling(dead=False) as it:
        (lease,) = await it.receive(Outgoing("body"))
        await it.settler.bury(lease, Why("undecidable", "d"))

    assert it.sqs.ledger.deleted("orders") == []
    assert it.is_over()


async def test_a_bad_message_of_a_queue_without_a_policy_comes_again_and_again(rig: Rig) -> None:
    """SQS's own rules apply where there is no queue to put it into."""
    await rig.sqs.create("orders", {"RedrivePolicy": ""})
    rig.count()
    await rig.sqs.send(rig.queues["orders"], [Outgoing("nonsense")])
    async with rig.running():
        await until(lambda: max(rig.sqs.ledger.receives("orders").values(), default=0) > 3)

    assert rig.bodies("orders") == ["nonsense"]


async def test_a_letter_that_sqs_refuses_is_given_back() -> None:
    """A message that comes again is better than one that is lost."""
    async with settling() as it:
        it.sqs.faults.add("send", Partial(1, code="InvalidMessageContents", sender_fault=True), queue="dead")
        (lease,) = await it.receive(Outgoing("body"))
        await it.settler.bury(lease, Why("undecidable", "d"))

    assert it.sqs.ledger.deleted("orders") == []
    assert it.is_over()


@pytest.mark.parametrize("code", ["AccessDenied", "QueueDoesNotExist"])
async def test_a_dead_letter_queue_that_cannot_be_used_holds_up_no_other_message(rig: Rig, code: str) -> None:
    """Bad messages would take every place, and no good one would be received until a right is mended."""
    rig.count(concurrency=4, backoff=30)
    rig.sqs.faults.add("send", Fail(code), queue="orders-dlq")
    await rig.send([*["no event"] * 4, *(Add("a") for _ in range(5))])
    async with rig.running():
        await until(lambda: rig.tally.of("ok") == 5)
        await until(lambda: rig.tally.of("retry") == 4)

    assert sorted(rig.bodies("orders")) == ["no event"] * 4
    assert rig.bodies("orders-dlq") == []


async def test_no_message_waits_behind_a_lost_one_of_its_group() -> None:
    """Another worker has the lost one; those behind it would be kept invisible here for hours."""
    async with settling() as it:
        first, second = await it.receive(Outgoing("1"), Outgoing("2"))
        for lease in (first, second):
            lease.delivery = replace(lease.delivery, group="g")
            assert it.handoff.put(lease) == []
        it.leases._let_go([first])
        it.settler.delete(first, "ok")

    assert it.is_over()
    assert [entry.handle for entry in it.sqs.ledger.released("orders")] == [second.handle]
