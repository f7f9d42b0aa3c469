"""The results as pictures."""

from pathlib import Path

from matplotlib.figure import Figure

from benchmarks.report import Results, median


def draw(results: "Results", folder: Path) -> str:
    """Write SVG files into *folder*; answer the Markdown that shows them."""
    shown: list[str] = []
    for server in dict.fromkeys(server for server, _ in results.rounds):
        costs = {
            name: median(them, "cpu") * 1e6 for (on, name), them in results.rounds.items() if on == server
        }
        names = sorted(costs, key=costs.__getitem__, reverse=True)
        figure = Figure(figsize=(8, 0.4 * len(names) + 1.2), layout="constrained")
        axes = figure.subplots()
        bars = axes.barh(names, [costs[name] for name in names])
        axes.bar_label(bars, fmt="%.0f", padding=3)
        axes.set_xscale("log")
        axes.margins(x=0.15)
        axes.set_xlabel(f"CPU us a message on {server}, logarithmic")
        shown.append(_save(figure, folder, f"cpu-{server}"))
    for what, costs_by in results.growth.items():
        figure = Figure(figsize=(6, 3), layout="constrained")
        axes = figure.subplots()
        axes.plot([max(much, 1) for much in costs_by], [cost * 1e6 for cost in costs_by.values()], marker="o")
        axes.set_xscale("log")
        axes.set_ylim(bottom=0)
        axes.set_xlabel(what)
        axes.set_ylabel("CPU us a message")
        shown.append(_save(figure, folder, "growth-" + what.replace(" ", "-")))
    return "\n".join(shown) + "\n"


def _save(figure: Figure, folder: Path, name: str) -> str:
    figure.savefig(folder / f"{name}.svg", metadata={"Date": None})
    return f"![{name}]({name}.svg)"
