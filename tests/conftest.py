"""Fixtures that every test may use."""

import pytest


@pytest.fixture
def anyio_backend() -> str:
    """The AWS client is asyncio-only, so that is the back end unless a test asks for both."""
    return "asyncio"
