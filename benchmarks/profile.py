"""Record where one contestant's time goes, with py-spy."""

import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.contestant import Contestant
from benchmarks.round import Bench, run
from benchmarks.work import pieces


def record(bench: Bench, contestants: Sequence[Contestant], unit: int, folder: Path) -> None:
    """Write one flame graph for each contestant into *folder*, of its work alone: start and end are left out."""
    spy = shutil.which("py-spy")
    if spy is None:
        raise SystemExit("--profile needs py-spy, which the bench group has: run it with `just bench`")
    folder.mkdir(parents=True, exist_ok=True)
    for number, contestant in enumerate(contestants):
        target = folder / f"{contestant.name}.svg"
        watchers: list[subprocess.Popen[bytes]] = []

        def watch(processes: Sequence[subprocess.Popen[bytes]], target: Path = target) -> None:
            command = [
                spy,
                "record",
                "--rate",
                "500",
                "--output",
                str(target),
                "--pid",
                str(processes[0].pid),
            ]
            watchers.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))  # noqa: B023 - run at once

        def unwatch(watchers: Sequence[subprocess.Popen[bytes]] = watchers) -> None:
            for watcher in watchers:
                watcher.send_signal(signal.SIGINT)
                watcher.wait()

        work = pieces(unit * contestant.weight // 8)
        outcome = run(bench, contestant, work, f"p{number}:", before=watch, after=unwatch)
        sys.stdout.write(f"{contestant.name}: {outcome.cpu * 1e6:.0f} us a message while watched; {target}\n")
