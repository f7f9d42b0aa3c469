"""The worker's probes, in every state that they have to tell apart."""

from typing import Any

import pytest
from anyio import Event, fail_after, sleep_forever

from rigs.worker import Add, Rig, until
from streamapp.errors import Fault, ServiceError
from streamapp.pipeline.runner import MANY_FAILURES
from streamapp.testing import Fail, Hang
from streamapp.web import health as health_module
from streamapp.web.health import Health
from web.probes import Probes


async def test_a_worker_that_starts_is_live_and_not_ready(probes: Probes) -> None:
    """A slow start must not be taken for a dead worker, nor get traffic too early."""
    assert await probes.get("/livez") == (200, {})
    assert await probes.get("/readyz") == (503, {"worker": "starting"})


async def test_a_worker_that_works_is_live_and_ready(rig: Rig, health: Health, probes: Probes) -> None:
    """The usual state."""
    rig.count()

    async with rig.running() as worker:
        health.begin(worker)

        assert await probes.get("/livez") == (200, {})
        assert await probes.get("/readyz") == (200, {})


async def test_a_worker_that_drains_is_live_and_not_ready(rig: Rig, health: Health, probes: Probes) -> None:
    """A drain is no failure: a restart would cut it off."""
    busy, done = Event(), Event()

    async def slow(events: Any) -> None:
        async for _ in events:
            busy.set()
            await done.wait()

    rig.agent(slow)
    await rig.send([Add("a")])

    async with rig.running() as worker:
        health.begin(worker)
        with fail_after(30):
            await busy.wait()
        worker.stop()

        assert await probes.get("/livez") == (200, {})
        assert await probes.get("/readyz") == (503, {"worker": "draining"})
        done.set()


async def test_a_redis_that_is_away_makes_not_ready_and_not_dead(
    rig: Rig, health: Health, probes: Probes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A restart does not bring Redis back; a blip must not become a crash loop."""
    rig.count()

    async def away() -> None:
        raise ServiceError("Redis", Fault.TRANSIENT, "ConnectionError")

    async with rig.running() as worker:
        health.begin(worker)
        monkeypatch.setattr(worker.runtime.store, "ping", away)

        assert await probes.get("/livez") == (200, {})
        assert await probes.get("/readyz") == (503, {"redis": "ConnectionError"})


async def test_a_redis_that_hangs_is_reported_in_time(
    rig: Rig, health: Health, probes: Probes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A probe that waits for ever is taken for a dead worker."""
    rig.count()
    monkeypatch.setattr(health_module, "PING_WITHIN", 0.1)

    async with rig.running() as worker:
        health.begin(worker)
        monkeypatch.setattr(worker.runtime.store, "ping", sleep_forever)

        status, matters = await probes.get("/readyz")

        assert (status, list(matters)) == (503, ["redis"])


@pytest.mark.parametrize("code", ["ExpiredToken", "AccessDenied", "QueueDoesNotExist"])
async def test_keys_rights_and_queues_that_are_missing_are_reported_at_once(
    rig: Rig, health: Health, probes: Probes, code: str
) -> None:
    """A person has to act, so the probe must not wait before it fails."""
    rig.count()

    async with rig.running() as worker:
        health.begin(worker)
        rig.sqs.faults.add("receive", Fail(code), queue="orders")

        with fail_after(30):
            await until(lambda: worker.pipelines[0].poller.failure is not None)

        status, matters = await probes.get("/readyz")
        assert status == 503
        assert code in matters["queue orders"]
        assert await probes.get("/livez") == (200, {})


async def test_a_queue_that_fails_for_a_while_is_not_ready_and_then_is_again(
    rig: Rig, health: Health, probes: Probes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One bad response is usual; a minute of them is an outage."""
    rig.count()

    async with rig.running() as worker:
        health.begin(worker)
        rig.sqs.faults.add("receive", Fail("ServiceUnavailable"), queue="orders", times=3)
        source = worker.pipelines[0].poller
        with fail_after(30):
            await until(lambda: source.failure is not None)
        assert await probes.get("/readyz") == (200, {})
        monkeypatch.setattr(health_module, "STALE", -1.0)
        assert (await probes.get("/readyz"))[0] == 503

        with fail_after(20):
            await until(lambda: source.failure is None)

        assert await probes.get("/readyz") == (200, {})


async def test_a_poll_that_never_returns_is_dead(
    rig: Rig, health: Health, probes: Probes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The queue fills while the container looks healthy: the commonest complaint about peers."""
    rig.count()
    rig.sqs.faults.add("receive", Hang(), queue="orders")

    async with rig.running() as worker:
        health.begin(worker)
        with fail_after(30):
            await until(lambda: worker.pipelines[0].poller.silent_for(0) != 0)
        assert await probes.get("/livez") == (200, {})
        monkeypatch.setattr(health_module, "OVERDUE", -1.0)

        status, matters = await probes.get("/livez")

        assert (status, list(matters)) == (503, ["poll orders"])
        rig.sqs.faults.clear()
        worker.stop()
        worker.stop()


async def test_an_agent_that_fails_at_everything_is_not_ready(
    rig: Rig, health: Health, probes: Probes
) -> None:
    """A release that breaks every message must not be rolled out further."""

    async def broken(events: Any) -> None:
        async for _ in events:
            raise ValueError

    rig.agent(broken, backoff=60)
    await rig.send([Add(str(number)) for number in range(MANY_FAILURES)])

    async with rig.running() as worker:
        health.begin(worker)
        with fail_after(10):
            await until(lambda: rig.tally.of("crashing") > 0)

        status, matters = await probes.get("/readyz")

        assert (status, list(matters)) == (503, ["agent broken"])
