"""Live simulated worlds and say what broke: `just simulate`, or one of them again: `just simulate --seed N`."""

# ruff: noqa: T201 - it is a command

import argparse
import gc
import logging
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from time import monotonic

from simulation.world import Verdict, simulate

PROGRESS = 100
"""Seeds between two lines of progress."""

parser = argparse.ArgumentParser(prog="just simulate", description=__doc__)
parser.add_argument("--seed", type=int, help="live this one world, twice, and print all that is known of it")
parser.add_argument("--first", type=int, default=0, help="the first of many seeds (default: 0)")
parser.add_argument("--seeds", type=int, default=1_000, help="how many (default: 1000)")
parser.add_argument("--events", type=int, default=200, help="events in each world (default: 200)")


def one(seed: int, events: int) -> bool:
    """Live one world twice; answer whether all held."""
    first, second = simulate(seed, events), simulate(seed, events)
    print(first.luck)
    print(f"trace {first.trace}, again {second.trace}")
    print(summary([first]))
    return first.trace == second.trace and report(first)


def many(first: int, seeds: int, events: int) -> bool:
    """Live many worlds, one a core at a time; answer whether all held in all of them."""
    began, verdicts = monotonic(), list[Verdict]()
    with ProcessPoolExecutor(initializer=prepare) as cores:
        live = partial(simulate, events=events)
        for verdict in cores.map(live, range(first, first + seeds), chunksize=5):
            verdicts.append(verdict)
            report(verdict)
            if len(verdicts) % PROGRESS == 0:
                print(f"{len(verdicts)} of {seeds} seeds in {monotonic() - began:.0f} s", flush=True)
    print(f"{seeds} seeds x {events} events in {monotonic() - began:.0f} s")
    print(summary(verdicts))
    return not any(verdict.violations for verdict in verdicts)


def prepare() -> None:
    """Make ready to live many worlds."""
    # A world that goes wrong is a noisy one.
    logging.disable(logging.CRITICAL)
    # Each makes half a million things that all end with it: looking for cycles among them is an eighth of the work.
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)


def report(verdict: Verdict) -> bool:
    """Print what did not hold; answer whether all did."""
    for violation in verdict.violations:
        print(f"seed {verdict.seed}: {violation}", flush=True)
    if verdict.violations:
        print(f"again: just simulate --seed {verdict.seed} --events {verdict.luck.events}")
    return not verdict.violations


def summary(verdicts: list[Verdict]) -> str:
    """Return what the worlds went through."""
    sums = Counter[str]()
    for verdict in verdicts:
        for name in ("crashes", "deliveries", "announcements", "repeated"):
            sums[name] += getattr(verdict, name)
        sums["failovers"] += verdict.luck.failovers
        sums["violations"] += len(verdict.violations)
    return ", ".join(f"{name} {number}" for name, number in sums.items())


if __name__ == "__main__":
    options = parser.parse_args()
    prepare()
    is_good = (
        many(options.first, options.seeds, options.events)
        if options.seed is None
        else one(options.seed, options.events)
    )
    sys.exit(not is_good)
