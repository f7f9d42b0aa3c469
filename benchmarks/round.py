"""One round: a contestant starts, the messages are sent, then it works while it is measured, and its work is checked."""

import json
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.contestant import OTHER_QUEUES, QUEUE, SINK, Contestant
from benchmarks.outcome import RoundOutcome
from benchmarks.process import busy, cpu, memory
from benchmarks.server import Server
from benchmarks.work import PRODUCTS, Piece
from redis import Redis

READY_WITHIN = 60.0
"""Seconds in which a contestant must begin to receive; imports take that long on a busy machine."""

CALM = 0.05
"""A contestant is idle when it ran or waited for a core for less than these seconds in a quarter second."""

MOSTLY_CALM = 0.2
"""The same for a contestant under a profiler, which is slow and never quite idle."""

DONE_WITHIN = 60.0
"""Seconds in which the work must be done, plus a hundredth for each message."""

END_WITHIN = 20.0
ROOT = Path(__file__).parent.parent


class RoundFailed(Exception):
    """A contestant did not do its work, or did it wrong."""


@dataclass(frozen=True, slots=True)
class RoundServers:
    """A server and a Redis for rounds."""

    server: Server
    redis: Redis
    redis_url: str
    logs: Path


@contextmanager
def ready(
    bench: RoundServers, contestant: Contestant, prefix: str
) -> Generator[list[subprocess.Popen[bytes]]]:
    """Run a contestant, with its receives held, while the context is open."""
    bench.server.ledger("reset")
    bench.server.ledger("hold")
    for queue in (QUEUE, *OTHER_QUEUES):
        bench.server.create(queue)
    bench.server.call("CreateQueue", QueueName=SINK)
    environ = contestant.environment(bench.server.endpoint, bench.redis_url, prefix)
    folder = contestant.folder or ROOT
    log_path = bench.logs / f"{contestant.name}-{contestant.work}.log"
    with log_path.open("wb") as log:
        processes = [
            subprocess.Popen(contestant.command, cwd=folder, env=environ, stdout=log, stderr=log)
            for _ in range(contestant.processes)
        ]
        try:
            _come_to_rest(bench.server, contestant, processes, log_path)
            yield processes
        finally:
            for process in processes:
                process.send_signal(signal.SIGTERM)
            try:
                bench.server.ledger("end")
            finally:
                for process in processes:
                    _end(process, END_WITHIN * contestant.slower)


def _end(process: subprocess.Popen[bytes], within: float) -> None:
    try:
        process.wait(within)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _come_to_rest(
    server: Server, contestant: Contestant, processes: Sequence[subprocess.Popen[bytes]], log: Path
) -> None:
    deadline = time.monotonic() + READY_WITHIN * contestant.slower
    calm = min(CALM * contestant.slower, MOSTLY_CALM) * contestant.processes
    before = -1.0
    while True:
        if any(process.poll() is not None for process in processes):
            raise RoundFailed(f"{contestant.name} ended at its start: {_last_words(log)}")
        if time.monotonic() > deadline:
            raise RoundFailed(f"{contestant.name} does not receive: {_last_words(log)}")
        now = sum(busy(process.pid) for process in processes)
        polls = server.ledger("all")["counts"].get("ReceiveMessage", 0)
        if polls >= contestant.processes and before >= 0 and now - before < calm:
            return
        before = now
        time.sleep(0.25)


def used(processes: Sequence[subprocess.Popen[bytes]]) -> float:
    """Return the CPU seconds that these processes and their children have used."""
    return sum(cpu(process.pid) for process in processes)


def run(
    bench: RoundServers,
    contestant: Contestant,
    pieces: Sequence[Piece],
    prefix: str,
    *,
    before: Callable[[Sequence[subprocess.Popen[bytes]]], object] = bool,
    after: Callable[[], object] = bool,
) -> RoundOutcome:
    """Run *contestant* on *pieces*, and return the figures. Raises `RoundFailed`.

    *before* is called with its processes when it is about to begin, *after* when it is done.
    """
    prepare(bench.redis, contestant, pieces, prefix)
    environ = contestant.environment(bench.server.endpoint, bench.redis_url, prefix)
    entries = contestant.entries([piece.body for piece in pieces], environ)
    with ready(bench, contestant, prefix) as processes:
        bench.server.send(QUEUE, entries)
        before(processes)
        at_first = used(processes)
        bench.server.ledger("release")
        _wait_for(bench.server, contestant, len(pieces))
        took = used(processes) - at_first
        after()
        resident = sum(memory(process.pid) for process in processes)
        ledger = bench.server.ledger("all")
    again = check(bench, contestant, pieces, prefix, bench.server.ledger("all"))
    wall = max(_last(ledger, QUEUE), _last(ledger, SINK)) - ledger["released_at"]
    count = len(pieces)
    requests = {kind: number / count for kind, number in ledger["counts"].items()}
    return RoundOutcome(count, took / count, wall / count, resident, requests, again)


def prepare(redis: Redis, contestant: Contestant, pieces: Sequence[Piece], prefix: str) -> None:
    """Store the states that the orders of *pieces* and the catalogue must have before the round."""
    if contestant.work != "application":
        return
    pipe = redis.pipeline(transaction=False)
    for number, product in PRODUCTS.items():
        pipe.hset(f"{prefix}produto:{number}", mapping=dict[Any, Any](product))
    for piece in pieces:
        if piece.before:
            pipe.hset(contestant.key(prefix, piece.order), mapping=dict[Any, Any](piece.before))
    pipe.execute()


def _wait_for(server: Server, contestant: Contestant, count: int) -> None:
    deadline = time.monotonic() + (DONE_WITHIN + count / 100) * contestant.slower
    announced = 0 if contestant.work == "empty" else count
    while True:
        progress = server.ledger("progress")
        done, sent = progress.get(QUEUE, [0, 0])[0], progress.get(SINK, [0, 0])[1]
        if done >= count and sent >= announced:
            return
        if time.monotonic() > deadline:
            raise RoundFailed(f"{contestant.name}: {done} deleted and {sent} announced of {count}")
        time.sleep(0.02)


def check(
    bench: RoundServers,
    contestant: Contestant,
    pieces: Sequence[Piece],
    prefix: str,
    ledger: Mapping[str, Any],
) -> int:
    """Raise `RoundFailed` unless all messages are deleted, every state is right and every announcement was sent.

    Return how many announcements were sent more than once, which SQS allows.
    """
    name = contestant.name
    if ledger["problems"]:
        raise RoundFailed(f"{name}: {ledger['problems'][0]} ({len(ledger['problems'])} such)")
    if left := bench.server.left(QUEUE):
        raise RoundFailed(f"{name}: {left} messages are not deleted")
    if contestant.work == "empty":
        return 0
    announced: Counter[tuple[str, str]] = Counter()
    for _, body in ledger["queues"].get(SINK, {"sent": []})["sent"]:
        data = json.loads(body)["data"]
        announced[data["id_pedido"], data["status"]] += 1
    pipe = bench.redis.pipeline(transaction=False)
    for piece in pieces:
        pipe.hgetall(contestant.key(prefix, piece.order))
    for piece, stored in zip(pieces, pipe.execute(), strict=True):
        _check_one(contestant, piece, stored, announced)
    return announced.total() - len(announced)


def _check_one(
    contestant: Contestant, piece: Piece, stored: Mapping[str, str], announced: Mapping[tuple[str, str], int]
) -> None:
    expected: Mapping[str, str] = {"status": piece.status}
    if contestant.work == "application":
        # Bookkeeping fields may depend on the time of sending; the other fields show the result.
        expected = {name: text for name, text in piece.state.items() if not name.startswith("_")}
        if owed := [field for field in stored if field.startswith(("_o:", "_x:"))]:
            raise RoundFailed(f"{contestant.name}: order {piece.order} still owes {owed[0]}")
    for field_name, text in expected.items():
        if stored.get(field_name) != text:
            raise RoundFailed(
                f"{contestant.name}: order {piece.order} has {field_name} {stored.get(field_name)!r}, not {text!r}"
            )
    if not announced[piece.order, expected["status"]]:
        raise RoundFailed(f"{contestant.name}: order {piece.order} is not announced")


def _last(ledger: Mapping[str, Any], queue: str) -> float:
    """Return when the last expected thing happened in a queue."""
    there = ledger["queues"].get(queue)
    if there is None:
        return 0.0
    return float(there["deleted_at"] if queue == QUEUE else max((at for at, _ in there["sent"]), default=0.0))


def _last_words(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"
