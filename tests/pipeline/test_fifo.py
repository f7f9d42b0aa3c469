"""Which message of a group may be processed now, and which ones wait."""

from datetime import UTC, datetime

import pytest
from anyio import create_task_group, wait_all_tasks_blocked
from hypothesis import given
from hypothesis import strategies as st

from streamapp.messages import Delivery, Queue
from streamapp.pipeline.fifo import FifoGroups
from streamapp.pipeline.leases import Lease

QUEUE = Queue("orders.fifo", "http://sqs.test/orders.fifo", fifo=True)


def lease(group: str | None, number: int = 0) -> Lease:
    """Return the lease of a message of *group*."""
    sent_at = datetime(2026, 1, 1, tzinfo=UTC)
    delivery = Delivery(QUEUE, f"{group}{number}", "handle", "{}", 1, sent_at, 0.0, group=group)
    return Lease(delivery, "handle", 30.0)


def test_the_first_of_each_group_may_be_processed() -> None:
    """Groups do not wait for each other."""
    groups = FifoGroups()

    assert [groups.enter(lease(group)) for group in ("a", "b", "a", "b")] == [True, True, False, False]


def test_a_message_without_a_group_never_waits() -> None:
    """Standard queues have no groups."""
    groups = FifoGroups()

    assert groups.enter(lease(None))
    assert groups.enter(lease(None))


def test_the_next_of_a_group_follows_the_one_that_is_done() -> None:
    """The messages of a group are processed one at a time, in order."""
    groups = FifoGroups()
    first, second, third = (lease("a", number) for number in range(3))
    for each in (first, second, third):
        groups.enter(each)

    assert [groups.leave(each) for each in (first, second, third)] == [second, third, None]
    assert groups.enter(lease("a"))


def test_what_waits_behind_a_failure_is_abandoned_with_it() -> None:
    """It must not come before the message that failed."""
    groups = FifoGroups()
    first, second, third, other = lease("a", 1), lease("a", 2), lease("a", 3), lease("b")
    for each in (first, second, third, other):
        groups.enter(each)

    assert groups.give_up(first) == [second, third]
    assert groups.give_up(first) == []
    assert groups.leave(other) is None


def test_a_lost_message_keeps_its_place() -> None:
    """It comes again; if those behind it did not wait for that, they would overtake it."""
    groups = FifoGroups()
    first, lost, third = (lease("a", number) for number in range(3))
    for each in (first, lost, third):
        groups.enter(each)
    lost.is_lost = True

    assert groups.leave(first) is lost
    assert groups.give_up(lost) == [third]


def test_a_message_that_ends_while_it_waits_lets_no_other_begin() -> None:
    """In a drain a message may end before it was the first of its group."""
    groups = FifoGroups()
    first, second = lease("a", 1), lease("a", 2)
    groups.enter(first)
    groups.enter(second)

    assert groups.leave(second) is None
    assert groups.give_up(second) == []
    assert groups.leave(first) is second


@pytest.mark.parametrize("is_done", [True, False])
async def test_a_drain_waits_until_no_message_waits_in_a_group(is_done: bool) -> None:
    """Each one is processed, or given back with the one in front of it; then the hand-off may end."""
    groups = FifoGroups()
    first, second, other = lease("a", 1), lease("a", 2), lease("b", 1)
    for each in (first, second, other):
        groups.enter(each)
    over: list[bool] = []

    async def drain() -> None:
        await groups.nobody_waits()
        over.append(True)

    async with create_task_group() as tasks:
        tasks.start_soon(drain)
        groups.leave(other)
        await wait_all_tasks_blocked()
        assert not over
        assert groups.leave(first) is second if is_done else groups.give_up(first) == [second]

    assert over
    await groups.nobody_waits()


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=30), st.randoms())
def test_no_message_is_forgotten_and_none_overtakes(plan: list[tuple[str, bool]], luck: object) -> None:
    """However the others end, each message is processed once or abandoned once, in order."""
    groups = FifoGroups()
    leases = [lease(group, number) for number, (group, _) in enumerate(plan)]
    fails = {id(each): fails for each, (_, fails) in zip(leases, plan, strict=True)}
    running = [each for each in leases if groups.enter(each)]
    seen: list[Lease] = []
    while running:
        assert len({each.delivery.group for each in running}) == len(running)
        each = running.pop(luck.randrange(len(running)))  # type: ignore[attr-defined]  # a Random
        seen.append(each)
        if fails[id(each)]:
            seen += groups.give_up(each)
        elif following := groups.leave(each):
            running.append(following)

    for group in "abc":
        of_group = [each for each in leases if each.delivery.group == group]
        assert [each for each in seen if each.delivery.group == group] == of_group
