"""What was received goes to one agent each, whoever is cut off meanwhile."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from anyio import CancelScope, create_task_group, wait_all_tasks_blocked

from streamapp.messages import Delivery, Queue
from streamapp.pipeline.handoff import IN_A_ROW, Handoff
from streamapp.pipeline.leases import Lease

QUEUE = Queue("q", "url")


def leases(number: int) -> Sequence[Lease]:
    """Return so many leases."""
    now = datetime.now(UTC)
    return [Lease(Delivery(QUEUE, str(n), "handle", "{}", 1, now, 0.0), "handle", 0.0) for n in range(number)]


async def test_leases_are_taken_in_order_until_the_feed_ends() -> None:
    """What is there when it is closed is still taken."""
    feed, these = Handoff(), leases(3)
    for lease in these:
        assert feed.put(lease)
    feed.close()

    assert [await feed.take() for _ in range(4)] == [*these, None]


async def test_a_waiting_taker_is_given_the_next_and_no_stop_takes_it_back() -> None:
    """It is on its way into an agent's hand."""
    feed, (lease,) = Handoff(), leases(1)
    taken: list[Lease | None] = []

    async def agent() -> None:
        taken.append(await feed.take())

    async with create_task_group() as agents:
        agents.start_soon(agent)
        await wait_all_tasks_blocked()
        assert feed.is_awaited
        feed.put(lease)
        assert not feed.is_awaited
        assert not feed.take_back()

    assert taken == [lease]


@pytest.mark.parametrize("others", [0, 1])
async def test_a_taker_that_is_cut_off_leaves_its_lease_to_another(others: int) -> None:
    """A message in nobody's hand would stay hidden until its visibility timeout."""
    feed, (lease,) = Handoff(), leases(1)
    taken: list[Lease | None] = []

    async def agent() -> None:
        taken.append(await feed.take())

    async with create_task_group() as agents:
        with CancelScope() as scope:

            async def first() -> None:
                with scope:
                    await agent()

            agents.start_soon(first)
        await wait_all_tasks_blocked()
        for _ in range(others):
            agents.start_soon(agent)
        await wait_all_tasks_blocked()
        scope.cancel()
        feed.put(lease)
        await wait_all_tasks_blocked()
        feed.close()

    assert [*taken, *feed.take_back()] == [lease]


async def test_a_taker_that_gave_up_is_not_waited_for() -> None:
    """Its lease would be lost."""
    feed, (lease,) = Handoff(), leases(1)
    async with create_task_group() as agents:
        agents.start_soon(feed.take)
        await wait_all_tasks_blocked()
        agents.cancel_scope.cancel()
    feed.put(lease)

    assert feed.take_back() == [lease]


async def test_a_taker_that_is_cut_off_as_the_feed_ends_leaves_nothing_behind() -> None:
    """A worker that is told twice to stop ends both at once."""
    feed, (lease,) = Handoff(), leases(1)
    async with create_task_group() as agents:
        agents.start_soon(feed.take)
        await wait_all_tasks_blocked()
        feed.close()
        agents.cancel_scope.cancel()

    assert feed.abandon() == []
    assert not feed.put(lease)


async def test_after_the_agents_are_gone_nothing_is_taken_in() -> None:
    """Whoever puts then gives the message back."""
    feed, (first, second) = Handoff(), leases(2)
    feed.put(first)

    assert feed.abandon() == [first]
    assert not feed.put(second)
    assert feed.take_back() == []


async def test_an_agent_that_never_waits_lets_others_have_a_turn() -> None:
    """A heartbeat that comes too late costs every lease."""
    feed = Handoff()
    for lease in leases(3 * IN_A_ROW):
        feed.put(lease)
    feed.close()
    turns: list[str] = []

    async def agent() -> None:
        while await feed.take() is not None:
            turns.append("agent")

    async def other() -> None:
        turns.append("other")

    async with create_task_group() as tasks:
        tasks.start_soon(agent)
        tasks.start_soon(other)

    assert turns.index("other") <= IN_A_ROW
