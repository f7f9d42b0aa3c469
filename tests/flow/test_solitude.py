"""Many work side by side, or one works alone."""

import pytest
from anyio import create_task_group, fail_after, wait_all_tasks_blocked

from streamapp.flow.solitude import LONGEST, Solitude
from streamapp.testing.clocks.loop_time import loop_time


async def test_one_waits_for_all_others_and_they_for_it() -> None:
    """Nothing that is beside it may end with it."""
    solitude, seen = Solitude(), list[str]()
    await solitude.enter()

    async def alone() -> None:
        await solitude.enter_alone()
        seen.append("alone")
        await wait_all_tasks_blocked()
        solitude.leave_alone()

    async def another() -> None:
        await solitude.enter()
        seen.append("another")
        solitude.leave()

    with fail_after(30):
        async with create_task_group() as tasks:
            tasks.start_soon(alone)
            await wait_all_tasks_blocked()
            tasks.start_soon(another)
            await wait_all_tasks_blocked()
            assert seen == []
            solitude.leave()

    assert seen == ["alone", "another"]


async def test_one_that_gives_up_lets_the_others_go_on() -> None:
    """A drain may cut it off while it waits."""
    solitude = Solitude()
    await solitude.enter()
    async with create_task_group() as tasks:
        tasks.start_soon(solitude.enter_alone)
        await wait_all_tasks_blocked()
        assert solitude.is_taken
        tasks.cancel_scope.cancel()

    with fail_after(30):
        await solitude.enter()
    assert solitude.working == 2


@pytest.mark.parametrize("number", [2, 5])
async def test_of_several_that_ask_each_has_its_time_alone(number: int) -> None:
    """One after another."""
    solitude, inside, most = Solitude(), 0, 0

    async def alone() -> None:
        nonlocal inside, most
        await solitude.enter_alone()
        inside += 1
        most = max(most, inside)
        await wait_all_tasks_blocked()
        inside -= 1
        solitude.leave_alone()

    with fail_after(30):
        async with create_task_group() as tasks:
            for _ in range(number):
                tasks.start_soon(alone)

    assert (inside, most) == (0, 1)


async def test_nobody_waits_for_long() -> None:
    """One message that takes hours may not hold all others of the process, whoever is alone."""
    with loop_time() as time:
        solitude, entered = Solitude(), dict[str, float]()
        await solitude.enter()  # and never leaves

        async def alone() -> None:
            await solitude.enter_alone()  # nor does this one
            entered["alone"] = time.now()

        async def another() -> None:
            await solitude.enter()
            entered["another"] = time.now()

        async with create_task_group() as tasks:
            began = time.now()
            tasks.start_soon(alone)
            await time.rest()
            tasks.start_soon(another)
            while len(entered) < 2:
                await time.rest()
                await time.jump(began + 100)

        assert entered["alone"] - began == pytest.approx(LONGEST, abs=0.5)
        assert entered["another"] - began == pytest.approx(2 * LONGEST, abs=0.5)
