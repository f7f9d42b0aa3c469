"""Fixtures of the end-to-end tests."""

from collections.abc import AsyncIterator

import pytest
from shop import Shop

from streamapp.sqs.boto import Aws


@pytest.fixture
async def shop(aws: Aws, redis_url: str, prefix: str) -> AsyncIterator[Shop]:
    """An open shop."""
    opened = Shop(aws, redis_url, prefix)
    await opened.open()
    yield opened
    await opened.close()
