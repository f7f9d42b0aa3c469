"""Fixtures of tests of the store in memory."""

import pytest

from streamapp.testing import MemoryStore, VirtualClock


@pytest.fixture
def store(clock: VirtualClock) -> MemoryStore:
    """A store in virtual time."""
    return MemoryStore(clock=clock)
