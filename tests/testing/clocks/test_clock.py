"""The clock that a test moves."""

import anyio
import pytest

from streamapp.testing import Clock, RealClock, VirtualClock
from streamapp.testing.clocks.loop_time import loop_time


async def test_time_passes_only_when_told_to(clock: VirtualClock) -> None:
    """A test of hours must take no time."""
    woken: list[float] = []

    async def sleeper(seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append(clock.now())

    async with anyio.create_task_group() as tasks:
        for seconds in (3600, 1, 60):
            tasks.start_soon(sleeper, seconds)
        await clock.advance(59)
        before = list(woken)
        await clock.advance(3600)

    assert before == [1]
    assert woken == [1, 60, 3600]
    assert clock.now() == 3659


async def test_what_a_sleeper_starts_happens_at_its_own_time(clock: VirtualClock) -> None:
    """A big step must look like many small ones."""
    ticks: list[float] = []

    async def ticker() -> None:
        while True:
            await clock.sleep(10)
            ticks.append(clock.now())

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ticker)
        await clock.advance(35)
        tasks.cancel_scope.cancel()

    assert ticks == [10, 20, 30]


async def test_the_next_sleeper_can_be_asked_for(clock: VirtualClock) -> None:
    """A simulation has no steps of its own."""
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(clock.sleep, 7.5)
        passed = await clock.advance_to_next()

    assert passed == 7.5
    assert await clock.advance_to_next() == 0


@pytest.mark.parametrize("make", [RealClock, VirtualClock])
async def test_a_deadline_that_is_over_cuts_at_once(make: type[Clock]) -> None:
    """Both clocks mean the same by a deadline."""
    clock = make()

    with clock.move_on_at(clock.now()) as scope:
        await anyio.sleep_forever()

    assert scope.cancelled_caught


async def test_the_real_clock_sleeps() -> None:
    """It is the loop's own time."""
    clock = RealClock()
    before = clock.now()

    await clock.sleep(0.01)

    assert clock.now() - before > 0.009  # clock: the subject
    assert clock.wall().tzinfo is not None


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_jump_reaches_a_deadline_that_is_later_by_a_rounding_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The loop would call its timer at once, the deadline would not be reached, and the timer be set again, for ever."""
    monkeypatch.setattr("streamapp.testing.clocks.loop_time.PATIENCE", 2.0)

    async def until(deadline: float) -> None:
        with anyio.CancelScope(deadline=deadline):
            await anyio.sleep_forever()

    with loop_time(is_frozen=True) as time:
        async with anyio.create_task_group() as tasks:
            for deadline in (0.24, 0.24 + 1e-16):
                tasks.start_soon(until, deadline)
            await time.rest()
            await time.jump(1)
            await time.rest()

    assert time.now() < 1
