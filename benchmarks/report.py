"""The results as tables, as files, and in the documents."""

import os
import platform
import subprocess
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

from benchmarks.contestant import Work
from benchmarks.field import EVERYONE, WORKS
from benchmarks.outcome import Results, RoundOutcome, median
from benchmarks.process import load

HERE = Path(__file__).parent
PAGE, README = HERE / "README.md", HERE.parent / "README.md"
BEGIN, END = "<!-- bench: written by `just bench --write` -->", "<!-- bench: end -->"


def table(results: Results) -> str:
    """Return all results as Markdown."""
    parts = [_machine(results), *costs(results), *further(results)]
    parts += [f"Not measured: {name}: {why}." for name, why in results.missing.items()]
    parts += [f"Failed: {failure}." for failure in dict.fromkeys(results.failures)]
    return "\n\n".join(parts) + "\n"


def costs(results: Results) -> list[str]:
    """Return a table of the cost of a message for each server and each work."""
    kinds = dict.fromkeys((server, work) for server, work, _ in results.rounds)
    return [
        f"**On {server}, {WORKS[work]}**\n\n{_throughput(results, server, work)}" for server, work in kinds
    ]


def further(results: Results) -> list[str]:
    """Return the tables of the other measures."""
    parts: list[str] = []
    if results.latency:
        lines = ["| from send to announcement | messages a second | p50 ms | p99 ms |", "|---|---|---|---|"]
        for (name, rate), cuts in results.latency.items():
            shown = "does not keep up | |" if cuts is None else f"{cuts[0] * 1e3:.1f} | {cuts[1] * 1e3:.1f} |"
            lines.append(f"| {name} | {rate:,} | {shown}")
        parts.append("\n".join(lines))
    if results.idle:
        lines = ["| idle on three queues | share of a core | SQS requests a minute |", "|---|---|---|"]
        lines += [f"| {name} | {share:.2%} | {polls:.0f} |" for name, (share, polls) in results.idle.items()]
        parts.append("\n".join(lines))
    if usual := results.variants.get("as it is"):
        lines = [
            "| streamapp | CPU µs a message | to it as it is | a second | RSS MiB |",
            "|---|---|---|---|---|",
        ]
        lines += [
            f"| {name} | {median(them, 'cpu') * 1e6:.0f} | {median(them, 'cpu') / median(usual, 'cpu'):.2f} x "
            f"| {1 / median(them, 'wall'):,.0f} | {median(them, 'memory'):.0f} |"
            for name, them in results.variants.items()
        ]
        parts.append("\n".join(lines))
    for what, by in results.growth.items():
        lines = [f"| {what} | streamapp's CPU µs a message |", "|---|---|"]
        lines += [f"| {much:,} | {cost * 1e6:.0f} |" for much, cost in by.items()]
        parts.append("\n".join(lines))
    return parts


def _throughput(results: Results, server: str, work: Work) -> str:
    does = {(it.work, it.name): it.does for it in EVERYONE}
    them_by = {name: them for (on, at, name), them in results.rounds.items() if (on, at) == (server, work)}
    naive, floor = them_by.get("naive"), them_by.get("floor")
    lines = [
        "| | CPU µs a message (least - most) | of naive | to floor | a second | SQS requests a message | RSS MiB |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, them in them_by.items():
        cost, every = median(them, "cpu"), [outcome.cpu * 1e6 for outcome in them]
        of_naive = f"1/{median(naive, 'cpu') / cost:.1f}" if naive else ""
        to_floor = f"{cost / median(floor, 'cpu'):.1f} x" if floor else ""
        lines.append(
            f"| **{name}**, {does[work, name]} | {cost * 1e6:.0f} ({min(every):.0f} - {max(every):.0f}) "
            f"| {of_naive} | {to_floor} | {1 / median(them, 'wall'):,.0f} | {_requests(them)} | {median(them, 'memory'):.0f} |"
        )
    return "\n".join(lines)


def _requests(them: Sequence[RoundOutcome]) -> str:
    kinds = {"ReceiveMessage": "receive", "SendMessage": "send", "DeleteMessage": "delete"}
    requests: dict[str, float] = {}
    for kind, number in them[len(them) // 2].requests.items():
        word = kinds.get(kind.removesuffix("Batch"), "other")
        requests[word] = requests.get(word, 0.0) + number
    shown = ", ".join(f"{word} {number:.2f}" for word, number in requests.items() if number >= 0.005)
    return f"{median(them, 'all_requests'):.2f} ({shown})"


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


def summary(results: Results) -> str:
    """Return what an order's message costs in one line; nothing where it was not measured."""
    them, naive = (results.rounds.get(("stub", "application", name)) for name in ("streamapp", "naive"))
    if not them or not naive:
        return ""
    cost = median(them, "cpu")
    return (
        f"An order's message costs {cost * 1e6:.0f} µs of CPU with all guarantees, "
        f"1/{median(naive, 'cpu') / cost:.0f} of the usual loop on aioboto3."
    )


def write(results: Results) -> None:
    """Write all to `benchmarks/results`, what was measured on the stub into PAGE, and its summary into README."""
    from benchmarks import plots  # noqa: PLC0415 - slow to import

    folder = HERE / "results"
    folder.mkdir(exist_ok=True)
    names = plots.draw(results, folder)
    (folder / "README.md").write_text(
        f"# What was measured\n\n{table(results)}\n"
        + "\n".join(f"![{name}]({name}.svg)" for name in names)
        + "\n"
    )
    shown = [part for part in costs(results) if part.startswith("**On stub")] + further(results)
    pictures = [f"![{name}](results/{name}.svg)" for name in names if "fauxqs" not in name]
    _renew(PAGE, "\n\n".join([*shown, *pictures, _machine(results)]))
    _renew(README, summary(results))


def _renew(page: Path, middle: str) -> None:
    """Put *middle* between the markers of *page*; without a middle it stays as it is."""
    head, begin, rest = page.read_text().partition(BEGIN)
    _, end, tail = rest.partition(END)
    if begin and end and middle:
        page.write_text(f"{head}{BEGIN}\n\n{middle}\n\n{END}{tail}")
