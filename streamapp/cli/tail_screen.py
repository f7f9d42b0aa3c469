"""Where the lines of a tail go: a terminal with a status bar under them, or a pipe with nothing but lines."""

import hashlib
import os
import sys
import termios
import tty
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Literal, Protocol, TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from streamapp.cli.screen import console
from streamapp.cli.tail_line import Piece, text

Colour = Literal["auto", "always", "never"]

_HUES = ("cyan", "blue", "magenta", "bright_cyan", "bright_blue", "bright_magenta")
_STYLES = {
    "time": "dim",
    "dim": "dim",
    "plain": "",
    "type": "",
    "key": "bold",
    "outcome:ok": "green",
    "outcome:sent": "green",
    "outcome:duplicate": "dim",
    "outcome:skipped": "dim",
    "outcome:retry": "yellow",
    "outcome:dead": "bold red",
    "outcome:invalid": "bold red",
    "outcome:refused": "bold red",
}


class Screen(Protocol):
    """Takes what is shown."""

    def show(self, lines: Sequence[Sequence[Piece]]) -> None:
        """Show lines; when this returns, they are written."""
        ...

    def status(self, bar: str) -> None:
        """Show *bar* under the lines, where there is such a place."""
        ...


class Pipe:
    """Whole lines, unwrapped, with no bar; each call is flushed."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def show(self, lines: Sequence[Sequence[Piece]]) -> None:
        """Write the lines."""
        if not lines:
            return
        self._out.write("".join(f"{text(line)}\n" for line in lines))
        self._out.flush()

    def status(self, bar: str) -> None:
        """Leave it out."""


class Coloured:
    """Lines in colour; a terminal wraps them itself, so that they can be copied whole."""

    def __init__(self, terminal: Console, live: Live | None = None) -> None:
        self._console = terminal
        self._live = live

    def show(self, lines: Sequence[Sequence[Piece]]) -> None:
        """Print the lines above the bar, together: each print draws the bar again."""
        if not lines:
            return
        texts = [Text.assemble(*((piece, style_of(what)) for piece, what in line)) for line in lines]
        if self._live is not None:
            self._console.print(Group(*texts), soft_wrap=True)
            return
        # Not printed: rich ends the program with 1 where nobody reads any more.
        with self._console.capture() as captured:
            self._console.print(Group(*texts), soft_wrap=True)
        sys.stdout.write(captured.get())
        sys.stdout.flush()

    def status(self, bar: str) -> None:
        """Draw the bar again, cut where the terminal ends."""
        if self._live is not None:
            shown = Text(f"▌ {bar}", style="reverse", no_wrap=True, overflow="ellipsis")
            self._live.update(shown, refresh=True)


def style_of(what: str) -> str:
    """Answer the style of a piece; a queue has the same hue in every run."""
    if what.startswith("queue:"):
        digest = hashlib.sha256(what.encode(errors="replace")).digest()
        return _HUES[digest[0] % len(_HUES)]
    return _STYLES.get(what, "")


def is_coloured(wish: Colour, environ: Mapping[str, str], *, is_terminal: bool) -> bool:
    """Whether to use colour: a flag wins, then NO_COLOR, then FORCE_COLOR, then what the terminal can do."""
    if wish != "auto":
        return wish == "always"
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR"):
        return True
    return is_terminal and environ.get("TERM", "") != "dumb"


def is_lively(environ: Mapping[str, str]) -> bool:
    """Whether standard output can show a bar that is drawn again in place."""
    return sys.stdout.isatty() and environ.get("TERM", "") not in {"", "dumb"}


@contextmanager
def open_screen(*, coloured: bool, lively: bool) -> Generator[Screen]:
    """Open standard output: with *lively* there is a bar under the lines, which is gone at the end."""
    if not coloured and not lively:
        yield Pipe(sys.stdout)
        return
    terminal = console(coloured=coloured)
    if not lively:
        yield Coloured(terminal)
        return
    live = Live(
        console=terminal, auto_refresh=False, transient=True, redirect_stdout=False, redirect_stderr=False
    )
    with live:
        yield Coloured(terminal, live)


@contextmanager
def keys() -> Generator[int | None]:
    """Let single keys be read from standard input; answer its number, None where it is no terminal.

    The terminal is as it was before when this ends.
    """
    if not sys.stdin.isatty():
        yield None
        return
    number = sys.stdin.fileno()
    before = termios.tcgetattr(number)
    try:
        tty.setcbreak(number)
        yield number
    finally:
        termios.tcsetattr(number, termios.TCSADRAIN, before)


def read_keys(number: int) -> str:
    """Answer the keys that were pressed; none when the terminal is gone."""
    try:
        return os.read(number, 64).decode(errors="replace")
    except OSError:
        return ""
