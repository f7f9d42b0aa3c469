"""The SQS for tests runs on both of anyio's back ends; tests that need the AWS client or aiohttp ask for asyncio."""

from importlib.util import find_spec

import pytest

from streamapp.testing import MemorySqs, VirtualClock

BACK_ENDS = ["asyncio", *(["trio"] if find_spec("trio") else [])]


@pytest.fixture(params=BACK_ENDS)
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Each back end that is installed."""
    return str(request.param)


@pytest.fixture
def clock() -> VirtualClock:
    """A clock that the test moves."""
    return VirtualClock()


@pytest.fixture
def sqs(clock: VirtualClock) -> MemorySqs:
    """An SQS in memory, on that clock."""
    return MemorySqs(clock=clock)
