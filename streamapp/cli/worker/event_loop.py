"""The worker's event loop: what an agent's code does in a task or a process of its own does not end it."""

import asyncio
import functools
import logging
import os
import signal
from contextlib import suppress
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from streamapp.cli.event_loop import LeavesThreads
from streamapp.errors import is_interrupt

logger = logging.getLogger(__name__)

if TYPE_CHECKING or find_spec("uvloop") is None:
    _Base = asyncio.SelectorEventLoop
else:
    # From the extra `fast`; it needs a tenth to a third less CPU.
    import uvloop

    _Base = uvloop.Loop


class WorkerLoop(LeavesThreads, _Base):
    """An event loop that goes on when a task raises `SystemExit` or `KeyboardInterrupt`.

    Any other loop stops there, with all that the worker has in hand. Whoever awaits the task gets the exception here
    as well. A child that code of an agent forks has the signals of an ordinary process, and ends if it comes back here.
    """

    def __init__(self) -> None:
        super().__init__()
        self._main: asyncio.Future[Any] | None = None
        os.register_at_fork(after_in_child=self._leave_to_parent)

    def run_until_complete(self, future: Any) -> Any:  # noqa: ANN401 - as in asyncio
        """Run until *future* is done, and return its result."""
        self._main = main = asyncio.ensure_future(future, loop=self)
        return super().run_until_complete(main)

    def run_forever(self) -> None:
        """Run until stopped."""
        while True:
            try:
                super().run_forever()
            except (SystemExit, KeyboardInterrupt) as error:
                if self._main is None or self._main.done() or _is_signal(error):
                    raise
                logger.warning("a task tried to end the process", extra={"error": type(error).__name__})
            else:
                return

    def _leave_to_parent(self) -> None:
        """Take nothing of the worker's along into a child process."""
        if self.is_closed():
            return
        # The parent's loop reads the other end of this one: each signal of the child would be the parent's.
        with suppress(ValueError):
            signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        # Tasks that are ready would write to the parent's connections.
        if (ready := getattr(self, "_ready", None)) is not None:
            ready.clear()
        self.call_soon(os._exit, 1)


def _is_signal(error: BaseException) -> bool:
    """Whether Ctrl-C raised *error*: before the worker listens for it, asyncio's own handler does on the second one."""
    return is_interrupt(error) or (
        isinstance(error, KeyboardInterrupt)
        and isinstance(signal.getsignal(signal.SIGINT), functools.partial)
    )
