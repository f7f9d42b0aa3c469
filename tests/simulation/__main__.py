"""Live simulated worlds and say what broke: `just simulate`, or one of them again: `just simulate --seed N`."""

# ruff: noqa: T201 - it is a command

import argparse
import logging
import sys
from collections import Counter
from time import process_time

from simulation.world import Verdict, simulate

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
    """Live many worlds; answer whether all held in all of them."""
    began, verdicts = process_time(), list[Verdict]()
    for seed in range(first, first + seeds):
        verdicts.append(simulate(seed, events))
        report(verdicts[-1])
    print(f"{seeds} seeds x {events} events in {process_time() - began:.0f} s of one core")
    print(summary(verdicts))
    return not any(verdict.violations for verdict in verdicts)


def report(verdict: Verdict) -> bool:
    """Print what did not hold; answer whether all did."""
    for violation in verdict.violations:
        print(f"seed {verdict.seed}: {violation}")
    if verdict.violations:
        print(f"again: just simulate --seed {verdict.seed} --events {verdict.luck.events}")
    return not verdict.violations


def summary(verdicts: list[Verdict]) -> str:
    """Answer what the worlds went through."""
    sums = Counter[str]()
    for verdict in verdicts:
        for name in ("crashes", "deliveries", "announcements", "repeated"):
            sums[name] += getattr(verdict, name)
        sums["failovers"] += verdict.luck.failovers
        sums["violations"] += len(verdict.violations)
    return ", ".join(f"{name} {number}" for name, number in sums.items())


if __name__ == "__main__":
    options = parser.parse_args()
    # A world that goes wrong is a noisy one.
    logging.disable(logging.CRITICAL)
    is_good = (
        many(options.first, options.seeds, options.events)
        if options.seed is None
        else one(options.seed, options.events)
    )
    sys.exit(not is_good)
