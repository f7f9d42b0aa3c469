"""Lines of text on standard output and standard error: each is one line, and nothing in it can act on a terminal."""

import json
import sys
from collections.abc import Iterable

from streamapp.cli.text import printable


def tell(lines: Iterable[str]) -> None:
    """Write *lines* to standard output; when this returns, they are there."""
    sys.stdout.write("".join(f"{printable(line)}\n" for line in lines))
    sys.stdout.flush()


def note(line: str) -> None:
    """Write *line* to standard error, where what is no result goes."""
    sys.stderr.write(f"{printable(line)}\n")
    sys.stderr.flush()


def say_soon(line: str) -> None:
    """Tell whoever waits at a terminal that work has begun: the clients alone take a second to import."""
    if sys.stderr.isatty():
        note(line)


def print_json(value: object) -> None:
    """Print *value* as JSON; all that is not ASCII is escaped, so no terminal can act on any of it."""
    sys.stdout.write(as_json(value, indent=2) + "\n")


def as_json(value: object, *, indent: int | None = None) -> str:
    """Answer *value* as JSON in which nothing but printable ASCII is left, on one line unless indented."""
    return json.dumps(value, indent=indent).replace("\x7f", "\\u007f")
