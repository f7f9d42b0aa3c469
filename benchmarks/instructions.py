"""Count the instructions that a message costs, with valgrind: the same on a busy machine as on a quiet one."""

import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.contestant import Contestant
from benchmarks.round import RoundServers, run
from benchmarks.work import pieces

COUNTABLE = ("streamapp", "naive", "batched", "floor")
"""Contestants of one process: valgrind follows only one."""

SLOWER = 50
"""How many times longer a program takes under valgrind."""


def count(bench: RoundServers, contestants: Sequence[Contestant], unit: int) -> None:
    """Print how many user-space instructions each contestant takes for a message, without its start and end.

    The kernel's do not count, so programs with many small calls look better than they are.
    """
    missing = [name for name in ("valgrind", "callgrind_control") if shutil.which(name) is None]
    if missing:
        raise SystemExit(f"--instructions needs {missing[0]}: apt-get install valgrind")
    for number, contestant in enumerate(it for it in contestants if it.name in COUNTABLE):
        work = pieces(max(100, unit * contestant.weight // 4))
        target = bench.logs / f"{number}.callgrind"
        command = [
            *("valgrind", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={target}"),
            *contestant.command,
        ]
        watched: list[str] = []

        def begin(processes: Sequence[subprocess.Popen[bytes]], watched: list[str] = watched) -> None:
            watched.append(str(processes[0].pid))
            _control("-i", "on", watched[0])

        def end(watched: Sequence[str] = watched) -> None:
            _control("-d", "done", watched[0])
            _control("-i", "off", watched[0])

        slow = replace(contestant, command=command, slower=SLOWER)
        outcome = run(bench, slow, work, f"i{number}:", before=begin, after=end)
        each = counted(target.with_name(f"{target.name}.1")) / len(work)
        sys.stdout.write(
            f"{contestant.work} {contestant.name}: {each:,.0f} instructions a message, "
            f"{outcome.all_requests:.2f} SQS requests\n"
        )
        sys.stdout.flush()


def counted(file: Path) -> int:
    """Return the number of instructions in a dump of callgrind."""
    for line in file.read_text(errors="replace").splitlines():
        if line.startswith("summary: "):
            return int(line.split()[1])
    raise SystemExit(f"{file.name}: callgrind has written no summary")


def _control(*words: str) -> None:
    subprocess.run(["callgrind_control", *words], check=True, capture_output=True)
