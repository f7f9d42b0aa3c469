"""Row 23: a handler blocks the loop: a warning names the agent meanwhile, and the others resume."""

import json
import logging
import time
from collections.abc import Callable
from typing import Any

import pytest
from anyio import current_time, fail_after

from streamapp.app import App
from streamapp.config import Config
from streamapp.messages import Outgoing
from streamapp.observe.counters import Counters
from streamapp.redis.store import RedisStore
from streamapp.testing import MemorySqs
from streamapp.worker.assembly import assemble
from streamapp.worker.worker import Worker
from streamapp_codecs import Json

OTHERS = 50
"""Messages of the agent that does not block."""


@pytest.mark.timeout(120)
async def test_a_blocked_loop_is_reported_while_it_is_blocked_and_others_resume(
    store: RedisStore,
    prefix: str,
    long: bool,
    figure: Callable[[str], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Nothing else could report why the worker stands still; and it must cost only time."""
    blocked_for, visibility = (10.0, 30) if long else (1.2, 2)
    sqs, app, tally = MemorySqs(), App("blocked"), Counters()
    for name in ("heavy", "light"):
        queue = await sqs.create(name, {"VisibilityTimeout": str(visibility)})
        count = OTHERS if name == "light" else 1
        for number in range(count):
            await sqs.send(queue, [Outgoing(json.dumps({"n": number}))])
    said: list[str] = []
    free_at: list[float] = []
    light_at: list[float] = []

    @app.agent("heavy", Json(dict))
    async def heavy(events: Any) -> None:
        async for _ in events:
            time.sleep(blocked_for)
            said.extend(it.agent for it in caplog.records if "is blocked" in it.getMessage())  # type: ignore[attr-defined]  # an extra
            free_at.append(current_time())

    @app.agent("light", Json(dict), concurrency=2)
    async def light(events: Any) -> None:
        async for _ in events:
            light_at.append(current_time())  # noqa: PERF401 - each is sent at its own time

    caplog.set_level(logging.WARNING)
    config = Config(key_prefix=f"{prefix}:", wait_seconds=0.1, drain_timeout=5)
    with fail_after(60):
        assert await Worker(
            await assemble(app.registry, config, sqs, store, tally, shortest_lease=visibility)
        ).run(idle=0.2)
    resumed = [at - free_at[0] for at in light_at if at >= free_at[0]]  # clock: their order

    figure(
        f"blocked {blocked_for:g} s with a visibility of {visibility} s: reported meanwhile as agent {said}; "
        f"the other agent's next message {min(resumed) * 1000:.1f} ms after, all {len(light_at)} done; "
        f"leases lost {tally.of('lost')}, received more than once "
        f"{sum(times > 1 for times in sqs.ledger.receives().values())}"
    )
    assert said == ["heavy"]
    assert resumed
    if long:
        assert min(resumed) < 1  # clock: the row's figure
    assert len(light_at) == OTHERS
    assert set(sqs.ledger.receives().values()) == {1}
    assert sqs.ledger.in_flight() == []
