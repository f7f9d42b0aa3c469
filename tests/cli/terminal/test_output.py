"""What commands do if their output cannot be written."""

import json
import subprocess
import sys
from collections.abc import Callable
from typing import IO, Any

import pytest

from rigs.shop import Shop
from rigs.terminal import bare

COMMAND = [sys.executable, "-m", "streamapp"]

full = pytest.mark.skipif(sys.platform != "linux", reason="/dev/full is Linux's disk that is always full")


@full
def test_results_that_cannot_be_written_are_a_failure() -> None:
    """A script must not continue without the results."""
    with open("/dev/full", "w") as disk:
        ended = subprocess.run(
            [*COMMAND, "config"], check=False, env=bare(), stdout=disk, stderr=subprocess.PIPE
        )

    assert ended.returncode == 1
    assert ended.stderr == b"streamapp: the output cannot be written: No space left on device\n"


@full
def test_an_error_that_cannot_be_written_has_its_exit_code() -> None:
    """Only the exit code is left to show it."""
    with open("/dev/full", "w") as disk:
        ended = subprocess.run([*COMMAND, "tail", "--since", "yore"], check=False, env=bare(), stderr=disk)

    assert ended.returncode == 2


@pytest.mark.parametrize("takes", [lambda pipe: pipe.read(1), lambda _: None], ids=["a part", "nothing"])
def test_a_closed_pipe_is_no_error(takes: Callable[[IO[bytes]], Any]) -> None:
    """`| head` needs only the beginning."""
    with subprocess.Popen(
        [*COMMAND, "schema"], env=bare(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as command:
        assert command.stdout is not None
        takes(command.stdout)
        command.stdout.close()
        _, said = command.communicate()

    assert command.returncode == 0
    assert said == b""


@pytest.mark.parametrize("command", ["status --watch", "status --watch --json", "doctor", "dlq ls"])
async def test_a_closed_pipe_is_no_failure_of_a_command_that_looks(shop: Shop, command: str) -> None:
    """With `set -o pipefail`, a script would see `| head` as a failure, and doctor's 1 as a problem."""
    with subprocess.Popen(
        [*COMMAND, *command.split()], env=shop.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as looking:
        assert looking.stdout is not None
        looking.stdout.close()
        _, said = looking.communicate(timeout=50)

    assert looking.returncode == 0
    assert b"Traceback" not in said
    assert b"bug" not in said


async def test_each_json_document_of_a_watch_is_flushed(shop: Shop) -> None:
    """A program that reads it must not wait until the buffer of eight thousand characters is full."""
    with subprocess.Popen(
        [*COMMAND, "status", "--watch", "--json"], env=shop.env, stdout=subprocess.PIPE, text=True
    ) as watching:
        assert watching.stdout is not None
        first = watching.stdout.readline()
        watching.kill()

    assert first == "{\n"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
async def test_what_the_encoding_lacks_is_escaped(shop: Shop, encoding: str) -> None:
    """The rest of the text is still useful on such a terminal."""
    shop.env["PYTHONIOENCODING"] = encoding

    shown = subprocess.run(
        [*COMMAND, "status"], env=shop.env, capture_output=True, check=False, timeout=50
    ).stdout.decode(encoding)
    expected = subprocess.run(
        [*COMMAND, "seed", "--orders", "1", "--expect"],
        env=shop.env,
        capture_output=True,
        check=True,
        timeout=50,
    )

    assert "\\u2192 acompanhamento-events" in shown
    assert json.loads(expected.stdout.decode(encoding))["acompanhamento"]


@pytest.mark.parametrize(("closed", "code"), [("<&-", 0), ("2>&-", 0), (">&-", 1)])
def test_a_closed_stream_is_no_bug(closed: str, code: int) -> None:
    """Daemons are started that way. Only results that cannot be written are a failure."""
    command = f"{sys.executable} -m streamapp config {closed}"

    ended = subprocess.run(["bash", "-c", command], env=bare(), capture_output=True, text=True, check=False)

    assert ended.returncode == code
    assert bool(ended.stdout) is (code == 0)
    assert ended.stderr == ("streamapp: the output cannot be written: Bad file descriptor\n" if code else "")
