"""The demo's board: redrawn in place on a terminal, a line now and then elsewhere."""

import sys
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager

from anyio import create_task_group, move_on_after, sleep
from anyio.abc import TaskStatus
from rich.columns import Columns
from rich.console import Group
from rich.live import Live
from rich.panel import Panel
from rich.text import Text

from streamapp.cli.demo.verdict import Demo
from streamapp.cli.terminal import output as out
from streamapp.cli.terminal.live_view import console
from streamapp.cli.terminal.sanitize import printable
from streamapp.state.store import Store

DRAW_EVERY = 0.25
PRINT_EVERY = 3.0
"""Seconds between two readings of the board, on a terminal and elsewhere."""

MAX_SHOWN = 60
"""Entries of one column that are shown; the others are counted."""

_COLOURS = ("yellow", "blue", "green", "magenta", "cyan")


@asynccontextmanager
async def board_shown(demo: Demo, store: Store) -> AsyncGenerator[None]:
    """Show the board while the body runs."""
    async with create_task_group() as showing:
        if sys.stdout.isatty():
            await showing.start(_draw, demo, store)
        else:
            showing.start_soon(_print, demo, store)
        yield
        showing.cancel_scope.cancel("all has been shown")


async def _draw(demo: Demo, store: Store, *, task_status: TaskStatus[None]) -> None:
    terminal = console()
    with Live(console=terminal, auto_refresh=False, transient=False, vertical_overflow="ellipsis") as live:

        async def draw() -> None:
            columns = await demo.columns(store)
            live.update(_drawing(columns, demo.summary(), terminal.width), refresh=True)

        task_status.started()
        try:
            while True:
                await draw()
                await sleep(DRAW_EVERY)
        finally:
            with move_on_after(1, shield=True):
                await draw()


async def _print(demo: Demo, store: Store) -> None:
    started = time.monotonic()
    while True:
        await sleep(PRINT_EVERY)
        columns = " · ".join(f"{name} {len(keys)}" for name, keys in (await demo.columns(store)).items())
        out.print_lines([f"{time.monotonic() - started:5.1f} s  {columns}  |  {demo.summary()}"])


def _drawing(columns: Mapping[str, Sequence[str]], summary: str, width: int) -> Group:
    """Return one panel for each column, side by side, with *summary* under them."""
    each = max(16, width // max(1, len(columns)) - 1)
    panels = [
        Panel(
            _entries(keys),
            title=Text(f"{printable(name)} ({len(keys)})"),
            border_style=colour,
            width=each,
            height=12,
        )
        for (name, keys), colour in zip(columns.items(), _COLOURS, strict=False)
    ]
    return Group(Columns(panels, padding=(0, 0)), Text(summary, style="bold"))


def _entries(keys: Sequence[str]) -> Text:
    shown = " ".join(f"#{printable(key)}" for key in keys[:MAX_SHOWN])
    rest = len(keys) - MAX_SHOWN
    return Text(shown + (f" and {rest} more" if rest > 0 else ""), overflow="fold")
