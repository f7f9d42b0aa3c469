"""Long polls of the SQS in memory."""

import anyio
import pytest

from streamapp.errors import Fault, ServiceError
from streamapp.messages import Outgoing, Queue
from streamapp.testing import MemorySqs, VirtualClock


async def test_a_poll_waits_and_is_woken(sqs: MemorySqs, queue: Queue, clock: VirtualClock) -> None:
    """Long polls are how messages come at all."""
    seen: list[tuple[float, int]] = []

    async def poll() -> None:
        while True:
            deliveries = await sqs.receive(queue, limit=10, wait=20)
            seen.append((clock.now(), len(deliveries)))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(poll)
        await clock.advance(25)
        await sqs.send(queue, [Outgoing("a"), Outgoing("b")])
        await clock.advance(31)
        tasks.cancel_scope.cancel()

    assert seen == [(20, 0), (25, 2), (45, 0), (55, 2)]


async def test_each_of_many_polls_gets_its_own(sqs: MemorySqs, queue: Queue, clock: VirtualClock) -> None:
    """A message goes to one poller."""
    async with anyio.create_task_group() as tasks:
        for _ in range(5):
            tasks.start_soon(lambda: sqs.receive(queue, limit=1, wait=20))
        await clock.advance(1)
        await sqs.send(queue, [Outgoing(str(n)) for n in range(4)])
        await clock.advance(20)

    assert set(sqs.ledger.receives().values()) == {1}
    assert [call.outcome for call in sqs.ledger.calls("receive")] == ["done"] * 4 + ["empty"]


async def test_a_poll_that_was_cut_hides_what_comes(
    sqs: MemorySqs, queue: Queue, clock: VirtualClock
) -> None:
    """So the engine must wait for its polls to return."""
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lambda: sqs.receive(queue, limit=10, wait=20))
        await clock.advance(1)
        tasks.cancel_scope.cancel()

    await sqs.send(queue, [Outgoing("a")])

    assert await sqs.receive(queue, limit=10, wait=0) == []
    assert len(sqs.ledger.lost("receive")) == 1
    await clock.advance(30)
    assert len(await sqs.receive(queue, limit=10, wait=0)) == 1


async def test_too_much_in_flight_looks_like_an_empty_queue_to_a_long_poll(
    sqs: MemorySqs, queue: Queue, clock: VirtualClock
) -> None:
    """Only a short poll gets the error."""
    sqs.limit_in_flight(queue, 2)
    await sqs.send(queue, [Outgoing(str(n)) for n in range(3)])
    first = await sqs.receive(queue, limit=10, wait=0)

    with pytest.raises(ServiceError) as caught:
        await sqs.receive(queue, limit=10, wait=0)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lambda: sqs.receive(queue, limit=10, wait=1))
        await clock.advance(1)

    assert len(first) == 2
    assert caught.value.fault is Fault.CAPACITY
    assert sqs.ledger.calls("receive")[-1].outcome == "empty"
