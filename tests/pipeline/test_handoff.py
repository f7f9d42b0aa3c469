"""What was received goes to one agent each, even if agents are cut off meanwhile."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from anyio import CancelScope, create_task_group, current_time, wait_all_tasks_blocked

from streamapp.messages import Delivery, Queue
from streamapp.pipeline.handoff import IN_A_ROW, Handoff
from streamapp.pipeline.leases import Lease

QUEUE = Queue("q", "url")


def leases(number: int, group: str | None = None) -> Sequence[Lease]:
    """Return *number* leases, all in *group*."""
    now = datetime.now(UTC)
    deliveries = [Delivery(QUEUE, str(n), "handle", "{}", 1, now, 0.0, group=group) for n in range(number)]
    return [Lease(delivery, "handle", 0.0) for delivery in deliveries]


async def test_leases_are_taken_in_order_until_the_handoff_ends() -> None:
    """What is there when it is closed is still taken."""
    handoff, these = Handoff(), leases(3)
    for lease in these:
        assert handoff.put(lease) == []
    handoff.close()

    assert [await handoff.take() for _ in range(4)] == [*these, None]


async def test_a_waiting_taker_is_given_the_next_and_no_stop_takes_it_back() -> None:
    """The agent that waited has it from then on."""
    handoff, (lease,) = Handoff(), leases(1)
    taken: list[Lease | None] = []

    async def agent() -> None:
        taken.append(await handoff.take())

    async with create_task_group() as agents:
        agents.start_soon(agent)
        await wait_all_tasks_blocked()
        assert handoff.put(lease) == []
        assert handoff.stop(math.inf) == []

    assert taken == [lease]


@pytest.mark.parametrize("others", [0, 1])
async def test_a_taker_that_is_cut_off_leaves_its_lease_to_another(others: int) -> None:
    """A message that no agent has would stay hidden until its visibility timeout ends."""
    handoff, (lease,) = Handoff(), leases(1)
    taken: list[Lease | None] = []

    async def agent() -> None:
        taken.append(await handoff.take())

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
        handoff.put(lease)
        await wait_all_tasks_blocked()
        handoff.close()

    assert [*taken, *handoff.no_more_takers()] == [lease]


async def test_a_lease_is_not_kept_for_a_taker_that_gave_up() -> None:
    """It would be lost."""
    handoff, (lease,) = Handoff(), leases(1)
    async with create_task_group() as agents:
        agents.start_soon(handoff.take)
        await wait_all_tasks_blocked()
        agents.cancel_scope.cancel()
    handoff.put(lease)

    assert handoff.stop(math.inf) == [lease]


async def test_a_taker_that_is_cut_off_as_the_handoff_ends_leaves_nothing_behind() -> None:
    """A second signal ends both at once."""
    handoff, (lease,) = Handoff(), leases(1)
    async with create_task_group() as agents:
        agents.start_soon(handoff.take)
        await wait_all_tasks_blocked()
        handoff.close()
        agents.cancel_scope.cancel()

    assert handoff.no_more_takers() == []
    assert handoff.put(lease) == [lease]


async def test_after_the_agents_are_gone_nothing_is_taken_in() -> None:
    """`put` returns the lease then, so that its message is given back."""
    handoff, (first, second) = Handoff(), leases(2)
    handoff.put(first)

    assert handoff.no_more_takers() == [first]
    assert handoff.put(second) == [second]
    assert handoff.stop(math.inf) == []


async def test_an_agent_that_never_waits_does_not_block_other_tasks() -> None:
    """A heartbeat that comes too late costs every lease."""
    handoff = Handoff()
    for lease in leases(3 * IN_A_ROW):
        handoff.put(lease)
    handoff.close()
    turns: list[str] = []

    async def agent() -> None:
        while await handoff.take() is not None:
            turns.append("agent")

    async def other() -> None:
        turns.append("other")

    async with create_task_group() as tasks:
        tasks.start_soon(agent)
        tasks.start_soon(other)

    assert turns.index("other") <= IN_A_ROW


async def test_a_lease_of_a_group_follows_the_one_before_it() -> None:
    """Two at a time could end in either order."""
    handoff, (first, second, third) = Handoff(fifo=True), leases(3, "g")
    assert [*handoff.put(first), *handoff.put(second), *handoff.put(third)] == []

    assert handoff.done(first) == []
    assert handoff.give_up(second) == [third]
    assert [await handoff.take(), await handoff.take()] == [first, second]


async def test_a_standard_queue_has_no_order_in_its_groups() -> None:
    """There a group only names a tenant."""
    handoff, these = Handoff(), leases(2, "tenant")
    assert [left for lease in these for left in handoff.put(lease)] == []

    assert [await handoff.take(), await handoff.take()] == list(these)
    assert (handoff.done(these[0]), handoff.give_up(these[1])) == ([], [])


@pytest.mark.parametrize("late", [False, True])
async def test_once_stopped_the_next_of_a_group_goes_to_an_agent_that_waits_while_there_is_time(
    late: bool,
) -> None:
    """If given back, it was received for nothing; if begun late, it would be cut off."""
    handoff, (first, second) = Handoff(fifo=True), leases(2, "g")
    for lease in (first, second):
        handoff.put(lease)
    await handoff.take()
    taken: list[Lease | None] = []

    async def agent() -> None:
        taken.append(await handoff.take())

    async with create_task_group() as agents:
        agents.start_soon(agent)
        await wait_all_tasks_blocked()
        handoff.stop(current_time() + (-1 if late else 60))
        left = handoff.done(first)
        handoff.close()

    assert (left, taken) == (([second], [None]) if late else ([], [second]))


async def test_once_stopped_a_group_does_not_wait_for_an_agent_that_is_busy() -> None:
    """The drain would have to wait too."""
    handoff, (first, second) = Handoff(fifo=True), leases(2, "g")
    for lease in (first, second):
        handoff.put(lease)
    await handoff.take()
    handoff.stop(math.inf)

    assert handoff.done(first) == [second]
