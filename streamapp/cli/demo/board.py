"""The board of a demo: where each key stands, drawn again in place."""

from collections.abc import Mapping, Sequence

from rich.columns import Columns
from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.text import Text

from streamapp.cli.terminal.sanitize import printable

MOST_SHOWN = 60
"""Entries of one column that are shown; the rest is counted."""

_COLOURS = ("yellow", "blue", "green", "magenta", "cyan")


def open_live(console: Console) -> Live:
    """Return a view that is drawn again in place."""
    return Live(console=console, auto_refresh=False, transient=False, vertical_overflow="ellipsis")


def picture(columns: Mapping[str, Sequence[str]], counters: str, width: int) -> Group:
    """Draw one panel a column, side by side, and a line of counters under them."""
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
    return Group(Columns(panels, padding=(0, 0)), Text(counters, style="bold"))


def _entries(keys: Sequence[str]) -> Text:
    shown = " ".join(f"#{printable(key)}" for key in keys[:MOST_SHOWN])
    rest = len(keys) - MOST_SHOWN
    return Text(shown + (f" and {rest} more" if rest > 0 else ""), overflow="fold")
