"""Many calls become one."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from itertools import chain
from typing import Any

import pytest
from anyio import CancelScope, Event, create_task_group, fail_after, wait_all_tasks_blocked
from anyio.lowlevel import checkpoint
from hypothesis import given, settings
from hypothesis import strategies as st

from streamapp.flow.batcher import AGAIN, Batcher, OutcomesMissing

Flush = Callable[[list[int]], Awaitable[Sequence[Any]]]


class Gate:
    """A flush that notes its batches, and returns once *open* is set."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.open = Event()
        self.under_way = 0
        self.most = 0

    async def __call__(self, items: list[int]) -> list[int]:
        """Flush."""
        self.batches.append(items)
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        await self.open.wait()
        self.under_way -= 1
        return [item * 10 for item in items]


async def echo(items: list[int]) -> list[int]:
    """Return each item times ten."""
    return [item * 10 for item in items]


@asynccontextmanager
async def running(flush: Flush, **options: Any) -> AsyncIterator[Batcher[int, int]]:
    """Run a batcher; close it at the end."""
    batcher: Batcher[int, int] = Batcher(flush, name="test", **{"limit": 10, **options})
    async with create_task_group() as tasks:
        await tasks.start(batcher.run)
        yield batcher
        batcher.close()


async def test_each_caller_gets_its_own_outcome() -> None:
    """That calls are grouped must not show."""
    outcomes: dict[int, int] = {}

    async def call(batcher: Batcher[int, int], item: int) -> None:
        outcomes[item] = await batcher.submit(item)

    async with running(echo) as batcher, create_task_group() as calls:
        for item in range(25):
            calls.start_soon(call, batcher, item)

    assert outcomes == {item: item * 10 for item in range(25)}


async def test_a_batch_is_what_arrived_while_the_last_flush_ran() -> None:
    """Without a linger no call waits, and yet calls are grouped."""
    gate = Gate()
    async with running(gate) as batcher:
        batcher.post(0)
        await wait_all_tasks_blocked()
        for item in (1, 2, 3):
            batcher.post(item)
        await wait_all_tasks_blocked()
        gate.open.set()

    assert gate.batches == [[0], [1, 2, 3]]


async def test_no_batch_is_over_its_limit_and_order_is_kept() -> None:
    """SQS refuses an eleventh entry."""
    gate = Gate()
    gate.open.set()
    async with running(gate, limit=10) as batcher:
        await batcher.submit_all(range(35))

    assert [len(batch) for batch in gate.batches] == [10, 10, 10, 5]
    assert list(chain(*gate.batches)) == list(range(35))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(1, 30), max_size=40), st.integers(1, 10), st.integers(1, 40))
async def test_batches_keep_to_count_and_weight(weights: list[int], limit: int, most: int) -> None:
    """SQS would refuse a batch beyond its limits; an item that is itself beyond them goes alone."""
    gate = Gate()
    gate.open.set()
    async with running(gate, limit=limit, weigh=lambda weight: weight, max_weight=most) as batcher:
        await batcher.submit_all(weights)

    assert list(chain(*gate.batches)) == weights
    for batch in gate.batches:
        assert len(batch) <= limit
        assert sum(batch) <= most or len(batch) == 1


async def test_a_batch_lingers_for_more_items() -> None:
    """A few milliseconds save most calls."""
    gate = Gate()
    gate.open.set()
    async with running(gate, linger=0.05) as batcher:
        batcher.post(1)
        await wait_all_tasks_blocked()
        batcher.post(2)

    assert gate.batches == [[1, 2]]


async def test_a_full_batch_does_not_linger() -> None:
    """Nothing can join it."""
    gate = Gate()
    gate.open.set()
    with fail_after(30):
        async with running(gate, linger=60, limit=3) as batcher:
            await batcher.submit_all([1, 2, 3])

    assert gate.batches == [[1, 2, 3]]


async def test_a_lingering_batch_is_flushed_when_it_gets_full() -> None:
    """The last item ends the wait for all."""
    gate = Gate()
    gate.open.set()
    async with running(gate, linger=60, limit=2) as batcher:
        batcher.post(1)
        await wait_all_tasks_blocked()
        with fail_after(30):
            await batcher.submit(2)

    assert gate.batches == [[1, 2]]


async def test_a_second_flush_begins_only_for_a_full_batch() -> None:
    """Small batches beside each other would undo the batching."""
    gate = Gate()
    async with running(gate, limit=2, parallel=3) as batcher:
        batcher.post(0)
        await wait_all_tasks_blocked()
        batcher.post(1)
        await wait_all_tasks_blocked()
        alone = list(gate.batches)
        batcher.post(2)
        await wait_all_tasks_blocked()
        full = list(gate.batches)
        gate.open.set()

    assert alone == [[0]]
    assert full == [[0], [1, 2]]


async def test_no_more_flushes_than_allowed_run_at_once() -> None:
    """Connections are limited."""
    gate = Gate()
    async with running(gate, limit=1, parallel=3) as batcher:
        for item in range(10):
            batcher.post(item)
        await wait_all_tasks_blocked()
        assert gate.most == 3
        gate.open.set()

    assert gate.most == 3
    assert len(gate.batches) == 10


async def test_one_failed_item_is_raised_to_its_caller_only() -> None:
    """Items of one batch have nothing to do with each other."""

    async def flush(items: list[int]) -> list[Any]:
        return [ValueError(item) if item == 2 else item for item in items]

    async with running(flush) as batcher:
        outcomes = await batcher.submit_all([1, 2, 3])
        with pytest.raises(ValueError, match="2"):
            await batcher.submit(2)

    assert [outcomes[0], outcomes[2]] == [1, 3]
    assert isinstance(outcomes[1], ValueError)


async def test_each_taker_is_called_once_its_own_batch_is_over() -> None:
    """What was sent must be confirmed without waiting for what was not, even if the caller was cancelled."""
    told: list[int] = []
    gate = Event()

    async def flush(items: list[int]) -> list[int]:
        if 3 in items:
            await gate.wait()
        return items

    async with running(flush, limit=2) as batcher, create_task_group() as callers:
        callers.start_soon(batcher.submit_all, [1, 2, 3], [told.append] * 3)
        with fail_after(30):
            while len(told) < 2:
                await checkpoint()
        assert told == [1, 2]
        callers.cancel_scope.cancel()
        gate.set()

    assert told == [1, 2, 3]


async def test_a_flush_that_raises_fails_its_batch_and_no_other() -> None:
    """The batcher goes on."""

    async def flush(items: list[int]) -> list[int]:
        if 1 in items:
            raise RuntimeError(items)
        return items

    async with running(flush, limit=2) as batcher:
        outcomes = await batcher.submit_all([1, 2, 3, 4])

    assert [isinstance(outcome, RuntimeError) for outcome in outcomes] == [True, True, False, False]


@pytest.mark.parametrize("wrong", [[], [1], [1, 2, 3]])
async def test_a_wrong_number_of_outcomes_fails_the_batch(wrong: list[int]) -> None:
    """Whose outcome is missing is not known, and no caller may wait for ever."""
    returned = [wrong, [7]]

    async def flush(items: list[int]) -> list[int]:
        del items
        return returned.pop(0)

    with fail_after(30):
        async with running(flush) as batcher:
            outcomes = await batcher.submit_all([1, 2])
            later = await batcher.submit(3)

    assert all(isinstance(outcome, OutcomesMissing) for outcome in outcomes)
    assert later == 7


async def test_a_cancelled_caller_leaves_the_batch_whole() -> None:
    """One cancelled caller must not cost the others of its batch their work."""
    gate = Gate()
    scope = CancelScope()
    outcomes: list[int] = []

    async def give_up(batcher: Batcher[int, int]) -> None:
        with scope:
            await batcher.submit(1)

    async def stay(batcher: Batcher[int, int]) -> None:
        outcomes.append(await batcher.submit(2))

    async with running(gate) as batcher, create_task_group() as calls:
        batcher.post(0)
        await wait_all_tasks_blocked()
        calls.start_soon(give_up, batcher)
        calls.start_soon(stay, batcher)
        await wait_all_tasks_blocked()
        scope.cancel()
        await wait_all_tasks_blocked()
        gate.open.set()

    assert gate.batches == [[0], [1, 2]]
    assert outcomes == [20]


async def test_close_flushes_all_that_was_handed_over() -> None:
    """SQS must still be told what was finished last."""
    gate = Gate()
    gate.open.set()
    with fail_after(30):
        async with running(gate, limit=10, linger=60, parallel=2) as batcher:
            for item in range(33):
                batcher.post(item)

    assert sorted(chain(*gate.batches)) == list(range(33))


async def test_close_ends_an_idle_batcher() -> None:
    """The end of the worker waits for its batchers."""
    with fail_after(30):
        async with running(echo, linger=60):
            await wait_all_tasks_blocked()


async def test_a_second_close_changes_nothing() -> None:
    """A worker may close a batcher on two ways."""
    with fail_after(30):
        async with running(echo) as batcher:
            batcher.close()
            batcher.close()


async def test_a_failed_post_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """No caller awaits it, so only the log can tell."""

    async def flush(items: list[int]) -> list[int]:
        raise RuntimeError(items)

    async with running(flush) as batcher:
        batcher.post(1)

    assert "a call that nobody awaits failed" in caplog.text


async def test_twenty_thousand_racing_calls_each_get_their_own_outcome() -> None:
    """In whatever order the tasks run, outcomes are neither mixed up nor forgotten."""
    wrong = 0
    sizes: list[int] = []

    async def flush(items: list[int]) -> list[int]:
        sizes.append(len(items))
        await wait_a_turn()
        return [item + 1 for item in items]

    async def call(batcher: Batcher[int, int], first: int) -> None:
        nonlocal wrong
        for item in range(first, first + 100):
            wrong += await batcher.submit(item) != item + 1

    async with running(flush, limit=100, parallel=4) as batcher, create_task_group() as calls:
        for first in range(0, 20_000, 100):
            calls.start_soon(call, batcher, first)

    assert wrong == 0
    assert sum(sizes) == 20_000
    assert max(sizes) <= 100


async def wait_a_turn() -> None:
    """Return after every other task has run once."""
    await checkpoint()


class Contested:
    """A flush in which items under *hot* are in conflict the first *times*."""

    def __init__(self, times: int, hot: int = 10) -> None:
        self.batches: list[list[int]] = []
        self._left = times
        self._hot = hot

    async def __call__(self, items: list[int]) -> list[Any]:
        """Flush."""
        self.batches.append(items)
        self._left -= 1
        await checkpoint()
        return [AGAIN if item < self._hot and self._left >= 0 else item * 10 for item in items]


async def test_what_is_flushed_again_keeps_no_other_item_waiting() -> None:
    """A key that many workers change may be in conflict twenty times; a key of the same batch was done the first time."""
    flush, told = Contested(20), list[tuple[int, int]]()

    async def call(item: int) -> None:
        outcome = await batcher.submit(item)
        told.append((outcome, len(flush.batches)))

    async with running(flush) as batcher, create_task_group() as calls:
        calls.start_soon(call, 1)
        calls.start_soon(call, 11)
        calls.start_soon(call, 2)

    assert told == [(110, 2), (10, 21), (20, 21)]  # the second had begun by then


async def test_what_is_flushed_again_stays_ahead_of_what_came_later() -> None:
    """The events of a key are folded in the order in which they came."""
    flush = Contested(2)
    told: list[Any] = []
    async with running(flush, limit=2) as batcher:
        outcomes = await batcher.submit_all([1, 11, 2, 12, 3, 13], [told.append] * 6)
        batcher.post(4)

    assert outcomes == [10, 110, 20, 120, 30, 130]
    assert told == [110, 120, 10, 20, 30, 130]
    assert flush.batches == [[1, 11], [1, 2, 12], [1, 2, 3, 13], [4]]


async def test_a_closed_batcher_flushes_again_what_has_to_be() -> None:
    """A drain must not leave a caller without an outcome."""
    flush = Contested(3)
    async with running(flush, linger=60) as batcher:
        batcher.post(1)
        batcher.close()

    assert flush.batches == [[1]] * 4


async def test_a_failure_of_what_is_flushed_again_is_that_callers_own() -> None:
    """It is raised as any other."""
    calls = 0

    async def flush(items: list[int]) -> list[Any]:
        nonlocal calls
        calls += 1
        await checkpoint()
        return [AGAIN if calls == 1 else KeyError(item) for item in items]

    async with running(flush) as batcher:
        with pytest.raises(KeyError):
            await batcher.submit(1)
