"""Run simulated worlds and report what broke: `just simulate`; `just simulate --seed N` runs one of them again."""

# ruff: noqa: T201 - a command prints

import argparse
import gc
import logging
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from time import monotonic

from simulation.world import WorldOutcome, simulate

PROGRESS = 100
"""Seeds between two lines of progress."""

parser = argparse.ArgumentParser(prog="just simulate", description=__doc__)
parser.add_argument("--seed", type=int, help="live this one world, twice, and print all that is known of it")
parser.add_argument("--first", type=int, default=0, help="the first of many seeds (default: 0)")
parser.add_argument("--seeds", type=int, default=1_000, help="how many (default: 1000)")
parser.add_argument("--events", type=int, default=200, help="events in each world (default: 200)")


def one(seed: int, events: int) -> bool:
    """Run one world twice; return whether all checks held."""
    first, second = simulate(seed, events), simulate(seed, events)
    print(first.luck)
    print(f"trace {first.trace}, again {second.trace}")
    print(summary([first]))
    return first.trace == second.trace and report(first)


def many(first: int, seeds: int, events: int) -> bool:
    """Run many worlds, one per core at a time; return whether all checks held in all of them."""
    began, verdicts = monotonic(), list[WorldOutcome]()
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
    """Prepare a process that runs many worlds."""
    # A world full of faults logs a lot.
    logging.disable(logging.CRITICAL)
    # Each world makes half a million objects that all end with it: collecting garbage is an eighth of the work.
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)


def report(verdict: WorldOutcome) -> bool:
    """Print the violations; return whether there were none."""
    for violation in verdict.violations:
        print(f"seed {verdict.seed}: {violation}", flush=True)
    if verdict.violations:
        print(f"again: just simulate --seed {verdict.seed} --events {verdict.luck.events}")
    return not verdict.violations


def summary(verdicts: list[WorldOutcome]) -> str:
    """Return the totals of all worlds, as text."""
    sums = Counter[str]()
    for verdict in verdicts:
        for name in ("crashes", "deliveries", "announcements", "repeated"):
            sums[name] += getattr(verdict, name)
        sums["failovers"] += verdict.luck.failovers
        sums.update(verdict.counts)
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
