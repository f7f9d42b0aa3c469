"""Fixtures of tests of faults."""

import pytest

from streamapp.messages import Queue
from streamapp.testing import (
    MemorySqs,
)


@pytest.fixture
async def queue(sqs: MemorySqs) -> Queue:
    """A queue with a long visibility timeout."""
    return await sqs.create("q", {"VisibilityTimeout": "30"})
