"""`python -m benchmarks`: run rounds and write the results."""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from benchmarks import field, instructions, measures, profile, report
from benchmarks.contestant import Contestant
from benchmarks.outcome import Results
from benchmarks.round import RoundServers
from benchmarks.server import ServerName, install_fauxqs, running
from redis import Redis
from streamapp.cli.demo.servers import redis_server

MEASURES = ("throughput", "fauxqs", "latency", "idle", "variants", "growth")
QUICK = ("throughput", "fauxqs", "latency", "idle")
QUICK_SECONDS = 90.0
"""Seconds of a quick run in which another turn of all rounds may begin; the rest of the run takes about 60."""


def main() -> None:
    """Run what the command line asks for."""
    asked = arguments()
    chosen = choose(asked)
    with ExitStack() as stack:
        url = stack.enter_context(redis_server())
        redis = Redis.from_url(url, decode_responses=True)
        logs = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="streamapp-bench-")))

        def bench(name: ServerName) -> RoundServers:
            return RoundServers(stack.enter_context(running(name)), redis, url, logs)

        stub = bench("stub")
        if asked.instructions:
            instructions.count(stub, chosen, asked.messages)
            return
        if asked.profile:
            profile.record(stub, chosen, asked.messages, Path(asked.profile))
            return
        results = Results()
        able = _able(chosen, results)
        measure(stub, bench, able, results, asked)
        sys.stdout.write(report.table(results))
        if asked.write:
            report.write(results)
        if results.failures:
            raise SystemExit(1)


def measure(
    stub: RoundServers,
    bench: "measures.Opener",
    able: Sequence[Contestant],
    results: "Results",
    asked: argparse.Namespace,
) -> None:
    """Take the measures that the command line asks for."""
    quick, rounds, unit = asked.quick, asked.rounds, asked.messages
    steady = [it for it in able if it.work == "application" and it.name in {"streamapp", "naive"}]
    if "throughput" in asked.measure:
        within = QUICK_SECONDS if quick else float("inf")
        measures.throughput(stub, able, results, rounds=rounds, unit=unit, within=within)
    if "fauxqs" in asked.measure:
        missing = install_fauxqs()
        if missing is None:
            fauxqs = bench("fauxqs")
            some = [it for it in able if it.name in {"streamapp", "naive", "floor"}]
            some = steady if quick else some
            measures.throughput(fauxqs, some, results, rounds=1 if quick else 3, unit=unit // 2)
        else:
            results.missing["fauxqs"] = missing
    if "latency" in asked.measure:
        rates = (100,) if quick else (10, 100, 1000)
        measures.latency(stub, steady, results, rates=rates)
    if "idle" in asked.measure:
        measures.idle(stub, steady, results, seconds=10.5)
    if "variants" in asked.measure:
        measures.variants(stub, field.variants(stub.server.tls), results, rounds=rounds, unit=unit)
    if "growth" in asked.measure:
        measures.growth(stub, field.STREAMAPP["application"], results, unit=unit)


def choose(asked: argparse.Namespace) -> list[Contestant]:
    """Return the contestants that the command line asks for."""
    everyone = field.QUICK if asked.quick and asked.only is None else field.EVERYONE
    names = {it.name for it in everyone}
    if unknown := set(asked.only or ()) - names:
        raise SystemExit(f"--only: nobody is called {', '.join(unknown)}, but {', '.join(sorted(names))}")
    return [
        it
        for it in everyone
        if (asked.only is None or it.name in asked.only) and (asked.work is None or it.work in asked.work)
    ]


def _able(chosen: Sequence[Contestant], results: "Results") -> list[Contestant]:
    """Return the contestants that can run, and record why the others cannot."""
    able: list[Contestant] = []
    for contestant in chosen:
        if contestant.missing is None:
            able.append(contestant)
        else:
            results.missing[contestant.name] = contestant.missing
    return able


def arguments() -> argparse.Namespace:
    """Read the command line."""

    def words(text: str) -> list[str]:
        return text.split(",")

    parser = argparse.ArgumentParser(prog="just bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the core only, in less than 3 minutes")
    parser.add_argument("--only", type=words, help="names, separated by commas: these alone")
    parser.add_argument("--work", type=words, help=f"some of {','.join(field.WORKS)}: these alone")
    parser.add_argument("--measure", type=words, help=f"some of {','.join(MEASURES)}: these alone")
    parser.add_argument("--rounds", type=int, help="rounds of each contestant, at most; 3")
    parser.add_argument(
        "--messages", type=int, help="messages of the slowest contestant's round (150 with --quick, else 400)"
    )
    parser.add_argument("--profile", metavar="FOLDER", help="record where the time of each goes instead")
    parser.add_argument(
        "--instructions",
        action="store_true",
        help=f"count the instructions of {', '.join(instructions.COUNTABLE)} instead, with valgrind",
    )
    parser.add_argument("--write", action="store_true", help="write results/ and the README's tables")
    asked = parser.parse_args()
    asked.messages = asked.messages or (150 if asked.quick else 400)
    asked.rounds = asked.rounds or 3
    if asked.measure is None:
        asked.measure = QUICK if asked.quick else ("throughput",) if asked.only else MEASURES
    if unknown := set(asked.measure) - set(MEASURES):
        parser.error(f"--measure: there is no {', '.join(unknown)}, but {', '.join(MEASURES)}")
    return asked


if __name__ == "__main__":
    main()
