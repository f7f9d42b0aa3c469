"""Commits of one key, and how they fail."""

import pytest

from streamapp.errors import Fault, ServiceError
from streamapp.state.store import Commit
from streamapp.testing import MemoryStore


def commit(token: str, seen: str = "", **put: str) -> Commit:
    """A change of key `k`."""
    return Commit("k", seen, token, put, ttl=60)


async def fault_of(store: MemoryStore, *commits: Commit) -> Fault:
    """Return the fault with which a commit fails."""
    with pytest.raises(ServiceError) as caught:
        await store.commit(commits)
    return caught.value.fault
