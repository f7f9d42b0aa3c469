"""Valkeys that tests may disturb, and a client that bypasses the store."""

from collections.abc import Iterator

import pytest

from rigs import behind
from streamapp.cli.demo.servers import redis_server


@pytest.fixture
async def redis(redis_url: str):
    """A Redis client of the test's own, which bypasses the store."""
    client = behind.client(redis_url, decode_responses=True)
    yield client
    await client.aclose()


@pytest.fixture(scope="module")
def own_redis_url() -> Iterator[str]:
    """A Valkey that tests may disturb."""
    with redis_server("--enable-debug-command", "yes") as url:
        yield url


@pytest.fixture(scope="module")
def slotted_redis_url() -> Iterator[str]:
    """A Valkey that is a cluster of one: it serves all slots, but no call with keys of two slots."""
    with redis_server("--cluster-enabled", "yes") as url:
        yield url
