"""Run the end-to-end tests on an emulator other than moto, in an environment of its own.

python local/integration.py localstack
python local/integration.py ministack
"""

import socket
import subprocess
import sys
from pathlib import Path

from native import EMULATORS, emulator, environment, running, wait_for

SUITE = (
    "tests/e2e/test_samples.py",
    "tests/e2e/test_named_cases.py",
    "tests/e2e/test_ends.py",
    "tests/e2e/test_outages.py",
    "tests/sqs/test_client.py",
)
"""The tests that run on any SQS."""


def main(name: str) -> int:
    """Return pytest's exit code."""
    folder = Path(".local")
    folder.mkdir(exist_ok=True)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with running(emulator(name, environment(name, folder), port, folder)) as server:
        wait_for(port, server)
        command = [sys.executable, "-m", "pytest", "-q", "--sqs", f"http://127.0.0.1:{port}", *SUITE]
        return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    if sys.argv[1:] not in [[name] for name in EMULATORS]:
        sys.exit(f"one of: {', '.join(EMULATORS)}")
    sys.exit(main(sys.argv[1]))
