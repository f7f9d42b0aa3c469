"""Terminals that people watch: as large as they are now, with single keys, and given back as they were."""

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


class _Console(Console):
    def on_broken_pipe(self) -> None:
        self.quiet = True
        out.leave()


def console(*, coloured: bool | None = None) -> Console:
    """Return a console on standard output that is as large as its terminal is, also when that changes.

    *coloured* says whether colours are used, whatever it is; None leaves it to what the terminal can do, NO_COLOR and
    FORCE_COLOR. COLUMNS and LINES are left out: where a shell has exported them, they tell the size of long ago.
    """
    environ = {name: text for name, text in os.environ.items() if name not in {"COLUMNS", "LINES"}}
    return _Console(
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


def is_lively() -> bool:
    """Whether standard output can show what is drawn again in place."""
    return sys.stdout.isatty() and os.environ.get("TERM", "") not in {"", "dumb"}


class Stage:
    """A view that is drawn again in place, and single keys from standard input where that is a terminal.

    The terminal is given back as it was when this ends, and while the process is suspended.
    """

    def __init__(self, make: Callable[[], Live]) -> None:
        self._make = make
        self._keys = sys.stdin.fileno() if sys.stdin.isatty() else None
        self._modes: list[Any] | None = None

    def __enter__(self) -> Self:
        out.clear()
        self.live = self._make()
        if self._keys is not None:
            self._modes = termios.tcgetattr(self._keys)
            tty.setcbreak(self._keys)
        self.live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.live.stop()
        finally:
            if self._keys is not None and self._modes is not None:
                termios.tcsetattr(self._keys, termios.TCSADRAIN, self._modes)

    def suspend(self) -> None:
        """Give the terminal back and stop, as Ctrl-Z asks; this returns when the shell goes on with it."""
        shown = self.live.renderable
        self.__exit__(None, None, None)
        ours = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTSTP)
        signal.signal(signal.SIGTSTP, ours)
        self.__enter__()
        self.live.update(shown, refresh=True)

    async def obey(self, keys: Callable[[str], bool]) -> None:
        """Tell *keys* what is pressed, until it answers True, or `q` or Ctrl-D is, or the terminal is gone.

        Without a keyboard this never returns.
        """
        number = self._keys
        while number is None:
            await sleep_forever()
        while True:
            await wait_readable(number)
            try:
                pressed = os.read(number, 64).decode(errors="replace")
            except OSError:
                return
            if not pressed or "q" in pressed or "\x04" in pressed or keys(pressed):
                return


async def watch(stage: Stage, draw: Callable[[], Awaitable[None]], every: float) -> None:
    """Call *draw* every so many seconds, and at once when the terminal has another size, until `q` is pressed."""
    async with create_task_group() as tasks:
        tasks.start_soon(_quit, stage, tasks.cancel_scope.cancel)
        with open_signal_receiver(signal.SIGTSTP, signal.SIGWINCH) as signals:
            while True:
                await draw()
                with move_on_after(every):
                    if await anext(signals) == signal.SIGTSTP:
                        stage.suspend()


async def _quit(stage: Stage, cancel: Callable[[], None]) -> None:
    await stage.obey(lambda _: False)
    cancel()
