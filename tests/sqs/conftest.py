"""Clients of SQS: on moto's server, and on ours, which can be made to fail."""

from collections.abc import AsyncIterator

import pytest

from sqs.clients import Both
from streamapp.cli.demo.servers import local_aws
from streamapp.sqs.boto import BotoSqs, open_aws
from streamapp.sqs.direct import DirectSqs, open_direct
from streamapp.sqs.message_client import open_message_client
from streamapp.testing import MemorySqs
from streamapp.testing.sqs.server import serve


@pytest.fixture(params=["aioboto3", "fast"])
def client(request: pytest.FixtureRequest) -> str:
    """The name of the client that moves messages."""
    return str(request.param)


@pytest.fixture
async def sqs(
    client: str, moto_endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[BotoSqs | DirectSqs]:
    """Either client of moto's server."""
    for name, value in local_aws(moto_endpoint).items():
        monkeypatch.setenv(name, value)
    async with open_aws() as plain, open_message_client(plain, client) as opened:
        yield opened


@pytest.fixture
async def memory() -> MemorySqs:
    """An SQS in memory, which can be made to fail."""
    return MemorySqs()


@pytest.fixture
async def faulty(
    client: str, memory: MemorySqs, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[BotoSqs | DirectSqs]:
    """Either client of the SQS in memory, over HTTP."""
    async with serve(memory) as endpoint:
        for name, value in local_aws(endpoint).items():
            monkeypatch.setenv(name, value)
        async with open_aws() as plain, open_message_client(plain, client) as opened:
            yield opened


@pytest.fixture
async def both(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Both]:
    """Both clients of one SQS in memory, over HTTP."""
    memory = MemorySqs()
    async with serve(memory) as endpoint:
        for name, value in local_aws(endpoint).items():
            monkeypatch.setenv(name, value)
        async with open_aws() as sqs:
            queue = await sqs.create("q", {})
            route = sqs.settings.route(sqs.endpoint)
            assert route is not None
            async with open_direct(sqs, route) as direct:
                yield Both(memory, sqs, direct, queue)
