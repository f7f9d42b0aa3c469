"""Fixtures of the framework's tests."""

import pytest

from engine.rig import Rig
from streamapp.redis.store import RedisStore


@pytest.fixture
async def rig(store: RedisStore, prefix: str) -> Rig:
    """An SQS in memory, a real Valkey, and an app without an agent yet."""
    return await Rig(store, prefix).create()
