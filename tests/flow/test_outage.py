"""Redis goes away and comes back."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from anyio import create_task_group, fail_after, sleep, to_thread

from rigs.valkey import RestartableValkey
from rigs.worker import Add, Count, Rig, until
from streamapp.errors import Fault, ServiceError
from streamapp.flow.backoff import Backoff
from streamapp.flow.outage import AGAIN, MISCONFIGURED_PAUSE, Outage, pause_of
from streamapp.redis.store import open_redis


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[RestartableValkey]:
    """A Valkey of the test's own, with an append-only file."""
    server = RestartableValkey(tmp_path)
    server.start()
    try:
        yield server
    finally:
        server.thaw()
        server.stop()


async def test_an_outage_pauses_polling_and_dead_letters_nothing(valkey: RestartableValkey) -> None:
    """It only costs time, and ends by itself: with a new process, without its scripts, with the same state."""
    async with open_redis(valkey.url) as store:
        rig = await Rig(store, "t").create()
        rig.count(concurrency=5)
        async with rig.running():
            await rig.send(Add("a") for _ in range(20))
            await until(lambda: rig.tally.of("ok") == 20)
            await to_thread.run_sync(valkey.stop)
            await rig.send(Add("a") for _ in range(30))
            await sleep(0.5)
            received = rig.tally.of("received")
            await sleep(0.5)
            paused = rig.tally.of("received")
            await to_thread.run_sync(valkey.start)
            await until(lambda: rig.tally.of("ok") == 50)

        assert paused == received <= 25
        assert await rig.state("a") == Count(50, 50)
        assert set(rig.sqs.ledger.receives("orders").values()) == {1}
        assert rig.bodies("orders-dlq") == []
        assert rig.tally.of("retry") == 0


async def test_a_frozen_redis_is_an_outage_too(valkey: RestartableValkey) -> None:
    """A server that does not respond blocks no worker for ever."""
    async with open_redis(valkey.url) as store:
        rig = await Rig(store, "t").create()
        rig.count()
        async with rig.running():
            await to_thread.run_sync(valkey.freeze)
            await rig.send([Add("a")])
            await until(lambda: rig.tally.of("received"))
            await sleep(2.5)
            await to_thread.run_sync(valkey.thaw)
            await until(lambda: rig.tally.of("ok"))

        assert await rig.state("a") == Count(1, 1)


async def test_a_drain_in_an_outage_gives_back_what_it_cannot_finish(
    valkey: RestartableValkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process ends in time, and another one finishes the work."""
    async with open_redis(valkey.url) as store:
        monkeypatch.setattr("streamapp.worker.worker.LAST_FLUSH", 0.5)
        rig = await Rig(store, "t", drain_timeout=0.3).create()
        rig.count()
        with fail_after(30):
            async with rig.running():
                await to_thread.run_sync(valkey.stop)
                await rig.send(Add("a") for _ in range(5))
                await until(lambda: rig.tally.of("received"))

        rig.assert_accounted()
        assert len(rig.bodies("orders")) == 5


async def test_what_heals_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """The caller does not notice it."""
    monkeypatch.setattr("streamapp.flow.outage.AGAIN", Backoff(0.002, 2.0))
    errors = [Fault.TRANSIENT, Fault.CAPACITY, Fault.CREDENTIALS]

    async def call() -> str:
        if errors:
            raise ServiceError("Redis", errors.pop(), "away")
        return "answer"

    outage = Outage("Redis", call)

    assert await outage.ride_out(call) == "answer"
    assert not outage.is_on


@pytest.mark.parametrize("fault", [Fault.SENDER, Fault.LEASE_LOST])
async def test_what_never_heals_is_raised(fault: Fault) -> None:
    """A call would wait for ever."""

    async def call() -> None:
        raise ServiceError("Redis", fault, "no")

    with pytest.raises(ServiceError):
        await Outage("Redis", call).ride_out(call)


async def test_an_outage_is_ended_by_its_probe_when_no_call_is_left() -> None:
    """The call that noticed it may be gone; a task that waits for the end finds out itself."""
    calls: list[int] = []

    async def probe() -> None:
        calls.append(1)

    outage = Outage("Redis", probe)
    await outage.over()
    outage.is_on = True
    await outage.over()

    assert len(calls) == 1
    assert not outage.is_on


async def test_a_read_that_works_does_not_end_an_outage_of_writes(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full Redis still responds to reads: more messages would only pile up, and the log would alternate."""
    monkeypatch.setattr("streamapp.flow.outage.AGAIN", Backoff(0.01, 0.01))
    caplog.set_level("INFO")
    is_full, reads, writes = True, 0, 0

    async def read() -> None:
        nonlocal reads
        reads += 1

    async def write() -> None:
        nonlocal writes
        writes += 1
        if is_full:
            raise ServiceError("Redis", Fault.CAPACITY, "OOM")

    outage = Outage("Redis", read)
    with fail_after(30):
        async with create_task_group() as tasks:
            tasks.start_soon(outage.ride_out, write)
            tasks.start_soon(outage.ride_out, write)
            await until(lambda: writes > 5)
            for _ in range(3):
                tasks.start_soon(outage.over)
            await until(lambda: reads == 3)
            await outage.ride_out(read)
            was_on, is_full = outage.is_on, False

    assert was_on
    assert not outage.is_on
    assert [it.getMessage() for it in caplog.records] == [
        "Redis cannot be used; waiting for it",
        "Redis can be used again",
    ]


async def test_a_call_that_is_cancelled_leaves_no_task_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message of a call that fails may be lost meanwhile; then the probe decides."""
    monkeypatch.setattr("streamapp.flow.outage.AGAIN", Backoff(0.01, 0.01))
    failed, probes = 0, 0

    async def write() -> None:
        nonlocal failed
        failed += 1
        raise ServiceError("Redis", Fault.CAPACITY, "OOM")

    async def probe() -> None:
        nonlocal probes
        probes += 1

    outage = Outage("Redis", probe)
    with fail_after(30):
        async with create_task_group() as tasks, create_task_group() as writers:
            writers.start_soon(outage.ride_out, write)
            await until(lambda: failed)
            tasks.start_soon(outage.over)
            await until(lambda: probes)
            writers.cancel_scope.cancel()

    assert not outage.is_on


def test_what_an_operator_has_to_mend_is_tried_seldom() -> None:
    """A missing right or queue does not come back by itself."""
    error = ServiceError("SQS", Fault.CONFIGURATION, "gone")

    assert pause_of(error, 1, AGAIN) == MISCONFIGURED_PAUSE
