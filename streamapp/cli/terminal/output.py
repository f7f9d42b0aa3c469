"""Text on standard output and standard error. Each text stays on its line and cannot control the terminal."""

import io
import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from typing import TextIO

from streamapp.cli.terminal.sanitize import printable

CLEAR = "\r\x1b[2K"

_erasers: list[str] = []
"""What erases the progress line that is shown now."""

_closed: list[TextIO] = []
"""Standard output, once nobody reads it any more."""


def begin() -> None:
    """Make any text writable: what the terminal's encoding lacks is escaped, and a closed stream is replaced.

    Results for a standard output that was closed cannot be written, which `end` reports.
    """
    _closed.clear()
    for number, (name, flags) in enumerate(_STREAMS):
        if getattr(sys, name) is None:  # the shell's `>&-`; the lowest free number is that of the stream
            opened = os.open(os.devnull, flags)
            setattr(sys, name, open(opened, "w" if number else "r", encoding="utf-8", closefd=False))  # noqa: SIM115 - open until the process ends
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


_STREAMS = (("stdin", os.O_RDONLY), ("stdout", os.O_RDONLY), ("stderr", os.O_WRONLY))


def print_lines(lines: Iterable[str]) -> None:
    """Write *lines* to standard output, and flush it."""
    write("".join(f"{printable(line)}\n" for line in lines))


def write(text: str) -> None:
    """Write *text*, which must be safe, to standard output. A closed pipe does not stop the command."""
    clear()
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        stop_writing()


def stop_writing() -> None:
    """Remember that nobody reads standard output any more."""
    _drop(sys.stdout)
    _closed.append(sys.stdout)


def is_read() -> bool:
    """Whether somebody may still read standard output: no write to it has failed."""
    return not _closed


def note(line: str) -> None:
    """Write *line*, which is no result, to standard error, if that can be written."""
    clear()
    with suppress(OSError):
        sys.stderr.write(f"{printable(line)}\n")
        sys.stderr.flush()


def width() -> int | None:
    """Return the width of the terminal on standard output; None if it is no terminal, where no line is cut."""
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns
    except (OSError, ValueError):
        return None


def show_progress(line: str) -> None:
    """Show on a terminal that work has begun, because the clients alone take a second to import.

    The line is erased as soon as anything else is printed.
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
        _erasers.append(CLEAR)


def show_start() -> None:
    """Show on a terminal that the program runs, before its arguments are parsed; as `show_progress`.

    The cursor stays before the `…`, so that an error about the arguments, which typer prints, overwrites it.
    """
    if sys.stderr.isatty() and os.environ.get("TERM", "") not in {"", "dumb"}:
        with suppress(OSError):
            sys.stderr.write("…\r")
            sys.stderr.flush()
            _erasers.append(" \r")  # no escape sequence: the next output may be for a program


def clear() -> None:
    """Erase the progress line."""
    if _erasers:
        with suppress(OSError):
            sys.stderr.write("".join(_erasers))
            sys.stderr.flush()
        _erasers.clear()


def print_json(value: object) -> None:
    """Print *value* as JSON. Non-ASCII characters are escaped, so none can control a terminal."""
    write(as_json(value, indent=2) + "\n")


def as_json(value: object, *, indent: int | None = None) -> str:
    """Return *value* as JSON in printable ASCII, on one line unless *indent* is given."""
    import json  # noqa: PLC0415 - slow to import

    return json.dumps(value, indent=indent).replace("\x7f", "\\u007f")


def end() -> None:
    """Flush both streams. A closed pipe, or logs that cannot be written, are no failure of the command.

    Ends the process with 1 if results cannot be written.
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
    """Connect *stream* to nothing. Otherwise the interpreter would flush it again at its end, and exit with 120."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
