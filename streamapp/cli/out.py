"""Lines of text on standard output and standard error: each is one line, and nothing in it can act on a terminal."""

import json
import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from typing import TextIO

from streamapp.cli.text import printable

CLEAR = "\r\x1b[2K"

_said: list[str] = []
"""What takes away that which was said soon and stands there still."""


def tell(lines: Iterable[str]) -> None:
    """Write *lines* to standard output; when this returns, they are there."""
    clear()
    sys.stdout.write("".join(f"{printable(line)}\n" for line in lines))
    sys.stdout.flush()


def note(line: str) -> None:
    """Write *line* to standard error, where what is no result goes, if that can be written."""
    clear()
    with suppress(OSError):
        sys.stderr.write(f"{printable(line)}\n")
        sys.stderr.flush()


def width() -> int | None:
    """Answer the columns of the terminal that standard output is; None where it is none, and lines are never cut."""
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns
    except (OSError, ValueError):
        return None


def say_soon(line: str) -> None:
    """Tell whoever waits at a terminal that work has begun: the clients alone take a second to import.

    The line is gone as soon as there is anything else to read.
    """
    if not sys.stderr.isatty():
        return
    if os.environ.get("TERM", "") in {"", "dumb"}:
        note(line)
        return
    clear()
    with suppress(OSError):
        sys.stderr.write(printable(line))
        sys.stderr.flush()
        _said.append(CLEAR)


def show_life() -> None:
    """Show whoever waits at a terminal that something runs, before anything is known of what; as `say_soon`.

    The cursor stays before it, so that a complaint about the arguments, which is not ours to print, overwrites it.
    """
    if sys.stderr.isatty() and os.environ.get("TERM", "") not in {"", "dumb"}:
        with suppress(OSError):
            sys.stderr.write("…\r")
            sys.stderr.flush()
            _said.append(" \r")  # nothing that acts on a terminal: what follows may be for a program


def clear() -> None:
    """Take away what was said soon: there is better to read now."""
    if _said:
        with suppress(OSError):
            sys.stderr.write("".join(_said))
            sys.stderr.flush()
        _said.clear()


def print_json(value: object) -> None:
    """Print *value* as JSON; all that is not ASCII is escaped, so no terminal can act on any of it."""
    clear()
    sys.stdout.write(as_json(value, indent=2) + "\n")


def as_json(value: object, *, indent: int | None = None) -> str:
    """Answer *value* as JSON in which nothing but printable ASCII is left, on one line unless indented."""
    return json.dumps(value, indent=indent).replace("\x7f", "\\u007f")


def end() -> None:
    """Write what waits to be written; what nobody reads, or logs that no disk takes, are no failure of what was done.

    Ends the process with 1 where results cannot be written.
    """
    clear()
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _drop(sys.stdout)
    except OSError as error:
        _drop(sys.stdout)
        note(f"streamapp: the output cannot be written: {error.strerror}")
        sys.exit(1)
    finally:
        try:
            sys.stderr.flush()
        except OSError:
            _drop(sys.stderr)


def _drop(stream: TextIO) -> None:
    """Lead *stream* nowhere, or the interpreter would try again at its end, and exit with 120."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
