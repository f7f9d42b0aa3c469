"""How each effect changes a call."""

import anyio
import pytest

from streamapp.errors import Fault
from streamapp.messages import Outgoing, Queue
from streamapp.sqs.client import Failure
from streamapp.testing import (
    MISSING,
    Delay,
    Drip,
    Duplicate,
    Effect,
    Fail,
    Garble,
    Hang,
    Lose,
    MemorySqs,
    Partial,
    Reorder,
    Reset,
    Slow,
    VirtualClock,
)
from testing.faults.sends import TEN, fault


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("RequestThrottled", Fault.TRANSIENT),
        ("InternalError", Fault.TRANSIENT),
        ("ServiceUnavailable", Fault.TRANSIENT),
        ("ExpiredToken", Fault.CREDENTIALS),
        ("SignatureDoesNotMatch", Fault.CREDENTIALS),
        ("AccessDenied", Fault.CONFIGURATION),
        ("QueueDoesNotExist", Fault.CONFIGURATION),
        ("OverLimit", Fault.CAPACITY),
    ],
)
async def test_a_call_fails_with_the_fault_of_its_code(
    sqs: MemorySqs, queue: Queue, code: str, expected: Fault
) -> None:
    """The engine must see the same classes of error as from SQS."""
    sqs.faults.add("send", Fail(code), times=2)

    assert [await fault(sqs, queue) for _ in range(3)] == [expected, expected, None]
    assert sqs.bodies(queue) == ["0"]


@pytest.mark.parametrize("effect", [Lose(), Reset(), Garble(), Drip()])
async def test_a_lost_response_leaves_its_effect(sqs: MemorySqs, queue: Queue, effect: Effect) -> None:
    """A sender that tries again then sends twice."""
    sqs.faults.add("send", effect, times=1)

    assert await fault(sqs, queue) is Fault.TRANSIENT
    assert sqs.bodies(queue) == ["0"]
    assert len(sqs.ledger.lost("send")) == 1


async def test_a_reset_before_the_call_leaves_nothing(sqs: MemorySqs, queue: Queue) -> None:
    """The same error may also mean that nothing happened."""
    sqs.faults.add("send", Reset(took_effect=False), times=1)

    assert await fault(sqs, queue) is Fault.TRANSIENT
    assert sqs.bodies(queue) == []


@pytest.mark.parametrize("took_effect", [True, False])
async def test_silence_lasts_until_it_is_removed(sqs: MemorySqs, queue: Queue, *, took_effect: bool) -> None:
    """The caller's own deadline is all that helps."""
    hang = sqs.faults.add("send", Hang(took_effect=took_effect))

    with anyio.move_on_after(0.02) as scope:
        await sqs.send(queue, TEN[:1])
    hang.remove()

    assert scope.cancelled_caught
    assert len(sqs.bodies(queue)) == took_effect
    assert await fault(sqs, queue) is None


async def test_silence_ends_with_its_time(sqs: MemorySqs, queue: Queue, clock: VirtualClock) -> None:
    """A half-open connection ends at last."""
    sqs.faults.add("send", Hang(), seconds=5)
    sqs.faults.add("send", Slow(2), times=1)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(sqs.send, queue, TEN)
        await clock.advance(4)
        early = sqs.bodies(queue)
        await clock.advance(3)

    assert early == []
    assert len(sqs.bodies(queue)) == 10


@pytest.mark.parametrize("pattern", [0, 1, 0b1000000001, 0b0101010101, 0b1111111111])
@pytest.mark.parametrize("sender_fault", [True, False])
async def test_any_entries_of_a_batch_fail(
    sqs: MemorySqs, queue: Queue, pattern: int, *, sender_fault: bool
) -> None:
    """Only what failed may be sent again."""
    sqs.faults.add("send", Partial(pattern, "KmsThrottled", sender_fault), times=1)

    outcomes = await sqs.send(queue, TEN)

    failed = [n for n in range(10) if pattern >> n & 1]
    assert [n for n, outcome in enumerate(outcomes) if outcome] == failed
    assert {outcome for outcome in outcomes if outcome} <= {Failure("KmsThrottled", sender_fault)}
    assert sqs.bodies(queue) == [str(n) for n in range(10) if n not in failed]


async def test_an_entry_may_be_done_and_reported_failed_or_not_at_all(sqs: MemorySqs, queue: Queue) -> None:
    """A response is a claim about what happened, not what happened."""
    sqs.faults.add("send", Partial(lambda position: position == 1, took_effect=True, missing=True), times=1)

    outcomes = await sqs.send(queue, TEN[:3])

    assert outcomes == [None, Failure(MISSING), None]
    assert sqs.bodies(queue) == ["0", "1", "2"]


async def test_a_duplicate_comes_though_its_message_was_deleted(
    sqs: MemorySqs, queue: Queue, clock: VirtualClock
) -> None:
    """At least once means exactly this."""
    await sqs.send(queue, TEN[:1])
    sqs.faults.add("receive", Duplicate(after=5), times=1)

    (first,) = await sqs.receive(queue, limit=10, wait=0)
    await sqs.delete(queue, [first.handle])
    await clock.advance(5)
    (second,) = await sqs.receive(queue, limit=10, wait=0)

    assert (second.message_id, second.body, second.receives) == (first.message_id, "0", 2)
    assert second.handle != first.handle


async def test_order_is_lost_by_the_seed_on_standard_queues_alone(sqs: MemorySqs, queue: Queue) -> None:
    """A FIFO queue promises its order, faults or not."""
    fifo = await sqs.create("q.fifo", {"FifoQueue": "true", "ContentBasedDeduplication": "true"})
    sqs.faults.add("receive", Reorder())
    await sqs.send(queue, TEN)
    await sqs.send(fifo, [Outgoing(message.body, group="g") for message in TEN])

    standard = [delivery.body for delivery in await sqs.receive(queue, limit=10, wait=0)]
    ordered = [delivery.body for delivery in await sqs.receive(fifo, limit=10, wait=0)]

    assert standard != sorted(standard)
    assert ordered == sorted(standard)


async def test_delivery_takes_its_time(sqs: MemorySqs, queue: Queue, clock: VirtualClock) -> None:
    """What was sent first may be seen last."""
    sqs.faults.add("send", Delay(3, 6), times=1)
    await sqs.send(queue, TEN[:1])

    at_once = await sqs.receive(queue, limit=10, wait=0)
    await clock.advance(6)

    assert at_once == []
    assert len(await sqs.receive(queue, limit=10, wait=0)) == 1
