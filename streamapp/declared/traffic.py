"""Made-up traffic and example events, for `seed`, `demo` and `send`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo


@dataclass(frozen=True, slots=True)
class ScenarioMessage:
    """A message to send. *repeats* an earlier one; *must_die*: it can never be processed."""

    queue: str
    body: str
    repeats: bool = False
    must_die: bool = False


@dataclass(frozen=True, slots=True)
class Scenario:
    """Messages in the order in which they are sent, and what they must leave.

    *expected* is by table, key and field of its hash; a field that is None must be absent. *subjects* is how many
    things the traffic is about, in the app's own *word* for them; *moved* is how many messages are out of order.
    """

    messages: Sequence[ScenarioMessage]
    expected: Mapping[str, Mapping[str, Mapping[str, str | None]]]
    subjects: int
    word: str
    moved: int

    @property
    def repeated(self) -> int:
        """How many messages repeat another."""
        return sum(message.repeats for message in self.messages)

    @property
    def invalid(self) -> int:
        """How many messages must be dead-lettered."""
        return sum(message.must_die for message in self.messages)


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """What traffic to make up; *duplicates*, *reorder* and *invalid* are fractions of its messages.

    *begins* is the time of the first event, aware. *zone* is the zone that the workers give to times without one.
    """

    subjects: int
    seed: int
    duplicates: float = 0.0
    reorder: float = 0.0
    invalid: float = 0.0
    begins: datetime = datetime(2025, 7, 28, 14, tzinfo=UTC)
    zone: tzinfo = UTC


@dataclass(frozen=True, slots=True)
class Example:
    """An event to try: *make* returns the body that a producer would send to *queue* at a given time."""

    queue: str
    kind: str
    make: Callable[[datetime], Mapping[str, object]]
