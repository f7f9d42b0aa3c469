"""Where the lines of a tail go: a terminal with a status bar under them, or a pipe with nothing but lines."""

import hashlib
import sys
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Literal, Protocol

from anyio import sleep_forever
from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from streamapp.cli.tail.lines import Piece, text
from streamapp.cli.terminal import output as out
from streamapp.cli.terminal.screen import Stage, console

Colour = Literal["auto", "always", "never"]

_HUES = ("cyan", "blue", "magenta", "bright_cyan", "bright_blue", "bright_magenta")
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


class Screen(Protocol):
    """Takes what is shown."""

    is_lively: bool
    """Whether there is a bar under the lines, and single keys are obeyed."""

    @property
    def width(self) -> int:
        """Columns that a line may take; 0 for any number."""
        ...

    def show(self, lines: Sequence[Sequence[Piece]]) -> None:
        """Show lines; when this returns, they are written."""
        ...

    def status(self, bar: str) -> None:
        """Show *bar* under the lines, where there is such a place."""
        ...

    async def obey(self, keys: Callable[[str], bool]) -> None:
        """Tell *keys* what is pressed; return when that is the end."""
        ...

    def suspend(self) -> None:
        """Stop this process as Ctrl-Z asks, and return when it goes on."""
        ...


class Lines:
    """Whole lines, which a terminal wraps itself, so that they can be copied whole; each call is flushed."""

    is_lively = False
    width = 0

    def show(self, lines: Sequence[Sequence[Piece]]) -> None:
        """Write the lines."""
        if lines:
            out.clear()
            sys.stdout.write(self._written(lines))
            sys.stdout.flush()

    def status(self, bar: str) -> None:
        """Leave it out."""

    async def obey(self, keys: Callable[[str], bool]) -> None:
        """Obey nobody: there are no keys."""
        del keys
        await sleep_forever()

    def suspend(self) -> None:
        """Leave it to the system."""

    def _written(self, lines: Sequence[Sequence[Piece]]) -> str:
        return "".join(f"{text(line)}\n" for line in lines)


class Coloured(Lines):
    """The same in colour."""

    def __init__(self, terminal: Console) -> None:
        self._console = terminal

    def _written(self, lines: Sequence[Sequence[Piece]]) -> str:
        # Not printed: rich ends the program with 1 where nobody reads any more.
        with self._console.capture() as captured:
            self._console.print(_styled(lines), soft_wrap=True)
        return captured.get()


class Staged:
    """Lines above a bar."""

    is_lively = True

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.obey = stage.obey
        self.suspend = stage.suspend

    @property
    def width(self) -> int:
        """Columns that the terminal has now."""
        return self._stage.live.console.width

    def show(self, lines: Sequence[Sequence[Piece]]) -> None:
        """Print the lines above the bar, together: each print draws the bar again."""
        if lines:
            self._stage.live.console.print(_styled(lines), soft_wrap=True)

    def status(self, bar: str) -> None:
        """Draw the bar again, cut where the terminal ends."""
        shown = Text(f"▌ {bar}", style="reverse", no_wrap=True, overflow="ellipsis")
        self._stage.live.update(shown, refresh=True)


def _styled(lines: Sequence[Sequence[Piece]]) -> Group:
    texts = [Text.assemble(*((piece, style_of(what)) for piece, what in line)) for line in lines]
    for it in texts:
        it.rstrip()  # what reaches beyond the last column would begin a line of nothing
    return Group(*texts)


def style_of(what: str) -> str:
    """Return the style of a piece; a queue has the same hue in every run."""
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


@contextmanager
def open_screen(*, coloured: bool, lively: bool) -> Generator[Screen]:
    """Open standard output: with *lively* there is a bar under the lines, which is gone at the end."""
    if not lively:
        yield Coloured(console(coloured=True)) if coloured else Lines()
        return

    def live() -> Live:
        return Live(
            console=console(coloured=coloured),
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    with Stage(live) as stage:
        yield Staged(stage)
