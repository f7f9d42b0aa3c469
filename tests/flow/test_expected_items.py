"""How many items a batch may still wait for."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from anyio import create_task_group, fail_after, wait_all_tasks_blocked

from rigs.worker import Add, Rig
from streamapp.flow.batcher import Batcher
from streamapp.flow.expected_items import ExpectedItems


@asynccontextmanager
async def lingering(
    expected_items: ExpectedItems,
) -> AsyncIterator[tuple[Batcher[int, int], list[list[int]]]]:
    """Run a batcher that waits a minute for more items, and return it with the batches that it flushed."""
    batches: list[list[int]] = []

    async def flush(items: list[int]) -> list[int]:
        batches.append(items)
        return items

    batcher: Batcher[int, int] = Batcher(
        flush, name="test", limit=10, linger=60, expected_items=expected_items
    )
    async with create_task_group() as tasks:
        await tasks.start(batcher.run)
        yield batcher, batches
        batcher.close()


async def test_a_batch_does_not_wait_for_items_that_cannot_come() -> None:
    """With one message in hand nothing joins its delete, so it must not pay for batches."""
    with fail_after(10):
        async with lingering(ExpectedItems(1)) as (batcher, batches):
            await batcher.submit(1)
            await batcher.submit(2)

    assert batches == [[1], [2]]


async def test_a_batch_is_flushed_once_it_holds_all_items_that_can_come() -> None:
    """It need not be full."""
    with fail_after(10):
        async with lingering(ExpectedItems(2)) as (batcher, batches), create_task_group() as tasks:
            tasks.start_soon(batcher.submit, 1)
            await wait_all_tasks_blocked()
            assert batches == []
            tasks.start_soon(batcher.submit, 2)

    assert batches == [[1, 2]]


async def test_one_message_at_a_time_waits_for_no_others(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a concurrency of 1 nothing can join its announcement or its delete, and the next waits for both."""
    monkeypatch.setattr("streamapp.outbox.sender.LINGER", 60)
    monkeypatch.setattr("streamapp.pipeline.acks.LINGER", 60)
    rig.count(concurrency=1)
    await rig.send([Add(f"k{n}") for n in range(5)])

    await rig.work_off()

    rig.assert_accounted()
    assert len(rig.bodies()) == 5
