"""An app whose agent does what no agent should: it ends processes, forks, and swallows its cancellation."""

import multiprocessing
import os
import signal
import sys
import time
from contextlib import suppress
from typing import Any

import msgspec
from anyio import create_task_group, sleep

from streamapp.app import App
from streamapp.pipeline.stream import Stream
from streamapp_codecs import Json


class Task(msgspec.Struct, frozen=True):
    """What to do."""

    key: str
    what: str = "good"


class Done(msgspec.Struct, frozen=True):
    """A state, and what is announced of it."""

    key: str


app = App("breaker")
done = app.table(
    "done",
    Done,
    fold=lambda state, task: state or Done(task.key),
    announce=lambda _, after: after,
    to=app.sink("done-events", Json(Done)),
)


@app.agent("tasks", Json(Task))
async def tasks(stream: Stream[Task]) -> None:
    """Do it, then note that it is done."""
    async for task in stream:
        await WAYS[task.what]()
        await done.update(task.key, task)


async def good() -> None:
    """Do nothing."""


async def exit_() -> None:
    """End the process, as somebody thinks."""
    sys.exit(7)


async def exit_in_a_task() -> None:
    """The same in a child task, where asyncio lets it through."""
    async with create_task_group() as children:
        children.start_soon(exit_)


async def interrupt() -> None:
    """Raise what Ctrl-C raises, in a child task."""

    async def raising() -> None:
        raise KeyboardInterrupt

    async with create_task_group() as children:
        children.start_soon(raising)


async def fork_and_signal() -> None:
    """Fork a child that the same signals reach that a worker takes for its stop."""
    for number in (signal.SIGTERM, signal.SIGINT):
        child = os.fork()
        if not child:
            with suppress(KeyboardInterrupt):
                time.sleep(30)
            os._exit(0)
        await sleep(0.1)
        os.kill(child, number)
        os.waitpid(child, 0)


async def fork_and_exit() -> None:
    """Fork a child that ends with `sys.exit`, and so comes back to the worker's code."""
    child = os.fork()
    if not child:
        sys.exit(5)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 5


async def fork_and_go_on() -> None:
    """Fork a child that goes on as if it were the worker."""
    child = os.fork()
    if not child:
        await sleep(0)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 1


async def process() -> None:
    """Use multiprocessing's fork."""
    it: Any = multiprocessing.get_context("fork").Process(target=time.sleep, args=(0.01,))
    it.start()
    while it.exitcode is None:
        await sleep(0.01)
    assert it.exitcode == 0


async def swallow() -> None:
    """Never end, whatever is raised."""
    while True:
        with suppress(BaseException):
            await sleep(1)


WAYS = {
    "good": good,
    "exit": exit_,
    "exit in a task": exit_in_a_task,
    "interrupt": interrupt,
    "fork and signal": fork_and_signal,
    "fork and exit": fork_and_exit,
    "fork and go on": fork_and_go_on,
    "process": process,
    "swallow": swallow,
}
