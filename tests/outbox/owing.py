"""Hashes that owe announcements, as a crash leaves them, and a sweep that finds them."""

import json
from typing import Any

from anyio import create_task_group

from rigs.worker import Rig
from streamapp.flow.batcher import Batcher
from streamapp.outbox.sweeper import SweepPace
from streamapp.redis.store import RedisStore
from streamapp.state.store import Commit
from streamapp.worker.assembly import Assembly, assemble

AT_ONCE = SweepPace(every=0.05, age=120.0, pause=0.0)


OLD = 1000.0


def owed(sequence: int, body: str, at: float = OLD) -> str:
    """Return the text of an announcement, as its hash holds it."""
    return json.dumps([sequence, at, None, None, body], separators=(",", ":"))


async def leave_owed(rig: Rig, key: str, *bodies: str, at: float = OLD) -> str:
    """Leave a hash as a crash between commit and announcement does, and return its Redis key."""
    redis_key = rig.counts.redis_key(rig.config.key_prefix, key)
    pending = {f"_o:{body}": owed(n, body, at) for n, body in enumerate(bodies, 1)}
    commit = Commit(redis_key, "", f"t-{key}", {"total": "1", "times": "1", **pending}, keep=True)
    assert await rig.store.commit([commit]) == [True]
    return redis_key


async def sweep(rig: Rig, store: RedisStore | None = None) -> Assembly:
    """Sweep once, with the batchers that a sweep needs, and return the worker's parts."""
    parts = await assemble(rig.app.registry, rig.config, rig.sqs, store or rig.store, rig.tally, pace=AT_ONCE)
    batchers: list[Batcher[Any, Any]] = list(parts.batchers)
    async with create_task_group() as services:
        for batcher in batchers:
            await services.start(batcher.run)
        try:
            await parts.sweeper.sweep()
        finally:
            for batcher in batchers:
                batcher.close()
    return parts
