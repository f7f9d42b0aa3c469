"""Run a command in this process, which saves two seconds of imports."""

import contextlib
import io
import os
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO, TextIO

import anyio

from streamapp.cli.root import main


@dataclass(frozen=True)
class Done:
    """The exit code and the output of a command."""

    returncode: int
    stdout: str
    stderr: str


async def call(env: Mapping[str, str], *arguments: str, typed: bytes = b"") -> Done:
    """Run `streamapp` with these arguments as a shell would, in a pipe."""
    return await anyio.to_thread.run_sync(lambda: here(env, *arguments, typed=typed))


def here(env: Mapping[str, str], *arguments: str, typed: bytes = b"") -> Done:
    """Do the same in the main thread, which commands need that listen to signals."""
    before = dict(os.environ), sys.argv, sys.stdin
    # Files instead of texts in memory, because commands ask what kind of file they write to.
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8", newline="") as out,
        tempfile.TemporaryFile("w+", encoding="utf-8", newline="") as err,
    ):
        code = _run(env, arguments, typed, out, err, before)
        out.seek(0)
        err.seek(0)
        return Done(code, out.read(), err.read())


def _run(
    env: Mapping[str, str],
    arguments: tuple[str, ...],
    typed: bytes,
    out: IO[str],
    err: IO[str],
    before: tuple[dict[str, str], list[str], TextIO],
) -> int:
    os.environ.clear()
    os.environ.update(env)
    sys.argv = ["streamapp", *arguments]
    sys.stdin = io.TextIOWrapper(io.BytesIO(typed))
    code = 0
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1 if end.code else 0
    finally:
        os.environ.clear()
        os.environ.update(before[0])
        _, sys.argv, sys.stdin = before
    return code
