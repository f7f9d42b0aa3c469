"""Consoles of terminals that people watch."""

import os
import sys

from rich.console import Console


def console(*, coloured: bool | None = None) -> Console:
    """Answer a console on standard output that is as large as its terminal is, also when that changes.

    *coloured* says whether colours are used, whatever it is; None leaves it to what the terminal can do, NO_COLOR and
    FORCE_COLOR. COLUMNS and LINES are left out: where a shell has exported them, they tell the size of long ago.
    """
    environ = {name: text for name, text in os.environ.items() if name not in {"COLUMNS", "LINES"}}
    return Console(
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
