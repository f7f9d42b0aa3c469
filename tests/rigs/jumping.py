"""A rig in time that jumps from timer to timer: a test of timeouts does not depend on the speed of a machine."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from anyio import create_task_group
from anyio.lowlevel import checkpoint

from rigs.worker import Rig
from streamapp.testing.clocks.loop_time import LoopTime, loop_time
from streamapp.testing.state.memory_store import MemoryStore

TURNS = 500
"""Turns of the loop after which time moves although a task is not idle: what is cut off behind a shield never is."""


@asynccontextmanager
async def jumping_rig(*, fifo: bool = False, **settings: Any) -> AsyncIterator[Rig]:
    """A rig with a store in memory. While it is open the loop's time moves when all tasks wait, and only then."""
    with loop_time(is_frozen=True) as time:
        async with create_task_group() as tasks:
            tasks.start_soon(_jump, time, name="jump from timer to timer")
            yield await Rig(MemoryStore(clock=time), "t", **settings).create(fifo=fifo)
            tasks.cancel_scope.cancel()


async def _jump(time: LoopTime) -> None:
    loop: Any = asyncio.get_running_loop()
    while True:
        for _ in range(TURNS):
            await checkpoint()
            if not loop._ready:
                break
        await time.jump(time.now() + 1)
