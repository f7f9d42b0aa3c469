"""Where `tail` prints: a terminal with a status bar under the lines, or a pipe with only lines."""

import hashlib
import sys
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Protocol

from anyio import sleep_forever
from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from streamapp.cli.tail.forms import WhenColoured
from streamapp.cli.tail.lines import Piece, plain_text
from streamapp.cli.terminal import output as out
from streamapp.cli.terminal.live_view import LiveView, console

_QUEUE_COLOURS = ("cyan", "blue", "magenta", "bright_cyan", "bright_blue", "bright_magenta")
_STYLES = {
    "time": "dim",
    "ms": "dim",
    "took": "dim",
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


class TailScreen(Protocol):
    """Where lines are shown."""

    has_bar: bool
    """Whether there is a status bar under the lines, and keys can be pressed."""

    @property
    def width(self) -> int:
        """Columns that a line may take; 0 for any number."""
        ...

    def show(self, lines: Sequence[Sequence[Piece]]) -> None:
        """Show lines, and flush them."""
        ...

    def show_bar(self, bar: str) -> None:
        """Show *bar* under the lines, if there is a status bar."""
        ...

    async def read_keys(self, on_keys: Callable[[str], None]) -> None:
        """Call *on_keys* with the keys pressed; return when one of them is to quit."""
        ...

    def suspend(self) -> None:
        """Stop this process as Ctrl-Z asks; return when it continues."""
        ...


class PlainLines:
    """Whole lines, which a terminal wraps itself, so that they are copied whole."""

    has_bar = False
    width = 0

    def show(self, lines: Sequence[Sequence[Piece]]) -> None:
        """Write the lines, and flush them."""
        if lines:
            out.clear()
            sys.stdout.write(self._rendered(lines))
            sys.stdout.flush()

    def show_bar(self, bar: str) -> None:
        """Do nothing: there is no bar."""

    async def read_keys(self, on_keys: Callable[[str], None]) -> None:
        """Wait until cancelled: there are no keys."""
        del on_keys
        await sleep_forever()

    def suspend(self) -> None:
        """Do nothing: the system suspends the process."""

    def _rendered(self, lines: Sequence[Sequence[Piece]]) -> str:
        return "".join(f"{plain_text(line)}\n" for line in lines)


class ColouredLines(PlainLines):
    """Whole lines in colour."""

    def __init__(self, terminal: Console) -> None:
        self._console = terminal

    def _rendered(self, lines: Sequence[Sequence[Piece]]) -> str:
        # Captured, because rich ends the program with 1 if it prints to a closed pipe.
        with self._console.capture() as captured:
            self._console.print(_styled(lines), soft_wrap=True)
        return captured.get()


class LinesAboveBar:
    """Lines that scroll above a status bar."""

    has_bar = True

    def __init__(self, view: LiveView) -> None:
        self._view = view
        self.read_keys = view.read_keys
        self.suspend = view.suspend

    @property
    def width(self) -> int:
        """Columns that the terminal has now."""
        return self._view.live.console.width

    def show(self, lines: Sequence[Sequence[Piece]]) -> None:
        """Print the lines above the bar, all at once, because each print redraws the bar."""
        if lines:
            self._view.live.console.print(_styled(lines), soft_wrap=True)

    def show_bar(self, bar: str) -> None:
        """Redraw the bar, cut at the width of the terminal."""
        shown = Text(f"▌ {bar}", style="reverse", no_wrap=True, overflow="ellipsis")
        self._view.live.update(shown, refresh=True)


def _styled(lines: Sequence[Sequence[Piece]]) -> Group:
    texts = [Text.assemble(*((piece, style_of(role)) for piece, role in line)) for line in lines]
    for it in texts:
        it.rstrip()  # spaces beyond the last column would begin an empty line
    return Group(*texts)


def style_of(role: str) -> str:
    """Return the style for the role of a piece. A queue has the same colour in every run."""
    if role.startswith("queue:"):
        digest = hashlib.sha256(role.encode(errors="replace")).digest()
        return _QUEUE_COLOURS[digest[0] % len(_QUEUE_COLOURS)]
    return _STYLES.get(role, "")


def is_coloured(when: WhenColoured, environ: Mapping[str, str], *, is_terminal: bool) -> bool:
    """Whether to use colour. In this order: a flag, NO_COLOR, FORCE_COLOR, the terminal's abilities."""
    if when != "auto":
        return when == "always"
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR"):
        return True
    return is_terminal and environ.get("TERM", "") != "dumb"


@contextmanager
def open_screen(*, coloured: bool, has_bar: bool) -> Generator[TailScreen]:
    """Open standard output for lines. A status bar is removed at the end."""
    if not has_bar:
        yield ColouredLines(console(coloured=True)) if coloured else PlainLines()
        return

    def live() -> Live:
        return Live(
            console=console(coloured=coloured),
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    with LiveView(live) as view:
        yield LinesAboveBar(view)
