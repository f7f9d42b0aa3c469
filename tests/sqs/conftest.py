"""SQS by either client: on moto's server, and on ours, which can be told to fail."""

from collections.abc import AsyncIterator

import pytest

from sqs.clients import Both
from streamapp.cli.demo.servers import local_aws
from streamapp.cli.setup import open_calls
from streamapp.sqs.boto import BotoSqs, open_aws
from streamapp.sqs.direct import DirectSqs, open_direct
from streamapp.testing import MemorySqs
from streamapp.testing.sqs.server import serve


@pytest.fixture(params=["aioboto3", "fast"])
def client(request: pytest.FixtureRequest) -> str:
    """Whose calls messages take."""
    return str(request.param)


@pytest.fixture
async def aws(
    client: str, moto_endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[BotoSqs | DirectSqs]:
    """Either client on moto's server."""
    for name, value in local_aws(moto_endpoint).items():
        monkeypatch.setenv(name, value)
    async with open_aws() as plain, open_calls(plain, client) as opened:
        yield opened


@pytest.fixture
async def memory() -> MemorySqs:
    """An SQS that can be told to fail."""
    return MemorySqs()


@pytest.fixture
async def faulty(
    client: str, memory: MemorySqs, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[BotoSqs | DirectSqs]:
    """Either client on it, over HTTP."""
    async with serve(memory) as endpoint:
        for name, value in local_aws(endpoint).items():
            monkeypatch.setenv(name, value)
        async with open_aws() as plain, open_calls(plain, client) as opened:
            yield opened


@pytest.fixture
async def both(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Both]:
    """Both clients on our server."""
    memory = MemorySqs()
    async with serve(memory) as endpoint:
        for name, value in local_aws(endpoint).items():
            monkeypatch.setenv(name, value)
        async with open_aws() as aws:
            queue = await aws.create("q", {})
            route = aws.settings.route(aws.endpoint)
            assert route is not None
            async with open_direct(aws, route) as fast:
                yield Both(memory, aws, fast, queue)
