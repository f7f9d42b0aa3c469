"""The worker's probes, in every state that they have to tell apart."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from anyio import Event, fail_after, sleep_forever

from rigs.worker import Add, Rig, until
from streamapp.errors import ConfigError, Fault, ServiceError
from streamapp.pipeline.runner import MANY_FAILURES
from streamapp.testing import Fail, Hang, MemoryStore
from streamapp.web import health as health_module
from streamapp.web.health import Health
from streamapp.web.metrics import Metrics
from streamapp.web.server import CannotListen, serve_http


class Probes:
    """A client of the worker's HTTP."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self._url = url
        self._session = session

    async def get(self, path: str) -> tuple[int, dict[str, str]]:
        """Return the status, and the checks that are not `ok`."""
        async with self._session.get(f"{self._url}{path}") as answer:
            checks = (await answer.json())["checks"]
            return answer.status, {name: word for name, word in checks.items() if word != "ok"}

    async def text(self, path: str) -> str:
        """Return a body."""
        async with self._session.get(f"{self._url}{path}") as answer:
            return await answer.text()


@pytest.fixture
async def rig(prefix: str) -> Rig:
    """The usual rig, with its state in memory."""
    return await Rig(MemoryStore(), prefix).create(visibility=30)


@pytest.fixture
def health() -> Health:
    """The health of no worker yet."""
    return Health()


@pytest.fixture
def metrics(rig: Rig) -> Metrics:
    """The metrics of the rig's counters."""
    return Metrics(rig.tally)


@pytest.fixture
async def probes(health: Health, metrics: Metrics) -> AsyncIterator[Probes]:
    """A client of an HTTP server that is up before the worker."""
    async with (
        serve_http("127.0.0.1:0", health, metrics.render, {}) as url,
        aiohttp.ClientSession() as session,
    ):
        yield Probes(url, session)


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
        with fail_after(5):
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

        with fail_after(5):
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
        with fail_after(5):
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
        with fail_after(5):
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


async def test_metrics_count_what_was_done(
    rig: Rig, health: Health, metrics: Metrics, probes: Probes
) -> None:
    """Counts that are not exported are not watched."""
    rig.count()
    await rig.send([Add("a"), Add("b"), Add("c", 0), "not JSON"])

    async with rig.running() as worker:
        metrics.begin(worker)
        worker.tap.observe = metrics.note
        await worker.sweeper.sweep()
        with fail_after(10):
            await until(lambda: len(rig.sqs.ledger.deleted("orders")) == 4)
        lines = (await probes.text("/metrics")).splitlines()

    assert 'streamapp_messages_total{outcome="ok",stream="orders"} 2.0' in lines
    assert 'streamapp_messages_total{outcome="duplicate",stream="orders"} 1.0' in lines
    assert 'streamapp_messages_total{outcome="invalid",stream="orders"} 1.0' in lines
    assert 'streamapp_message_age_seconds_count{stream="orders"} 3.0' in lines
    took = 'messaging_process_duration_seconds_count{error_type="",messaging_destination_name="orders"} 3.0'
    assert took in lines
    assert 'streamapp_in_flight{stream="orders"} 0.0' in lines
    assert 'streamapp_concurrency{stream="orders"} 10.0' in lines
    assert "streamapp_redis_up 1.0" in lines
    assert "streamapp_draining 0.0" in lines
    assert "streamapp_oldest_pending_announcement_seconds 0.0" in lines
    received = 'messaging_operation_name="receive",messaging_system="aws_sqs"} 4.0'
    assert any(
        line.startswith("messaging_client_consumed_messages_total") and received in line for line in lines
    )


async def test_an_address_that_is_taken_is_an_error_that_names_it(health: Health, metrics: Metrics) -> None:
    """Two workers on one machine are the first thing that people try."""
    async with serve_http("127.0.0.1:0", health, metrics.render, {}) as url:
        address = url.removeprefix("http://")

        with pytest.raises(CannotListen, match="STREAMAPP_HTTP") as raised:
            async with serve_http(address, health, metrics.render, {}):
                raise AssertionError

    assert isinstance(raised.value, ConfigError)
    assert address in str(raised.value)
