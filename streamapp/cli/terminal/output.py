"""Lines of text on standard output and standard error: each is one line, and nothing in it can act on a terminal."""

import io
import json
import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from typing import TextIO

from streamapp.cli.terminal.sanitize import printable

CLEAR = "\r\x1b[2K"

_said: list[str] = []
"""What takes away that which was said soon and stands there still."""

_left: list[TextIO] = []
"""Standard output, once whoever read it has left."""


def begin() -> None:
    """Let any text be written: what the terminal's encoding lacks is escaped, and a closed stream is open to nobody.

    Results that go to a closed standard output cannot be written, which `end` tells.
    """
    _left.clear()
    for number, (name, flags) in enumerate(_STREAMS):
        if getattr(sys, name) is None:  # the shell's `>&-`; the lowest free number is that of the stream
            opened = os.open(os.devnull, flags)
            setattr(sys, name, open(opened, "w" if number else "r", encoding="utf-8", closefd=False))  # noqa: SIM115 - for as long as the process lives
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


_STREAMS = (("stdin", os.O_RDONLY), ("stdout", os.O_RDONLY), ("stderr", os.O_WRONLY))


def tell(lines: Iterable[str]) -> None:
    """Write *lines* to standard output; when this returns, they are there."""
    write("".join(f"{printable(line)}\n" for line in lines))


def write(text: str) -> None:
    """Write *text*, which is harmless, to standard output; a reader who has left does not stop what is being done."""
    clear()
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        leave()


def leave() -> None:
    """Take note that nobody reads standard output any more."""
    _drop(sys.stdout)
    _left.append(sys.stdout)


def is_read() -> bool:
    """Whether anybody may still read standard output, as far as writing to it has told."""
    return not _left


def note(line: str) -> None:
    """Write *line* to standard error, where what is no result goes, if that can be written."""
    clear()
    with suppress(OSError):
        sys.stderr.write(f"{printable(line)}\n")
        sys.stderr.flush()


def width() -> int | None:
    """Return the columns of the terminal that standard output is; None where it is none, and lines are never cut."""
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
    write(as_json(value, indent=2) + "\n")


def as_json(value: object, *, indent: int | None = None) -> str:
    """Return *value* as JSON in which nothing but printable ASCII is left, on one line unless indented."""
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
