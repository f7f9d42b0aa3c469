"""Profile contestants with py-spy."""

import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from benchmarks.contestant import Contestant
from benchmarks.round import RoundServers, run
from benchmarks.work import pieces

SHOWN = 25
"""Lines of each table."""


def record(bench: RoundServers, contestants: Sequence[Contestant], unit: int, folder: Path) -> None:
    """Sample the work of each contestant, without its start and end; print where its time went.

    The stacks stay in *folder*, one per line with its number of samples: flamegraph.pl and speedscope read them.
    """
    spy = shutil.which("py-spy")
    if spy is None:
        raise SystemExit("--profile needs py-spy, which the bench group has: run it with `just bench`")
    folder.mkdir(parents=True, exist_ok=True)
    for number, contestant in enumerate(contestants):
        target = folder / f"{contestant.name}-{contestant.work}.stacks"
        command = [spy, "record", "--rate", "500", "--format", "raw", "--output", str(target)]
        watchers: list[subprocess.Popen[bytes]] = []

        def watch(
            processes: Sequence[subprocess.Popen[bytes]],
            command: Sequence[str] = command,
            watchers: list[subprocess.Popen[bytes]] = watchers,
        ) -> None:
            whole = [*command, "--pid", str(processes[0].pid)]
            watchers.append(subprocess.Popen(whole, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))

        def unwatch(watchers: Sequence[subprocess.Popen[bytes]] = watchers) -> None:
            for watcher in watchers:
                watcher.send_signal(signal.SIGINT)
                watcher.wait()

        work = pieces(unit * contestant.weight // 8)
        outcome = run(bench, contestant, work, f"p{number}:", before=watch, after=unwatch)
        sys.stdout.write(
            f"{contestant.name} {contestant.work}: {outcome.cpu * 1e6:.0f} us a message while watched; {target}\n"
        )
        sys.stdout.write(tables(target.read_text().splitlines()))


def tables(stacks: Sequence[str]) -> str:
    """Return the samples by module, by function alone, and by function with all that it calls."""
    modules, alone, within = Counter[str](), Counter[str](), Counter[str]()
    for line in stacks:
        stack, _, samples = line.rpartition(" ")
        frames = [frame.rpartition(":")[0] for frame in stack.split(";")]
        if "Thread." in stack:  # threads that wait count as if they ran
            continue
        modules[frames[-1].partition("(")[2].rstrip(")")] += int(samples)
        alone[frames[-1]] += int(samples)
        for frame in set(frames):
            within[frame] += int(samples)
    total = max(1, alone.total())
    parts = [f"{total} samples"]
    for title, counts in (("module", modules), ("self", alone), ("with callees", within)):
        parts.append(f"\nby {title}")
        parts += [f"{number / total:6.1%}  {name}" for name, number in counts.most_common(SHOWN)]
    return "\n".join(parts) + "\n"
