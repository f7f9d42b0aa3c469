"""One suite of SQS's rules, for ours in memory, ours over HTTP, and moto's server."""

from contextlib import AbstractAsyncContextManager

import pytest
import sqs_rules_queues
import sqs_rules_receiving
import sqs_rules_sending
from sqs_bench import Bench, client_bench, http_bench, memory_bench
from sqs_differences import DIFFERENCES
from sqs_rules import RULES, Rule

assert all((sqs_rules_sending, sqs_rules_receiving, sqs_rules_queues)), "importing them declares the rules"

# aiohttp says so of bodies of 1 MiB, which are what two of the rules are about.
pytestmark = pytest.mark.filterwarnings("ignore:Sending a large body directly:ResourceWarning")

QUICK = [rule for rule in RULES if not rule.patient]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
async def test_the_rules_hold_in_memory(rule: Rule) -> None:
    """The engine's tests stand on them."""
    assert await seen(rule, memory_bench()) == rule.expected


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
async def test_the_rules_hold_over_http(rule: Rule) -> None:
    """A plain client must not see a difference."""
    assert await seen(rule, http_bench()) == rule.expected


@pytest.mark.parametrize("rule", QUICK, ids=lambda rule: rule.name)
async def test_moto_differs_only_where_we_know(rule: Rule, moto_endpoint: str, prefix: str) -> None:
    """A demo on moto must not teach us what SQS does not do."""
    known = DIFFERENCES.get(rule.name, {}).get("moto", rule.expected)

    assert await seen(rule, client_bench(moto_endpoint, prefix)) == known


def test_a_known_difference_is_one_and_has_a_rule() -> None:
    """The table must not outlive what it tells."""
    expected = {rule.name: rule.expected for rule in QUICK}

    for name, servers in DIFFERENCES.items():
        assert all(instead != expected[name] for instead in servers.values())


async def seen(rule: Rule, opening: AbstractAsyncContextManager[Bench]) -> object:
    """Answer what a rule sees; a refusal where none was expected is seen too."""
    async with opening as bench:
        return await rule.claim(bench)
