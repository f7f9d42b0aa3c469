"""A command run in this process, which saves the start of one: two seconds of imports."""

import contextlib
import io
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass

import anyio

from streamapp.cli import main


@dataclass(frozen=True)
class Done:
    """How it ended, and all that it said."""

    returncode: int
    stdout: str
    stderr: str


async def call(env: Mapping[str, str], *arguments: str, typed: bytes = b"") -> Done:
    """Run `streamapp` with these arguments as a shell would, in a pipe."""
    return await anyio.to_thread.run_sync(lambda: _call(env, arguments, typed))


def _call(env: Mapping[str, str], arguments: tuple[str, ...], typed: bytes) -> Done:
    before = dict(os.environ), sys.argv, sys.stdin
    out, err = io.StringIO(), io.StringIO()
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
    return Done(code, out.getvalue(), err.getvalue())
