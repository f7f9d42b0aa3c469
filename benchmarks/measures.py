"""The measures: cost per message, latency, idling, two processes, and growth."""

import math
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import Any

from benchmarks.contestant import QUEUE, SINK, Contestant
from benchmarks.outcome import Results, RoundOutcome
from benchmarks.round import RoundFailed, RoundServers, prepare, ready, run, used
from benchmarks.server import ServerName
from benchmarks.work import Piece, pieces

Opener = Callable[[ServerName], RoundServers]
_numbers = count()


def throughput(
    bench: RoundServers,
    contestants: Sequence[Contestant],
    results: Results,
    *,
    rounds: int,
    unit: int,
    within: float = math.inf,
) -> None:
    """Run each contestant on a full queue, in turn, *rounds* times, or as often as fits *within* that many seconds."""
    begun = time.monotonic()
    for number in range(rounds):
        elapsed = time.monotonic() - begun
        if number and elapsed + elapsed / number > within:
            return
        for it in contestants:
            outcome = attempt(bench, it, pieces(unit * it.weight), results)
            if outcome is not None:
                results.rounds.setdefault((bench.server.name, it.work, it.name), []).append(outcome)
                cost, wall = outcome.cpu * 1e6, outcome.wall * 1e6
                _say(
                    f"{bench.server.name} {number + 1}/{rounds} {it.work} {it.name}: "
                    f"{cost:.0f} us CPU, {wall:.0f} us wall"
                )


def attempt(
    bench: RoundServers, contestant: Contestant, work: Sequence[Piece], results: Results
) -> RoundOutcome | None:
    """Run one round with its own keys; record a failure and return None."""
    prefix = f"r{next(_numbers)}:"
    try:
        return run(bench, contestant, work, prefix)
    except RoundFailed as failure:
        _say(f"{bench.server.name} FAILED {failure}")
        results.failures.append(f"{bench.server.name}: {failure}")
        return None
    finally:
        keys = list(bench.redis.scan_iter(match=f"{prefix}*", count=10_000))
        for start in range(0, len(keys), 1000):
            bench.redis.unlink(*keys[start : start + 1000])


def latency(
    bench: RoundServers, contestants: Sequence[Contestant], results: Results, *, rates: Sequence[int]
) -> None:
    """Send at a steady rate, and measure the seconds from each message to its announcement."""
    for rate in rates:
        for contestant in contestants:
            seconds = 10 if rate < 100 else 4
            delays = _delays(bench, contestant, rate, pieces(rate * seconds))
            if delays is None:
                results.latency[contestant.name, rate] = None
                _say(f"{contestant.name} does not keep up with {rate} a second")
                continue
            cuts = statistics.quantiles(delays, n=100)
            results.latency[contestant.name, rate] = cuts[49], cuts[98]
            _say(f"{contestant.name} at {rate}/s: p50 {cuts[49] * 1e3:.1f} ms, p99 {cuts[98] * 1e3:.1f} ms")


def _delays(
    bench: RoundServers, contestant: Contestant, rate: int, work: Sequence[Piece]
) -> list[float] | None:
    """Return the delays, None if something was not announced within a few seconds of the last message."""
    prefix = f"l{next(_numbers)}:"
    prepare(bench.redis, contestant, work, prefix)
    step = max(1, rate // 100)
    with ready(bench, contestant, prefix):
        bench.server.ledger("release")
        begin = time.monotonic()
        for start in range(0, len(work), step):
            time.sleep(max(0.0, begin + start / rate - time.monotonic()))
            bench.server.send(QUEUE, [{"MessageBody": piece.body} for piece in work[start : start + step]])
        deadline = time.monotonic() + 3
        while bench.server.ledger("progress").get(SINK, [0, 0])[1] < len(work):
            if time.monotonic() > deadline:
                return None
            time.sleep(0.05)
        ledger = bench.server.ledger("all")
    sent = {_order(body): at for at, body in ledger["queues"][QUEUE]["sent"]}
    first: dict[str, float] = {}
    for at, body in ledger["queues"][SINK]["sent"]:
        first.setdefault(_order(body), at)
    return [first[order] - at for order, at in sent.items() if order in first]


def _order(body: str) -> str:
    return body.split('"id_pedido":"', 1)[1].split('"', 1)[0]


def idle(bench: RoundServers, contestants: Sequence[Contestant], results: Results, *, seconds: float) -> None:
    """Run each contestant on three empty queues, and measure the share of a core and the requests a minute."""
    for contestant in contestants:
        with ready(bench, contestant, f"i{next(_numbers)}:") as processes:
            bench.server.ledger("release")
            before = used(processes)
            time.sleep(seconds)
            share = (used(processes) - before) / seconds
            counts: Mapping[str, Any] = bench.server.ledger("all")["counts"]
        results.idle[contestant.name] = share, sum(counts.values()) * 60 / seconds
        _say(f"{contestant.name} idle: {share:.2%} of a core")


def variants(
    bench: RoundServers, those: Mapping[str, Contestant], results: Results, *, rounds: int, unit: int
) -> None:
    """Run variants that differ in one thing each, in alternating rounds."""
    for _ in range(rounds):
        for name, contestant in those.items():
            outcome = attempt(bench, contestant, pieces(unit * contestant.weight), results)
            if outcome is not None:
                results.variants.setdefault(name, []).append(outcome)
                _say(f"{name}: {outcome.cpu * 1e6:.0f} us CPU, {outcome.wall * 1e6:.0f} us wall")


def growth(bench: RoundServers, contestant: Contestant, results: Results, *, unit: int) -> None:
    """Measure with a deeper queue, with more keys in Redis, and with larger messages."""
    for depth in (1_000, 5_000, 20_000):
        _grow(bench, contestant, results, "messages in the queue", depth, pieces(depth))
    work = pieces(unit * contestant.weight)
    stored = 0
    for keys in (0, 100_000, 300_000):
        pipe = bench.redis.pipeline(transaction=False)
        for number in range(stored, keys):
            pipe.hset(f"other:{number}", mapping=dict[Any, Any](work[1].before))
        pipe.execute()
        stored = keys
        _grow(bench, contestant, results, "other keys in Redis", keys, work)
    for start in range(0, stored, 1000):
        bench.redis.unlink(*(f"other:{number}" for number in range(start, start + 1000)))
    for size in (0, 1_024, 16_384, 200_000):
        _grow(
            bench,
            contestant,
            results,
            "bytes a message",
            size,
            pieces(min(len(work), 40_000_000 // max(size, 1)), size),
        )


def _grow(
    bench: RoundServers, contestant: Contestant, results: Results, what: str, much: int, work: Sequence[Piece]
) -> None:
    outcome = attempt(bench, contestant, work, results)
    if outcome is not None:
        results.growth.setdefault(what, {})[much] = outcome.cpu
        _say(f"{what} {much}: {outcome.cpu * 1e6:.0f} us")


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")
