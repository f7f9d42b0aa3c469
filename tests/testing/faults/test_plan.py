"""Faults on command, in memory."""

from streamapp.errors import Fault
from streamapp.messages import Queue
from streamapp.testing import (
    Fail,
    MemorySqs,
    VirtualClock,
)
from testing.faults.sends import fault


async def test_a_fault_is_bounded_by_count_time_queue_and_operation(
    sqs: MemorySqs, queue: Queue, clock: VirtualClock
) -> None:
    """One agent's outage must be one agent's."""
    other = await sqs.create("other", {})
    sqs.faults.add("send", Fail(), queue="q", seconds=10, skip=1)

    seen = [await fault(sqs, queue), await fault(sqs, queue), await fault(sqs, other)]
    await sqs.attributes(queue)
    await clock.advance(10)

    assert seen == [None, Fault.TRANSIENT, None]
    assert await fault(sqs, queue) is None


async def test_the_same_seed_gives_the_same_faults() -> None:
    """A failure that was found must be reproducible."""

    async def run(seed: int) -> list[Fault | None]:
        sqs = MemorySqs(clock=VirtualClock(), seed=seed)
        queue = await sqs.create("q", {})
        sqs.faults.add("send", Fail(), rate=0.5)
        return [await fault(sqs, queue) for _ in range(40)]

    first = await run(1)

    assert first == await run(1)
    assert first != await run(2)
    assert {Fault.TRANSIENT, None} == set(first)
