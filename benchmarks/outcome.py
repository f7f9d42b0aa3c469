"""The figures of rounds, and of a whole run."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks.contestant import Work
from benchmarks.process import load


@dataclass(frozen=True, slots=True)
class RoundOutcome:
    """The figures of one round. *cpu* and *wall* are seconds per message, *requests* are SQS requests per message by kind."""

    messages: int
    cpu: float
    wall: float
    memory: float
    requests: Mapping[str, float] = field(default_factory=dict[str, float])
    again: int = 0

    @property
    def all_requests(self) -> float:
        """SQS requests per message."""
        return sum(self.requests.values())


@dataclass(slots=True)
class Results:
    """The figures of a whole run: rounds by server, work and name. Latencies are (p50, p99) in seconds, None where the rate was too high."""

    rounds: dict[tuple[str, Work, str], list[RoundOutcome]] = field(
        default_factory=dict[tuple[str, Work, str], list[RoundOutcome]]
    )
    latency: dict[tuple[str, int], tuple[float, float] | None] = field(
        default_factory=dict[tuple[str, int], "tuple[float, float] | None"]
    )
    idle: dict[str, tuple[float, float]] = field(default_factory=dict[str, tuple[float, float]])
    variants: dict[str, list[RoundOutcome]] = field(default_factory=dict[str, list[RoundOutcome]])
    growth: dict[str, dict[int, float]] = field(default_factory=dict[str, dict[int, float]])
    missing: dict[str, str] = field(default_factory=dict[str, str])
    failures: list[str] = field(default_factory=list[str])
    load_before: float = field(default_factory=load)


def median(outcomes: Sequence[RoundOutcome], what: str) -> float:
    """Return the median of one figure of the rounds."""
    return statistics.median(float(getattr(outcome, what)) for outcome in outcomes)
