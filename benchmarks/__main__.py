"""`python -m benchmarks`: run rounds and write the results."""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from redis import Redis

from benchmarks import field, measures, profile, report
from benchmarks.contestant import Contestant
from benchmarks.round import Bench
from benchmarks.server import ServerName, install_fauxqs, running
from streamapp.cli.embedded import redis_server


def main() -> None:
    """Run what was asked for."""
    asked = arguments()
    chosen = [it for it in field.EVERYONE if asked.only is None or it.name in asked.only]
    if asked.only and len(chosen) < len(asked.only):
        known = ", ".join(it.name for it in field.EVERYONE)
        raise SystemExit(f"--only: who takes part is called {known}")
    if asked.quick and asked.only is None:
        chosen = list(field.CORE)
    with ExitStack() as stack:
        url = stack.enter_context(redis_server())
        redis = Redis.from_url(url, decode_responses=True)
        logs = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="streamapp-bench-")))

        def bench(name: ServerName) -> Bench:
            return Bench(stack.enter_context(running(name)), redis, url, logs)

        stub = bench("stub")
        if asked.profile:
            profile.record(stub, chosen, asked.messages * 10, Path(asked.profile))
            return
        results = report.Results()
        if asked.only is None:
            results.missing.update(field.ABSENT)
        able = _able(chosen, results)
        measures.throughput(stub, able, results, rounds=asked.rounds, unit=asked.messages)
        if asked.only is None:
            _further(stub, bench, able, results, quick=asked.quick, rounds=asked.rounds, unit=asked.messages)
        text = report.table(results)
        sys.stdout.write(text)
        if asked.write:
            report.write(results)
        if results.failures:
            raise SystemExit(1)


def _able(chosen: Sequence[Contestant], results: "report.Results") -> list[Contestant]:
    """Answer who can run, and note why the others cannot."""
    able: list[Contestant] = []
    for contestant in chosen:
        if contestant.missing is None:
            able.append(contestant)
        else:
            results.missing[contestant.name] = contestant.missing
    return able


def _further(
    stub: Bench,
    bench: "measures.Opener",
    able: Sequence[Contestant],
    results: "report.Results",
    *,
    quick: bool,
    rounds: int,
    unit: int,
) -> None:
    few = [it for it in able if it in {field.STREAMAPP, field.NAIVE, field.FLOOR}]
    missing = install_fauxqs()
    if missing is None:
        fauxqs = bench("fauxqs")
        measures.throughput(fauxqs, few if quick else able, results, rounds=min(rounds, 3), unit=unit)
    else:
        results.missing["fauxqs"] = missing
    measures.latency(stub, few[:2] if quick else few, results, rates=(100,) if quick else (10, 100, 1000))
    measures.idle(stub, few[:1] if quick else few, results, seconds=3.0 if quick else 10.0)
    if not quick:
        measures.processes(stub, field.STREAMAPP, results, rounds=rounds, unit=unit)
        measures.growth(stub, field.STREAMAPP, results, unit=unit)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="just bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the core only, in less than 3 minutes")
    parser.add_argument(
        "--only", type=lambda text: text.split(","), help="names, separated by commas: these alone"
    )
    parser.add_argument("--rounds", type=int, help="rounds of each contestant (3 with --quick, else 5)")
    parser.add_argument(
        "--messages", type=int, help="messages of the slowest contestant's round (200 with --quick, else 500)"
    )
    parser.add_argument(
        "--profile", metavar="FOLDER", help="record a flame graph of each with py-spy instead"
    )
    parser.add_argument(
        "--write", action="store_true", help="write benchmarks/results and the README's table"
    )
    asked = parser.parse_args()
    asked.messages = asked.messages or (200 if asked.quick else 500)
    asked.rounds = asked.rounds or (3 if asked.quick or asked.only else 5)
    return asked


if __name__ == "__main__":
    main()
