"""A view that is redrawn in place on a terminal, with single keys and resizing; at its end the terminal is restored."""

import os
import signal
import sys
import termios
import tty
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Self

from anyio import create_task_group, move_on_after, open_signal_receiver, sleep_forever, wait_readable
from rich.console import Console
from rich.live import Live

from streamapp.cli.terminal import output as out


class _PipeConsole(Console):
    """A console that goes quiet when its pipe is closed; rich's own would end the process with 1."""

    def on_broken_pipe(self) -> None:
        self.quiet = True
        out.stop_writing()


def console(*, coloured: bool | None = None) -> Console:
    """Return a console on standard output that always has the present size of its terminal.

    *coloured* forces colours on or off; None leaves it to the terminal, NO_COLOR and FORCE_COLOR. COLUMNS and LINES are
    ignored: a shell that exports them keeps old sizes in them.
    """
    environ = {name: text for name, text in os.environ.items() if name not in {"COLUMNS", "LINES"}}
    return _PipeConsole(
        file=sys.stdout,
        force_terminal=None if coloured is None else True,
        color_system="auto" if coloured is None else "standard" if coloured else None,
        no_color=None if coloured is None else not coloured,
        markup=False,
        emoji=False,
        highlight=False,
        legacy_windows=False,
        _environ=environ,
    )


def can_redraw() -> bool:
    """Whether standard output is a terminal that can redraw a view in place."""
    return sys.stdout.isatty() and os.environ.get("TERM", "") not in {"", "dumb"}


class LiveView:
    """A view of rich that is redrawn in place, and single keys from standard input if that is a terminal.

    The terminal is restored when this ends, and while the process is suspended.
    """

    def __init__(self, make: Callable[[], Live]) -> None:
        self._make = make
        self._keyboard = sys.stdin.fileno() if sys.stdin.isatty() else None
        self._modes: list[Any] | None = None

    def __enter__(self) -> Self:
        out.clear()
        self.live = self._make()
        if self._keyboard is not None:
            self._modes = termios.tcgetattr(self._keyboard)
            tty.setcbreak(self._keyboard)
        self.live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.live.stop()
        finally:
            if self._keyboard is not None and self._modes is not None:
                termios.tcsetattr(self._keyboard, termios.TCSADRAIN, self._modes)

    def suspend(self) -> None:
        """Restore the terminal and stop the process, as Ctrl-Z asks. Returns when the shell continues it."""
        shown = self.live.renderable
        self.__exit__(None, None, None)
        ours = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTSTP)
        signal.signal(signal.SIGTSTP, ours)
        self.__enter__()
        self.live.update(shown, refresh=True)

    async def read_keys(self, on_keys: Callable[[str], None]) -> None:
        """Call *on_keys* with the keys pressed. Return after `q` or Ctrl-D, or when the terminal is gone.

        Without a keyboard this never returns.
        """
        number = self._keyboard
        while number is None:
            await sleep_forever()
        while True:
            await wait_readable(number)
            try:
                pressed = os.read(number, 64).decode(errors="replace")
            except OSError:
                return
            if not pressed or "q" in pressed or "\x04" in pressed:
                return
            on_keys(pressed)


async def redraw(view: LiveView, draw: Callable[[], Awaitable[None]], every: float) -> None:
    """Call *draw* every so many seconds, and at once after a resize, until `q` is pressed."""
    async with create_task_group() as tasks:
        tasks.start_soon(_quit, view, tasks.cancel_scope.cancel)
        with open_signal_receiver(signal.SIGTSTP, signal.SIGWINCH) as signals:
            while True:
                await draw()
                with move_on_after(every):
                    if await anext(signals) == signal.SIGTSTP:
                        view.suspend()


async def _quit(view: LiveView, cancel: Callable[[], None]) -> None:
    await view.read_keys(lambda _: None)
    cancel()
