"""A careless consumer under many faults at once, by seed, in virtual time."""

from random import Random

import anyio
import pytest

from streamapp.errors import ServiceError
from streamapp.messages import Outgoing, Queue
from streamapp.testing import Delay, Duplicate, Fail, Lose, MemorySqs, Partial, Reorder, VirtualClock


@pytest.mark.parametrize("seed", range(10))
async def test_nothing_is_lost_and_every_receipt_ends(seed: int) -> None:
    """Whatever fails, a message that SQS accepted is delivered until it is deleted."""
    clock, chance = VirtualClock(), Random(seed)
    sqs = MemorySqs(clock=clock, seed=seed)
    queue = await sqs.create("q", {"VisibilityTimeout": "5"})
    let_fail(sqs, chance)
    taken: set[str] = set()
    seen: set[str] = set()

    async def consume() -> None:
        while True:
            try:
                await consume_once(sqs, queue, seen, chance)
            except ServiceError:
                await clock.sleep(0.5)

    async with anyio.create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(consume)
        for number in range(100):
            taken |= await sent(sqs, queue, str(number))
            await clock.advance(0.3)
        while sqs.bodies(queue) and clock.now() < 1_000:
            await clock.advance(2)
        tasks.cancel_scope.cancel()

    assert len(taken) > 50
    assert taken <= seen
    assert sqs.bodies(queue) == []
    assert not sqs.ledger.in_flight()
    assert len({entry.handle for entry in sqs.ledger.received()}) == len(sqs.ledger.received())


def let_fail(sqs: MemorySqs, chance: Random) -> None:
    """Add many faults, each some of the time."""
    sqs.faults.add("*", Fail("RequestThrottled"), rate=0.1)
    sqs.faults.add("receive", Lose(), rate=0.1)
    sqs.faults.add("delete", Lose(), rate=0.1)
    sqs.faults.add("delete", Partial(lambda _: chance.random() < 0.3), rate=0.5)
    sqs.faults.add("receive", Duplicate(after=3), rate=0.1)
    sqs.faults.add("receive", Reorder())
    sqs.faults.add("send", Delay(0, 4), rate=0.5)


async def consume_once(sqs: MemorySqs, queue: Queue, seen: set[str], chance: Random) -> None:
    """Receive, at times take longer than the visibility timeout, and delete."""
    deliveries = await sqs.receive(queue, limit=10, wait=5)
    seen.update(delivery.body for delivery in deliveries)
    await sqs.clock.sleep(chance.random() * 7)
    if deliveries:
        await sqs.delete(queue, [delivery.handle for delivery in deliveries])


async def sent(sqs: MemorySqs, queue: Queue, body: str) -> set[str]:
    """Send *body*; return it if SQS reported that it was accepted."""
    try:
        (outcome,) = await sqs.send(queue, [Outgoing(body)])
    except ServiceError:
        return set()
    return {body} if outcome is None else set()
