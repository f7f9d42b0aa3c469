"""Row 37: settings and rights of a queue that would take messages away from the worker that has them."""

from collections.abc import Callable
from typing import Any

import pytest
from anyio import create_task_group, sleep

from rigs.worker import Add, Rig, logged, until
from streamapp.app import App
from streamapp.config import Config
from streamapp.sqs.queue_flaws import SHORTEST_LEASE
from streamapp.testing import Fail
from streamapp.testing.state.memory_store import MemoryStore
from streamapp.web.health import Health
from streamapp.worker.worker import Worker
from streamapp_codecs import Json

MESSAGES = 20


def slow_rig(prefix: str, *, seconds: float) -> tuple[Rig, list[str]]:
    """Return a rig whose agent takes that many seconds for each message, and the keys in the order of its runs."""
    rig, runs = Rig(MemoryStore(), prefix), []
    rig.shortest_lease = SHORTEST_LEASE

    async def patient(events: Any) -> None:
        async for event in events:
            runs.append(event.key)
            await sleep(seconds)

    rig.agent(patient)
    return rig, runs


async def test_a_queue_that_hides_nothing_gives_each_message_to_one_worker(
    prefix: str, figure: Callable[[str], None]
) -> None:
    """With a visibility timeout of 0, two workers ran the same message, and SQS dead-lettered it within seconds."""
    rig, runs = slow_rig(prefix, seconds=0.5)
    await rig.create(visibility=0)
    workers = [Worker(await rig.assemble(), watch=False) for _ in range(2)]
    async with create_task_group() as tasks:
        for worker in workers:
            await tasks.start(worker.run)
        await rig.send(Add(f"k{n}") for n in range(MESSAGES))
        await until(lambda: rig.tally.of("ok") == MESSAGES)
        for worker in workers:
            worker.stop()
    receives = rig.sqs.ledger.receives("orders")

    figure(
        f"visibility timeout 0, two workers: {MESSAGES} messages in {len(runs)} runs, received {set(receives.values())} times"
    )
    assert sorted(runs) == sorted({f"k{n}" for n in range(MESSAGES)})
    assert set(receives.values()) == {1}
    assert rig.dead() == []


async def test_a_timeout_that_is_shortened_while_workers_run_changes_nothing(
    figure: Callable[[str], None],
) -> None:
    """Workers learn of a queue's settings when they start, so they name their own timeout in each receive."""
    app = App("shortened")

    @app.agent("orders", Json(dict))
    async def patient(events: Any) -> None:
        async for _ in events:
            await sleep(90)

    async with app.test(Config(wait_seconds=10)) as t:
        await t.sqs.create("orders", {"VisibilityTimeout": "1"})
        await t.send("orders", *({"n": n} for n in range(MESSAGES)))
        await t.settle()
        receives = t.sqs.ledger.receives("orders")
        assert t.dead("orders") == []

    figure(f"shortened to 1 s, 90 s a message: received {set(receives.values())} times")
    assert set(receives.values()) == {1}


async def test_without_the_right_to_delete_nothing_more_is_received(
    prefix: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What is done came again until SQS dead-lettered it; now it waits, is named in /readyz, and is deleted in the end."""
    monkeypatch.setattr("streamapp.pipeline.rights.MISCONFIGURED_PAUSE", 0.05)
    rig, runs = slow_rig(prefix, seconds=0.0)
    await rig.create(visibility=1)
    rig.shortest_lease = 1.0
    denied = rig.sqs.faults.add("delete", Fail("AccessDenied", status=403))
    health = Health()
    async with rig.running() as worker:
        health.begin(worker)
        await rig.send(Add(f"k{n}") for n in range(30))
        await until(lambda: denied.hits >= 3)
        await sleep(0.3)  # for the polls that are open
        in_time = len(runs)
        await rig.send(Add(f"l{n}") for n in range(30))
        await sleep(2.5)
        report = await health.ready()
        receives = rig.sqs.ledger.receives("orders")
        assert set(receives.values()) == {1}, "its lease was kept"
        assert len(runs) == in_time, "nothing more was received"

        denied.remove()
        await until(lambda: len(rig.sqs.ledger.deleted("orders")) == 60)
        await until(lambda: not worker.pipelines[0].leases.rights.refused)
        assert (await health.ready()).is_good

    assert report.checks["queue orders"] == "DeleteMessage: AccessDenied"
    assert {record.__dict__["code"] for record in logged(caplog, "a right is missing")} == {"AccessDenied"}
    assert len(logged(caplog, "a right is missing")) == 1, "it is rate-limited"
    assert len(runs) == 60
    assert rig.dead() == []


async def test_without_the_right_to_extend_nothing_more_is_received(
    prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each slow message would be received again and again, by every worker, until SQS dead-letters it."""
    monkeypatch.setattr("streamapp.pipeline.rights.MISCONFIGURED_PAUSE", 0.05)
    rig, runs = slow_rig(prefix, seconds=2.5)
    await rig.create(visibility=1)
    rig.shortest_lease = 1.0
    denied = rig.sqs.faults.add("change_visibility", Fail("AccessDenied", status=403))
    health = Health()
    async with rig.running() as worker:
        health.begin(worker)
        await rig.send([Add("a")])
        await until(lambda: denied.hits)
        await sleep(0.3)  # for the polls that are open
        await rig.send([Add("b")])
        await until(lambda: rig.tally.of("ok") == 1)
        assert (await health.ready()).checks["queue orders"] == "ChangeMessageVisibility: AccessDenied"
        assert runs == ["a"]

        denied.remove()
        await until(lambda: rig.tally.of("ok") == 2)

    assert runs == ["a", "b"]
    assert max(rig.sqs.ledger.receives("orders").values()) == 1


async def test_a_drain_does_not_wait_for_the_right_to_delete(prefix: str) -> None:
    """What is done then comes again, to a worker that may have the right; its effect is known by then."""
    rig, runs = slow_rig(prefix, seconds=0.0)
    await rig.create()
    rig.sqs.faults.add("delete", Fail("AccessDenied", status=403))
    async with rig.running():
        await rig.send([Add("a")])
        await until(lambda: rig.sqs.ledger.calls("delete"))

    assert runs == ["a"]
    assert rig.sqs.ledger.deleted("orders") == []
