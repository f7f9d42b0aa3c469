"""SQS's rules as claims: each returns what it saw, beside what SQS would show."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from testing.sqs.bench import Bench

Claim = Callable[[Bench], Awaitable[object]]


@dataclass(frozen=True)
class Rule:
    """One rule: *claim* must see *expected*. A *patient* one takes so long that it needs a virtual clock."""

    claim: Claim
    expected: object
    patient: bool

    @property
    def name(self) -> str:
        """The claim's name."""
        return self.claim.__name__


RULES: list[Rule] = []


def sees(expected: object, *, patient: bool = False) -> Callable[[Claim], Claim]:
    """Declare a rule."""

    def declare(claim: Claim) -> Claim:
        RULES.append(Rule(claim, expected, patient))
        return claim

    return declare
