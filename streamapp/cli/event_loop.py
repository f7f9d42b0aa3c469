"""The event loop of a command: it ends without waiting for threads."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar, TypeVarTuple

import anyio

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class LeavesThreads:
    """An event loop that does not wait, when it is closed, for threads that look up host names.

    Nobody wants their result any more, and a resolver that hangs would keep a finished command alive.
    """

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:  # noqa: ASYNC109 - asyncio's
        """Return at once; `close` lets the threads end when they can."""


class CommandLoop(LeavesThreads, asyncio.SelectorEventLoop):
    """The event loop of all commands but `worker`."""


def run(function: Callable[[*Ts], Awaitable[T]], *arguments: *Ts) -> T:
    """Return what the coroutine *function* returns for *arguments*."""
    return anyio.run(function, *arguments, backend_options={"loop_factory": CommandLoop})
