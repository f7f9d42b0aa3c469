"""Row 13: when credentials expire or the clock is wrong, the worker logs it, and resumes by itself afterwards."""

import json
import logging
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from anyio import create_task_group, current_time, fail_after, sleep, to_thread

from faults.faked_time import LIBRARY, WallClock
from faults.gate import gate_to
from rigs.shop import Shop, samples
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

BACK = 30.0
"""Seconds after the cure."""

SKEW = -20 * 60
"""Seconds that the clock is wrong."""


@pytest.mark.timeout(240)
@pytest.mark.parametrize("is_over", [False, True], ids=["refused-early", "known-to-be-over"])
async def test_expired_credentials_are_replaced_without_a_restart(
    is_over: bool,
    store: RedisStore,
    prefix: str,
    long: bool,
    figure: Callable[[str], None],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """New credentials come late some day, and the workers must not need a restart."""
    lasts = 60.0 if long else 3.0
    memory, app, tally = MemorySqs(), App("shop"), Counters()
    queue = await memory.create("orders", {})

    @app.agent("orders", Json(dict), concurrency=5)
    async def orders(events: Any) -> None:
        async for _ in events:
            pass

    config = Config(key_prefix=f"{prefix}:", wait_seconds=1, drain_timeout=5)
    async with serve(memory) as far, gate_to(far) as (gate, endpoint):
        for variable, value in local_aws(endpoint).items():
            monkeypatch.setenv(variable, value)
        for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
            monkeypatch.delenv(variable, raising=False)
        for variable in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
            monkeypatch.setenv(variable, str(tmp_path / "none"))
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{endpoint}/credentials")
        async with open_aws(polls=most_polls(app.registry, config)) as aws, create_task_group() as tasks:
            worker = Worker(await assemble(app.registry, config, aws, store, tally))
            await tasks.start(worker.run)
            await memory.send(queue, [Outgoing(json.dumps({"n": 1}))])
            await until(lambda: tally.of("ok") == 1, within=30)
            gate.valid, gate.lives = "T2", -5 if is_over else 300
            await memory.send(queue, [Outgoing(json.dumps({"n": 2}))])
            began, refused = current_time(), gate.refused
            await sleep(lasts)
            asked = (gate.refused - refused) / (current_time() - began)
            done = tally.of("ok")
            gate.issued, gate.lives = "T2", 300
            healed_at = current_time()
            await until(lambda: tally.of("ok") >= 2, within=60)
            back = current_time() - healed_at
            worker.stop()
    errors = [
        f"{it.getMessage()}: {getattr(it, 'reason', '')}"
        for it in caplog.records
        if it.levelno >= logging.ERROR
    ]

    figure(
        f"ExpiredToken for {lasts:g} s{', and known to be over here' if is_over else ''}: {asked:.2f} calls/s refused, "
        f"{len(errors)} error line(s) {set(errors)}; resumed {back:.2f} s after new credentials, no restart"
    )
    assert done == 1 or is_over  # an open poll may bring it
    assert any("the credentials have expired" in line for line in errors)
    assert not any("RuntimeError" in line for line in errors)
    assert asked <= (1 if long else 4)  # clock: calls in each second
    if long:
        assert back <= BACK  # clock: the row's figure


@pytest.mark.timeout(240)
@pytest.mark.skipif(LIBRARY is None, reason="libfaketime is missing: apt-get install faketime")
async def test_a_wrong_clock_is_waited_out(
    redis_url: str,
    prefix: str,
    long: bool,
    figure: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """A machine that was suspended signs with an old time until its clock is set; the workers must not need a restart."""
    lasts, clock, log = 60.0 if long else 4.0, WallClock(tmp_path), tmp_path / "log"
    memory = MemorySqs()
    async with serve(memory) as far, gate_to(far) as (gate, endpoint):
        gate.checks_token = False
        for variable, value in local_aws(endpoint).items():
            monkeypatch.setenv(variable, value)
        async with open_aws() as aws:
            shop = Shop(aws, redis_url, prefix, **clock.env)
            await shop.open()
            with log.open("wb") as file:
                command = [sys.executable, "-m", "streamapp", "worker", "--log-format", "json"]
                worker = subprocess.Popen(command, env=shop.env, stdout=subprocess.DEVNULL, stderr=file)
                try:
                    await until(lambda: '"ready"' in log.read_text(), within=60)
                    clock.set(SKEW)
                    await until(lambda: gate.refused > 2, within=30)
                    await shop.send(samples())
                    began, refused = current_time(), gate.refused
                    await sleep(lasts)
                    asked = (gate.refused - refused) / (current_time() - began)
                    clock.set(0)
                    healed_at = current_time()
                    deleted = len(memory.ledger.deleted())
                    await until(lambda: len(memory.ledger.deleted()) > deleted + 5, within=60)
                    back = current_time() - healed_at
                    worker.send_signal(signal.SIGTERM)
                    with fail_after(60):
                        code = await to_thread.run_sync(worker.wait, abandon_on_cancel=True)
                finally:
                    worker.kill()
                    worker.wait()
            await shop.close()
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    errors = [
        line for line in lines if line["level"] == "ERROR" and "reason" in line and "message_id" not in line
    ]
    worst = max(sum(it["reason"] == line["reason"] for it in errors) for line in errors)

    figure(
        f"a clock {-SKEW // 60} min behind for {lasts:g} s: {asked:.2f} calls/s refused over 3 queues, at most {worst} "
        f"line(s) a cause, as {errors[0]['reason']!r}; resumed {back:.2f} s after it was set right, exit {code}"
    )
    assert all("set the clock" in line["reason"] for line in errors)
    assert asked <= (3 if long else 12)  # clock: calls in each second
    if long:
        assert back <= BACK  # clock: the row's figure
    assert code == 0
