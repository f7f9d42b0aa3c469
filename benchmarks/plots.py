"""The results as plots."""

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.field import EVERYONE, WORKS
from benchmarks.outcome import Results, median


def draw(results: "Results", folder: Path) -> list[str]:
    """Write SVG files into *folder*; return their names."""
    for old in folder.glob("*.svg"):
        old.unlink()
    names: list[str] = []
    for server, work in dict.fromkeys((server, work) for server, work, _ in results.rounds):
        does = {it.name: it.does for it in EVERYONE if it.work == work}
        costs = {
            f"{name}: {does[name]}": median(them, "cpu") * 1e6
            for (on, at, name), them in results.rounds.items()
            if (on, at) == (server, work)
        }
        figure = Figure(figsize=(9, 0.35 * len(costs) + 1), layout="constrained")
        _bars(figure.subplots(), costs, f"CPU µs a message on {server}, {WORKS[work].partition(':')[0]}")
        names.append(_save(figure, folder, f"cpu-{work}-{server}"))
    if results.latency:
        figure = Figure(figsize=(6, 3), layout="constrained")
        _latencies(figure.subplots(), results)
        names.append(_save(figure, folder, "latency"))
    if results.growth:
        figure = Figure(figsize=(9, 3), layout="constrained")
        for axes, (what, by) in zip(
            figure.subplots(1, len(results.growth), squeeze=False)[0], results.growth.items(), strict=True
        ):
            axes.plot(range(len(by)), [cost * 1e6 for cost in by.values()], marker="o")
            axes.set_xticks(range(len(by)), [f"{much:,}" for much in by])
            axes.set_ylim(bottom=0)
            axes.set_xlabel(what)
            axes.set_ylabel("CPU µs a message")
        names.append(_save(figure, folder, "growth"))
    return names


def _bars(axes: Axes, costs: dict[str, float], label: str) -> None:
    order = sorted(costs, key=costs.__getitem__, reverse=True)
    bars = axes.barh(
        order,
        [costs[name] for name in order],
        color=["C1" if name.startswith("streamapp:") else "C0" for name in order],
    )
    axes.bar_label(bars, fmt="%.0f", padding=3)
    axes.margins(x=0.15)
    axes.set_xlabel(label)


def _latencies(axes: Axes, results: Results) -> None:
    for name in dict.fromkeys(name for name, _ in results.latency):
        cuts = {rate: both for (whose, rate), both in results.latency.items() if whose == name and both}
        for which, word, style in ((0, "p50", "-"), (1, "p99", "--")):
            points = [both[which] * 1e3 for both in cuts.values()]
            axes.plot(list(cuts), points, style, marker="o", label=f"{name} {word}")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("messages a second")
    axes.set_ylabel("ms from send to announcement")
    axes.legend()


def _save(figure: Figure, folder: Path, name: str) -> str:
    figure.savefig(folder / f"{name}.svg", metadata={"Date": None})
    return name
