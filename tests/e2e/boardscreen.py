"""A real terminal: a process on a pty, and the screen that its bytes draw."""

import contextlib
import os
import select
import sys
import time
from collections.abc import Callable, Iterator, Mapping

import pexpect
import pyte

PATIENCE = 50.0
"""Seconds in which what is waited for has to appear; the machine may be busy."""


class Terminal:
    """`streamapp` on a terminal of *columns* by *rows*."""

    def __init__(self, *arguments: str, env: Mapping[str, str], columns: int = 100, rows: int = 24) -> None:
        self._process = pexpect.spawn(
            sys.executable,
            ["-m", "streamapp", *arguments],
            env=dict(env) | {"TERM": "xterm-256color"},
            dimensions=(rows, columns),
            timeout=PATIENCE,
        )
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self.raw = b""

    @property
    def text(self) -> str:
        """What is on the screen."""
        return "\n".join(line.rstrip() for line in self.screen.display)

    def until(self, is_there: Callable[[str], bool]) -> str:
        """Wait until the screen is as wanted, and answer it."""
        deadline = time.monotonic() + PATIENCE
        while not is_there(self.text):
            assert time.monotonic() < deadline, self.text
            self._read(0.2)
        return self.text

    def resize(self, columns: int, rows: int) -> None:
        """Give the terminal another size, as a window's corner does."""
        self.screen.resize(rows, columns)
        self._process.setwinsize(rows, columns)

    def type(self, keys: str) -> None:
        """Press keys."""
        self._process.send(keys)

    def end(self) -> int:
        """Read to the end and answer the exit code."""
        deadline = time.monotonic() + PATIENCE
        while self._read(0.2):
            assert time.monotonic() < deadline, self.text
        self._process.wait()
        return self._process.exitstatus

    def close(self) -> None:
        """End it, however it is."""
        self._process.close(force=True)

    def _read(self, seconds: float) -> bool:
        """Take in what comes within *seconds*; False when nothing will."""
        if not select.select([self._process.child_fd], [], [], seconds)[0]:
            return True
        try:
            data = os.read(self._process.child_fd, 65536)
        except OSError:
            return False
        self.raw += data
        self._stream.feed(data)
        return bool(data)


@contextlib.contextmanager
def on_terminal(
    *arguments: str, env: Mapping[str, str], columns: int = 100, rows: int = 24
) -> Iterator[Terminal]:
    """Run a command on a terminal while the body runs."""
    terminal = Terminal(*arguments, env=env, columns=columns, rows=rows)
    try:
        yield terminal
    finally:
        terminal.close()
