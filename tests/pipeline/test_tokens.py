"""Permissions for messages in hand."""

import pytest
from anyio import CancelScope, create_task_group, fail_after, wait_all_tasks_blocked

from streamapp.pipeline.tokens import Tokens


async def test_no_more_tokens_are_taken_than_there_are() -> None:
    """A call waits for the first token, and takes no more than are free."""
    tokens = Tokens(3)

    assert await tokens.take(10) == 3
    with pytest.raises(TimeoutError), fail_after(0.01):
        await tokens.take(1)
    tokens.give(2)
    assert await tokens.take(10) == 2


async def test_every_poll_that_waits_is_woken() -> None:
    """One that is forgotten counts as a poll and never polls again; the queue then stands still."""
    tokens = Tokens(1)
    await tokens.take(1)
    taken: list[int] = []

    async def take() -> None:
        taken.append(await tokens.take(10))

    with fail_after(30):
        async with create_task_group() as tasks:
            for _ in range(5):
                tasks.start_soon(take)
            await wait_all_tasks_blocked()
            for _ in range(5):
                tokens.give(1)
                await wait_all_tasks_blocked()

    assert taken == [1] * 5


async def test_a_poll_that_is_cancelled_takes_no_token() -> None:
    """That token would be lost for ever."""
    tokens = Tokens(1)
    await tokens.take(1)
    with CancelScope() as scope:
        async with create_task_group() as tasks:
            tasks.start_soon(tokens.take, 1)
            await wait_all_tasks_blocked()
            scope.cancel()
            tokens.give(1)

    with fail_after(30):
        assert await tokens.take(1) == 1


async def test_one_poll_takes_all_that_is_given_at_once() -> None:
    """Shared out among the polls that wait, ten places would be ten receives of one message each."""
    tokens = Tokens(10)
    await tokens.take(10)
    taken: list[int] = []

    async def take() -> None:
        taken.append(await tokens.take(10))

    with fail_after(30):
        async with create_task_group() as tasks:
            tasks.start_soon(take)
            tasks.start_soon(take)
            await wait_all_tasks_blocked()
            for _ in range(10):  # the deletes of one call end one by one
                tokens.give()
            await wait_all_tasks_blocked()
            assert taken == [10]
            tokens.give()

    assert taken == [10, 1]
