"""One suite of SQS's rules, through a plain client: our server, and moto's but for a list."""

import pytest
from sqs_all_rules import RULES
from sqs_bench import client_bench, http_bench, seen
from sqs_differences import DIFFERENCES
from sqs_rules import Rule

# aiohttp says so of bodies of 1 MiB, which are what two of the rules are about.
pytestmark = pytest.mark.filterwarnings("ignore:Sending a large body directly:ResourceWarning")

QUICK = [rule for rule in RULES if not rule.patient]


@pytest.fixture
def anyio_backend() -> str:
    """The AWS client is asyncio-only."""
    return "asyncio"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
async def test_the_rules_hold_over_http(rule: Rule) -> None:
    """A plain client must not see a difference."""
    assert await seen(rule.claim, http_bench()) == rule.expected


@pytest.mark.parametrize("rule", QUICK, ids=lambda rule: rule.name)
async def test_moto_differs_only_where_we_know(rule: Rule, moto_endpoint: str, prefix: str) -> None:
    """A demo on moto must not teach us what SQS does not do."""
    known = DIFFERENCES.get(rule.name, {}).get("moto", rule.expected)

    assert await seen(rule.claim, client_bench(moto_endpoint, prefix)) == known


def test_a_known_difference_is_one_and_has_a_rule() -> None:
    """The table must not outlive what it tells."""
    expected = {rule.name: rule.expected for rule in QUICK}

    for name, servers in DIFFERENCES.items():
        assert all(instead != expected[name] for instead in servers.values())
