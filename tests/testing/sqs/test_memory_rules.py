"""SQS's rules in memory, with no network, on both back ends."""

import pytest

from testing.sqs.all_rules import RULES
from testing.sqs.bench import memory_bench, seen
from testing.sqs.rules import Rule


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
async def test_the_rules_hold_in_memory(rule: Rule) -> None:
    """The engine's tests stand on them."""
    assert await seen(rule.claim, memory_bench()) == rule.expected
