"""Fixtures of tests of the SQS in memory."""

import pytest

from streamapp.messages import Queue
from streamapp.testing import MemorySqs


@pytest.fixture
async def queue(sqs: MemorySqs) -> Queue:
    """A standard queue with default attributes."""
    return await sqs.create("q", {})
