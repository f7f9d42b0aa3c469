"""The tap on a real Valkey, and a worker that writes it."""

from collections.abc import AsyncIterator

import pytest

from rigs.worker import Rig
from streamapp.observe.tap_writer import Tap
from streamapp.redis.store import RedisStore
from streamapp.redis.tap import RedisTap, open_tap


@pytest.fixture
async def taps(redis_url: str, prefix: str) -> AsyncIterator[RedisTap]:
    """The tap on a real Valkey."""
    async with open_tap(redis_url, f"{prefix}:") as opened:
        yield opened


@pytest.fixture
async def rig(store: RedisStore, prefix: str, taps: RedisTap) -> Rig:
    """Queues, an app without agents, and a tap."""
    rig = await Rig(store, prefix).create()
    rig.tap = Tap(taps, rig.tally)
    rig.presence = taps
    return rig
