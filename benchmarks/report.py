"""The results as tables, as files, and in the README."""

import os
import platform
import statistics
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

from benchmarks import field as contestants
from benchmarks.process import load
from benchmarks.round import Outcome

HERE = Path(__file__).parent
README = HERE.parent / "README.md"
BEGIN, END = "<!-- bench: written by `just bench --write` -->", "<!-- bench: end -->"


@dataclass(slots=True)
class Results:
    """All that a run measured. Latencies are (p50, p99) in seconds, None where a rate was too much."""

    rounds: dict[tuple[str, str], list[Outcome]] = field(default_factory=dict[tuple[str, str], list[Outcome]])
    latency: dict[tuple[str, int], tuple[float, float] | None] = field(
        default_factory=dict[tuple[str, int], "tuple[float, float] | None"]
    )
    idle: dict[str, tuple[float, float]] = field(default_factory=dict[str, tuple[float, float]])
    processes: dict[int, list[Outcome]] = field(default_factory=dict[int, list[Outcome]])
    growth: dict[str, dict[int, float]] = field(default_factory=dict[str, dict[int, float]])
    missing: dict[str, str] = field(default_factory=dict[str, str])
    failures: list[str] = field(default_factory=list[str])
    load_before: float = field(default_factory=load)


def median(outcomes: Sequence[Outcome], what: str) -> float:
    """Answer the median of one figure of the rounds."""
    return statistics.median(float(getattr(outcome, what)) for outcome in outcomes)


def table(results: Results) -> str:
    """Answer everything as Markdown."""
    parts = [_machine(results)]
    parts += [_throughput(results, server) for server in dict.fromkeys(on for on, _ in results.rounds)]
    if results.latency:
        lines = ["| from send to announcement | rate a second | p50 ms | p99 ms |", "|---|---|---|---|"]
        for (name, rate), cuts in results.latency.items():
            shown = "does not keep up | |" if cuts is None else f"{cuts[0] * 1e3:.1f} | {cuts[1] * 1e3:.1f} |"
            lines.append(f"| {name} | {rate} | {shown}")
        parts.append("\n".join(lines))
    if results.idle:
        lines = ["| idle on three queues | share of a core | SQS requests a minute |", "|---|---|---|"]
        lines += [f"| {name} | {share:.2%} | {polls:.0f} |" for name, (share, polls) in results.idle.items()]
        parts.append("\n".join(lines))
    if results.processes:
        lines = ["| processes of streamapp | CPU us a message | messages a second |", "|---|---|---|"]
        lines += [
            f"| {number} | {median(them, 'cpu') * 1e6:.0f} | {1 / median(them, 'wall'):.0f} |"
            for number, them in results.processes.items()
        ]
        parts.append("\n".join(lines))
    for what, costs in results.growth.items():
        lines = [f"| {what} | streamapp's CPU us a message |", "|---|---|"]
        lines += [f"| {much:,} | {cost * 1e6:.0f} |" for much, cost in costs.items()]
        parts.append("\n".join(lines))
    parts += [f"Not measured: {name}: {why}." for name, why in results.missing.items()]
    parts += [f"Failed: {failure}." for failure in dict.fromkeys(results.failures)]
    return "\n\n".join(parts) + "\n"


def _throughput(results: Results, server: str) -> str:
    lines = [
        f"| on {server} | CPU us a message (least - most) | to the naive loop | to the floor | a second | SQS requests | RSS MiB |",
        "|---|---|---|---|---|---|---|",
    ]
    naive = results.rounds.get((server, contestants.NAIVE.name))
    floor = results.rounds.get((server, contestants.FLOOR.name))
    for (where, name), them in results.rounds.items():
        if where != server:
            continue
        cost = median(them, "cpu")
        costs = [outcome.cpu * 1e6 for outcome in them]
        to_naive = f"1/{median(naive, 'cpu') / cost:.1f}" if naive else ""
        to_floor = f"{cost / median(floor, 'cpu'):.1f} x" if floor else ""
        kinds = {"ReceiveMessage": "receive", "SendMessage": "send", "DeleteMessage": "delete"}
        requests: dict[str, float] = {}
        for kind, number in them[len(them) // 2].requests.items():
            word = kinds.get(kind.removesuffix("Batch"), "other")
            requests[word] = requests.get(word, 0.0) + number
        shown = ", ".join(f"{word} {number:.2f}" for word, number in requests.items() if number >= 0.005)
        lines.append(
            f"| {name} | {cost * 1e6:.0f} ({min(costs):.0f} - {max(costs):.0f}) | {to_naive} | {to_floor} "
            f"| {1 / median(them, 'wall'):.0f} | {median(them, 'all_requests'):.2f} ({shown}) | {median(them, 'memory'):.0f} |"
        )
    return "\n".join(lines)


def _machine(results: Results) -> str:
    names = ("streamapp", "aioboto3", "redis", "hiredis", "msgspec", "anyio", "uvloop")
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in names)
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        cwd=HERE, capture_output=True, text=True, check=False,
    ).stdout.strip()  # fmt: skip
    model = next(
        (line.split(":", 1)[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")),
        platform.machine(),
    )
    return (
        f"{os.cpu_count()} cores of {model}, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, {versions}; commit {commit}; "
        f"load {results.load_before:.1f} at the start, {load():.1f} at the end. "
        "Rounds alternate, so compare within a table and by ratio; each figure is the median of its rounds."
    )


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []


def write(results: Results) -> None:
    """Write the whole to `benchmarks/results`, and the first table into the README between its markers."""
    from benchmarks import plots  # noqa: PLC0415 - slow to import

    folder = HERE / "results"
    folder.mkdir(exist_ok=True)
    (folder / "README.md").write_text(
        f"# What was measured\n\n{table(results)}\n" + plots.draw(results, folder)
    )
    text = README.read_text()
    if BEGIN in text and END in text:
        head, _, rest = text.partition(BEGIN)
        _, _, tail = rest.partition(END)
        short = f"{_throughput(results, 'stub')}\n\n{_machine(results)}"
        README.write_text(f"{head}{BEGIN}\n\n{short}\n\n{END}{tail}")
