"""Row 29: a queue that is deleted, has no dead-letter queue or is in another region affects one agent, and is logged."""

import json
import logging
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from typing import Any

import anyio
import pytest
from anyio import create_task_group, current_time, sleep

from rigs.worker import until
from streamapp.app import App
from streamapp.cli.demo.servers import local_aws
from streamapp.config import Config
from streamapp.messages import Outgoing
from streamapp.observe.counters import Counters
from streamapp.redis.store import RedisStore
from streamapp.sqs.boto import open_aws
from streamapp.testing import MemorySqs, serve
from streamapp.worker.assembly import assemble, most_polls
from streamapp.worker.worker import Worker
from streamapp_codecs import Json


async def take(events: Any) -> None:
    """Process each message."""
    async for _ in events:
        pass


async def send(sqs: MemorySqs, name: str, *bodies: str) -> None:
    """Send messages to a queue."""
    queue = await sqs.find(name)
    assert await sqs.send(queue, [Outgoing(body) for body in bodies]) == [None] * len(bodies)


def said_of(caplog: pytest.LogCaptureFixture, name: str) -> list[str]:
    """Return what was logged about a queue: the sentence and its reason."""
    return [
        " ".join([record.getMessage(), getattr(record, "reason", "")]).strip()
        for record in caplog.records
        if record.levelno >= logging.WARNING
        and (name == getattr(record, "queue", "") or record.getMessage().startswith(f"{name}:"))
    ]


@pytest.mark.timeout(180)
async def test_a_queue_that_is_deleted_pauses_its_own_agent(
    store: RedisStore,
    prefix: str,
    long: bool,
    figure: Callable[[str], None],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A wrong queue is deleted some day; the other agents must go on, and none must need a restart afterwards."""
    lasts = 60.0 if long else 2.0
    if not long:
        monkeypatch.setattr("streamapp.flow.outage.MISCONFIGURED_PAUSE", 0.5)
    sqs, app, tally = MemorySqs(), App("shop"), Counters()
    for name in ("gone", "kept"):
        await sqs.create(name, {})
        app.agent(name, Json(dict), name=name)(take)
    config = Config(key_prefix=f"{prefix}:", wait_seconds=1, drain_timeout=5)
    async with serve(sqs) as endpoint:
        for variable, value in local_aws(endpoint).items():
            monkeypatch.setenv(variable, value)
        async with open_aws(polls=most_polls(app.registry, config)) as aws, create_task_group() as tasks:
            worker = Worker(await assemble(app.registry, config, aws, store, tally))
            await tasks.start(worker.run)
            await send(sqs, "gone", "{}")
            await until(lambda: tally.of("ok", "gone"))
            now = sqs.clock.now()
            sqs.simulator.broker.delete_queue("gone", now)
            deleted_at, sent = current_time(), 0
            while current_time() - deleted_at < lasts:  # clock: how long the row lasts
                await send(sqs, "kept", "{}")
                sent += 1
                await sleep(0.1)
            await until(lambda: tally.of("ok", "kept") == sent)
            asked = sum(entry.at > now for entry in sqs.ledger.calls("receive", "gone"))
            waited = current_time() - deleted_at
            del sqs.simulator.broker._deleted_at["gone"]  # no need to wait SQS's minute as well
            await sqs.create("gone", {})
            await send(sqs, "gone", "{}")
            created_at = current_time()
            await until(lambda: tally.of("ok", "gone") == 2, within=60)
            back = current_time() - created_at
            worker.stop()
    said = [line for line in said_of(caplog, "gone") if "redrive" not in line]

    figure(
        f"deleted for {lasts:g} s: asked {asked} times meanwhile; {sent} of {sent} messages of the other agent done; "
        f"said {len(said)} time(s): {said[0]!r}; created again, it was polled {back:.1f} s later"
    )
    assert "a queue cannot be polled gone: QueueDoesNotExist" in said
    assert max(Counter(said).values()) <= waited / 10 + 1  # clock: a count of lines
    assert asked <= waited / (30 if long else 0.5) + 2  # clock: a count of calls
    assert set(sqs.ledger.receives("kept").values()) == {1}


@pytest.mark.timeout(120)
async def test_a_queue_without_a_dead_letter_queue_keeps_its_poison_and_serves_the_rest(
    store: RedisStore,
    prefix: str,
    long: bool,
    figure: Callable[[str], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """There is nowhere to put a bad message; it must neither be dropped nor be in the way."""
    lasts = 20.0 if long else 3.0
    sqs, app, tally = MemorySqs(), App("shop"), Counters()
    # As long as the longest backoff, so that giving back always brings a message sooner.
    await sqs.create("orders", {"VisibilityTimeout": "900"})
    app.agent("orders", Json(dict), name="orders", concurrency=2)(take)
    config = Config(key_prefix=f"{prefix}:", wait_seconds=1, drain_timeout=5)
    worker = Worker(await assemble(app.registry, config, sqs, store, tally))
    sent = 0
    async with create_task_group() as tasks:
        await tasks.start(worker.run)
        await send(sqs, "orders", *["no JSON"] * 5)
        began = current_time()
        while current_time() - began < lasts:  # clock: how long the row lasts
            await send(sqs, "orders", "{}")
            sent += 1
            await sleep(0.1)
        await until(lambda: tally.of("ok") == sent)
        worker.stop()
    receives = sorted(sqs.ledger.receives("orders").values())
    kept = sqs.bodies(await sqs.find("orders"))
    said = said_of(caplog, "orders")

    figure(
        f"no dead-letter queue for {lasts:g} s: {sent} of {sent} good messages done, 5 bad ones kept, each received at "
        f"most {receives[-1]} times; said {len(said)} time(s): {said[0]!r}"
    )
    assert kept == ["no JSON"] * 5
    assert sqs.ledger.in_flight() == []
    # With a backoff of 2 s that doubles; twelve would be ten times the usual number.
    assert receives[-1] <= 12
    assert "no redrive policy" in said[0]


async def test_a_queue_of_another_region_ends_the_start_with_one_line(
    redis_url: str, figure: Callable[[str], None]
) -> None:
    """SQS would report a missing queue, and a person would create it in the wrong region."""
    sqs = MemorySqs()
    for name in ("pagamento-events", "produto-events", "acompanhamento-events"):
        await sqs.create(name, {})
    async with serve(sqs) as endpoint:
        ended = await anyio.run_process(
            [sys.executable, "-m", "streamapp", "worker", "--check"],
            env={
                **os.environ,
                **local_aws(endpoint),
                "REDIS_URL": redis_url,
                "PEDIDO_QUEUE_URL": "https://sqs.sa-east-1.amazonaws.com/123456789012/pedido-events",
            },
            stderr=subprocess.PIPE,
            check=False,
        )
    (line,) = ended.stderr.decode().splitlines()

    figure(f"a URL of another region: exit {ended.returncode}, {line!r}")
    assert ended.returncode == 2
    assert json.dumps(line).count("sa-east-1") == 2
    assert "us-east-1" in line
