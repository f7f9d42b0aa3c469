"""`python -m streamapp` is the command `streamapp`."""

import atexit
import os
import signal
import sys
from contextlib import suppress
from typing import NoReturn

INTERRUPTED, TERMINATED = 130, 143
"""Exit codes, as in a shell: 128 and the number of the signal."""


def main() -> NoReturn:
    """Run the command line, and end the process. Ctrl-C prints no traceback, even during the imports."""
    if os.getpid() == 1:
        # The kernel drops each signal for which the first process of a container has no handler: a SIGTERM during the
        # imports would be lost. A worker listens by itself once it has something to finish.
        signal.signal(signal.SIGTERM, _end)
    code: object = 0
    try:
        from streamapp.cli.root import main as run  # noqa: PLC0415 - slow enough to be interrupted

        run()
    except KeyboardInterrupt:
        code = INTERRUPTED
    except SystemExit as ended:
        code = ended.code
    leave(code)


def _end(_number: int, _frame: object) -> NoReturn:
    os._exit(TERMINATED)


def leave(code: object) -> NoReturn:
    """End the process with *code*, as `sys.exit` does, without waiting for its threads.

    Python would wait for a thread that looks up a host name for as long as that lookup hangs: until a SIGKILL.
    """
    if not isinstance(code, int) and code is not None:
        print(code, file=sys.stderr)  # noqa: T201 - as Python does
        code = 1
    atexit._run_exitfuncs()  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # what was registered still runs: spans are exported
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):  # it is None where the shell has closed it
            stream.flush()
    os._exit(code or 0)


if __name__ == "__main__":
    main()
