"""The benchmark's own checks: a contestant that cheats is caught, and an honest one is measured."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.contestant import Contestant
from benchmarks.field import FLOOR, STREAMAPP
from benchmarks.round import RoundFailed, RoundServers, run
from benchmarks.server import running
from benchmarks.work import pieces
from redis import Redis

pytestmark = pytest.mark.timeout(240)  # a round itself waits up to a minute for each of its steps

WORK = pieces(40)


@pytest.fixture
def bench(redis_url: str, tmp_path: Path) -> Iterator[RoundServers]:
    """The stub and a Valkey, for rounds."""
    with running("stub") as server, Redis.from_url(redis_url, decode_responses=True) as redis:
        yield RoundServers(server, redis, redis_url, tmp_path)


def cheating(how: str) -> Contestant:
    """A contestant that leaves out one thing for every message of an order that has ended."""
    program = Path(__file__).parent / "cheating.py"
    return Contestant("cheating", "", [sys.executable, str(program)], settings={"BENCH_CHEAT": how})


@pytest.mark.parametrize(
    "contestant",
    [FLOOR["handler"], FLOOR["application"], STREAMAPP["application"]],
    ids=lambda it: f"{it.name}-{it.work}",
)
def test_an_honest_contestant_gets_its_figures(
    bench: RoundServers, contestant: Contestant, prefix: str
) -> None:
    """A check that no program passes would measure nothing."""
    outcome = run(bench, contestant, WORK, f"{prefix}:")

    assert outcome.messages == len(WORK)
    assert outcome.cpu > 0
    assert outcome.requests["ReceiveMessage"] > 0


@pytest.mark.parametrize(
    ("how", "complaint"),
    [
        ("state", "has status None"),
        ("send", "announced of 40"),
        ("delete", "deleted and 40 announced"),
        ("invent", "in nobody's hand"),
    ],
)
def test_a_contestant_that_drops_something_is_caught(
    bench: RoundServers, prefix: str, how: str, complaint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A contestant that leaves work out is faster, and must not win by it."""
    if how in {"send", "delete"}:  # which a round waits for in vain
        monkeypatch.setattr("benchmarks.round.DONE_WITHIN", 10.0)

    with pytest.raises(RoundFailed, match=complaint):
        run(bench, cheating(how), WORK, f"{prefix}:")


def test_a_contestant_that_ends_at_its_start_is_named_with_its_last_output(
    bench: RoundServers, prefix: str
) -> None:
    """Its end must not look like a slow machine."""
    broken = replace(FLOOR["handler"], command=[sys.executable, "-c", "raise SystemExit('no such thing')"])

    with pytest.raises(RoundFailed, match="no such thing"):
        run(bench, broken, WORK, f"{prefix}:")
