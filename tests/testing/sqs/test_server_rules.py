"""One suite of SQS's rules, through a plain client: the server for tests passes it, and moto's except for a list."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from testing.sqs.all_rules import RULES
from testing.sqs.bench import client_bench, http_bench, seen
from testing.sqs.differences import DIFFERENCES
from testing.sqs.rules import Rule

# aiohttp warns of bodies of 1 MiB, which two of the rules need.
pytestmark = pytest.mark.filterwarnings("ignore:Sending a large body directly:ResourceWarning")

# LocalStack is a long form: it runs where LOCALSTACK_PYTHON names an interpreter of its own environment.
SERVERS = ["moto", *(["localstack"] if "LOCALSTACK_PYTHON" in os.environ else [])]

LATE = {"moto": 0.0, "localstack": 1.0}
"""Seconds by which a server may be late to show a message again."""

QUICK = [rule for rule in RULES if not rule.patient]


@pytest.fixture
def anyio_backend() -> str:
    """Asyncio, because the AWS client needs it."""
    return "asyncio"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
async def test_the_rules_hold_over_http(rule: Rule) -> None:
    """A plain client must not see a difference."""
    assert await seen(rule.claim, http_bench()) == rule.expected


@pytest.mark.parametrize("rule", QUICK, ids=lambda rule: rule.name)
@pytest.mark.parametrize("server", SERVERS)
async def test_other_servers_differ_only_where_we_know(
    rule: Rule, server: str, request: pytest.FixtureRequest, prefix: str
) -> None:
    """A demo on moto must not teach what SQS does not do."""
    known = DIFFERENCES.get(rule.name, {}).get(server, rule.expected)
    endpoint = request.getfixturevalue(f"{server}_endpoint")

    assert await seen(rule.claim, client_bench(endpoint, prefix, late=LATE[server])) == known


def test_a_known_difference_is_one_and_has_a_rule() -> None:
    """The table must not outlive the differences."""
    expected = {rule.name: rule.expected for rule in QUICK}

    for name, servers in DIFFERENCES.items():
        assert all(instead != expected[name] for instead in servers.values())


@pytest.fixture(scope="session")
def localstack_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """LocalStack's SQS for this run of the tests."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    start = Path(__file__).parents[3] / "local" / "localstack" / "start.py"
    folder = tmp_path_factory.mktemp("localstack")
    command = [os.environ["LOCALSTACK_PYTHON"], str(start), str(port), str(folder)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as server:
        wait_for(port, within=50)
        yield f"http://127.0.0.1:{port}"
        server.terminate()


def wait_for(port: int, *, within: float) -> None:
    """Return when something listens on *port*."""
    end = time.monotonic() + within
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert time.monotonic() < end  # clock: patience
            time.sleep(0.2)
        else:
            return
