"""A command in a real terminal, with a terminal emulator for its screen; and tap records written by hand."""

import os
import signal
import sys
import termios
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from types import TracebackType
from typing import Self

import msgspec
import pexpect
import pyte

from rigs import behind
from streamapp.observe.tap_record import TapRecord

PATIENCE = 40.0
"""Seconds that each wait may take; the machine may be busy."""


class Terminal:
    """`streamapp` with *arguments* on a pseudo-terminal."""

    def __init__(
        self,
        arguments: Sequence[str],
        env: Mapping[str, str],
        *,
        columns: int = 120,
        lines: int = 24,
        program: Sequence[str] = (sys.executable, "-m", "streamapp"),
    ) -> None:
        self.screen = pyte.HistoryScreen(columns, lines, history=20_000)
        self._stream = pyte.ByteStream(self.screen)
        self.raw = b""
        self.child = pexpect.spawn(
            program[0],
            [*program[1:], *arguments],
            env={"TERM": "xterm-256color", **env},  # type: ignore[arg-type]  # environ's own type
            dimensions=(lines, columns),
            timeout=PATIENCE,
            # A shell's background jobs ignore Ctrl-C, and so would the command, if the tests are one of them.
            preexec_fn=partial(signal.signal, signal.SIGINT, signal.default_int_handler),
        )
        self.modes = termios.tcgetattr(self.child.child_fd)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.child.close(force=True)

    def read(self, seconds: float = 0.2) -> bool:
        """Read what the command writes within *seconds*; False once it has ended."""
        try:
            data = self.child.read_nonblocking(65536, timeout=seconds)
        except pexpect.TIMEOUT:
            return True
        except pexpect.EOF:
            return False
        self.raw += data
        self._stream.feed(data)
        return True

    @property
    def rows(self) -> list[str]:
        """All rows on the screen, and those that have scrolled off it."""
        above = ["".join(row[x].data for x in range(self.screen.columns)) for row in self.screen.history.top]
        return [row.rstrip() for row in (*above, *self.screen.display)]

    @property
    def text(self) -> str:
        """What is on the screen now."""
        return "\n".join(row.rstrip() for row in self.screen.display)

    @property
    def bar(self) -> str:
        """The status bar."""
        return next((row for row in reversed(self.rows) if row.startswith("▌")), "")

    def until(self, *words: str, within: float = PATIENCE) -> None:
        """Wait until the screen shows all *words*."""
        deadline = time.monotonic() + within
        while not all(any(word in row for row in self.rows) for word in words):
            shown = "\n".join(self.rows[-40:])
            assert time.monotonic() < deadline, f"{words} did not come:\n{shown}"  # clock: patience
            if not self.read():
                assert all(any(word in row for row in self.rows) for word in words), "\n".join(self.rows)

    def until_screen(self, is_there: Callable[[str], bool]) -> str:
        """Wait until *is_there* is true of the screen; return its text."""
        deadline = time.monotonic() + PATIENCE
        while not is_there(self.text):
            assert time.monotonic() < deadline, self.text  # clock: patience
            assert self.read() or is_there(self.text), self.text
        return self.text

    def press(self, keys: str) -> None:
        """Press keys."""
        self.child.send(keys)

    def resize(self, columns: int, lines: int) -> None:
        """Resize the terminal."""
        self.screen.resize(lines, columns)
        self.child.setwinsize(lines, columns)

    def ended(self) -> int:
        """Wait until the command ends; return its exit code."""
        deadline = time.monotonic() + PATIENCE
        while self.read():
            assert time.monotonic() < deadline, "it did not end"  # clock: patience
        self.child.wait()
        assert self.child.exitstatus is not None, signal.Signals(self.child.signalstatus or 0).name
        return self.child.exitstatus


def record(number: int = 1, queue: str = "pedido-events", **members: object) -> TapRecord:
    """A record of an attempt that ended now."""
    usual: dict[str, object] = {
        "queue": queue,
        "outcome": "ok",
        "done_ms": int(time.time() * 1000),
        "message_id": f"m{number}",
        "event_type": "pedido_status_atualizado",
        "key": str(number),
        "took_ms": 3.0,
    }
    return TapRecord(**{**usual, **members})  # type: ignore[arg-type]  # what a test asks for


def write_records(redis_url: str, prefix: str, records: Iterable[TapRecord]) -> None:
    """Write records as a worker does: those of a queue in one entry."""
    packed: dict[str, list[bytes]] = {}
    for it in records:
        packed.setdefault(it.queue, []).append(msgspec.json.encode(it))
    with behind.blocking(redis_url) as client:
        for queue, lines in packed.items():
            client.sadd(f"{prefix}taps", queue)
            client.xadd(f"{prefix}tap:{queue}", {"r": b"\n".join(lines)})


def bare() -> dict[str, str]:
    """An environment without settings of the terminal, AWS or the app, wherever the tests run."""
    return {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}


def environment(redis_url: str, prefix: str) -> dict[str, str]:
    """An environment with Redis but without AWS."""
    return {
        **bare(),
        "PYTHONUTF8": "1",
        "REDIS_URL": redis_url,
        "STREAMAPP_KEY_PREFIX": prefix,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_REGION": "us-east-1",
    }
