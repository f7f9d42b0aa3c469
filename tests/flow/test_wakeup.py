"""A wake-up call for tasks that wait."""

from anyio import create_task_group, wait_all_tasks_blocked

from streamapp.flow.wakeup import Wakeup


async def test_a_ring_wakes_all_that_wait_and_not_those_that_come_later() -> None:
    """A wake-up that stayed set would send a loop around again and again."""
    wakeup, woken = Wakeup(), list[str]()

    async def wait(name: str) -> None:
        await wakeup.wait()
        woken.append(name)

    async with create_task_group() as tasks:
        for name in ("first", "second"):
            tasks.start_soon(wait, name)
        await wait_all_tasks_blocked()
        wakeup.ring()
        tasks.start_soon(wait, "later")
        await wait_all_tasks_blocked()
        assert sorted(woken) == ["first", "second"]
        wakeup.ring()

    assert woken[2:] == ["later"]


async def test_a_ring_that_nothing_waits_for_is_forgotten() -> None:
    """It comes with every change; only a task that waits at that time has missed something."""
    wakeup = Wakeup()
    wakeup.ring()

    async with create_task_group() as tasks:
        tasks.start_soon(wakeup.wait)
        await wait_all_tasks_blocked()
        assert wakeup.is_awaited
        wakeup.ring()

    assert not wakeup.is_awaited
