"""A worker that starts again when the code changes.

python local/dev.py --http 127.0.0.1:8080   # options are those of `streamapp worker`

Ctrl-C or SIGTERM drains the worker; a second one makes it stop at once.
"""

import os
import signal
import subprocess
import sys

from watchfiles import PythonFilter, watch

FOLDERS = ("streamapp", "agents", "codecs")


def main(options: list[str]) -> int:
    """Run until interrupted, and return 130. A worker that ends by itself is started again at the next change."""
    # A closed terminal must not leave a worker behind that continues to consume.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    worker = start(options)
    try:
        for changes in watch(*FOLDERS, watch_filter=PythonFilter()):
            sys.stderr.write(f"changed: {', '.join(sorted(os.path.relpath(path) for _, path in changes))}\n")
            worker.terminate()
            worker.wait()
            worker = start(options)
    except KeyboardInterrupt:
        stop(worker)
    return 130


def start(options: list[str]) -> subprocess.Popen[bytes]:
    """Start a worker in a session of its own, so that Ctrl-C reaches only this process, which passes it on."""
    return subprocess.Popen([sys.executable, "-m", "streamapp", "worker", *options], start_new_session=True)


def stop(worker: subprocess.Popen[bytes]) -> None:
    """Stop *worker* and wait until it has drained. Each interruption meanwhile is passed on to it."""
    while True:
        try:
            worker.terminate()
            worker.wait()
        except KeyboardInterrupt:
            continue
        return


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
