"""What commands do where their output cannot be written."""

import subprocess
import sys
from collections.abc import Callable
from typing import IO, Any

import pytest
from terminal import bare

COMMAND = [sys.executable, "-m", "streamapp"]

full = pytest.mark.skipif(sys.platform != "linux", reason="/dev/full is Linux's disk that is always full")


@full
def test_results_that_no_disk_takes_are_a_failure() -> None:
    """A script goes on only with what was written."""
    with open("/dev/full", "w") as disk:
        ended = subprocess.run(
            [*COMMAND, "config"], check=False, env=bare(), stdout=disk, stderr=subprocess.PIPE
        )

    assert ended.returncode == 1
    assert ended.stderr == b"streamapp: the output cannot be written: No space left on device\n"


@full
def test_an_error_that_cannot_be_told_has_its_exit_code() -> None:
    """The exit code is what is left."""
    with open("/dev/full", "w") as disk:
        ended = subprocess.run([*COMMAND, "tail", "--since", "yore"], check=False, env=bare(), stderr=disk)

    assert ended.returncode == 2


@pytest.mark.parametrize("takes", [lambda pipe: pipe.read(1), lambda _: None], ids=["a part", "nothing"])
def test_a_reader_that_leaves_is_left_in_peace(takes: Callable[[IO[bytes]], Any]) -> None:
    """`| head` has what it wanted."""
    with subprocess.Popen(
        [*COMMAND, "schema"], env=bare(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as command:
        assert command.stdout is not None
        takes(command.stdout)
        command.stdout.close()
        _, said = command.communicate()

    assert command.returncode in {0, 1}  # where the pipe took it all, nobody can know that it was not read
    assert said == b""
