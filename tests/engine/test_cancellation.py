"""Cut the worker off at every step, and account for every delivery.

A step is one turn of the event loop; a run of the scenario takes some hundreds of them.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest
from anyio import CancelScope, create_task_group, fail_after
from anyio.lowlevel import checkpoint

from engine.rig import Add, Parts, Rig
from streamapp.errors import Skip
from streamapp.redis_store import RedisStore
from streamapp.testing import Slow
from streamapp.worker import Worker
from streamapp_codecs import Json


class Seen(msgspec.Struct, frozen=True):
    """A state: what was added. Idempotent, so that a second delivery changes nothing."""

    numbers: tuple[int, ...] = ()


class Told(msgspec.Struct, frozen=True):
    """An announcement of all that was added so far."""

    key: str
    numbers: tuple[int, ...]


def see(state: Seen | None, event: Add) -> Seen | None:
    """Fold."""
    numbers = state.numbers if state else ()
    return state if event.n in numbers else Seen(tuple(sorted({*numbers, event.n})))


# Two keys, several events in a body, a bad part, a body that is none, a poison event, and one to be skipped.
BODIES = [
    '[{"key":"a","n":1}]',
    '[{"key":"a","n":2},{"key":"b","n":3}]',
    '[{"key":"b","n":4},"bad"]',
    '["bad"]',
    "[]",
    '[{"key":"poison","n":5}]',
    '[{"key":"skip","n":6},{"key":"a","n":7}]',
    '[{"key":"b","n":8}]',
]
DEAD = {BODIES[2], BODIES[3], BODIES[5]}


async def scenario(store: RedisStore, prefix: str) -> Rig:
    """Answer a rig with all of `BODIES` in its queue; a poison event is dead-lettered at once."""
    rig = await Rig(store, prefix, max_attempts=1, wait_seconds=0, drain_timeout=5).create()
    told = rig.app.sink("told", Json(Told))
    rig.queues["told"] = await rig.sqs.create("told", {})
    table = rig.app.table(
        "seen", Seen, fold=see, announce=lambda _, after: Told("", after.numbers) if after else None, to=told
    )
    rig.counts = table  # type: ignore[assignment]  # the rig reads it by key

    async def seeing(events: Any) -> None:
        async for event in events:
            if event.key == "poison":
                raise RuntimeError
            if event.key == "skip":
                raise Skip("no")
            await table.update(event.key, event)

    rig.agent(seeing, codec=Parts(), instances=3, concurrency=5)
    await rig.send(BODIES)
    # Some turns of the loop for each send, so that there is something to cut.
    rig.sqs.faults.add("send", Slow(0.001, took_effect=False))
    return rig


async def cut_at(step: int, cut: Callable[[], object]) -> None:
    """Call *cut* after so many turns of the loop."""
    for _ in range(step):
        await checkpoint()
    cut()


async def assert_deleted_is_durable(rig: Rig) -> None:
    """I1: what was deleted is in the state and was told, or is a dead letter, or was to be skipped."""
    deleted = {entry.message_id for entry in rig.sqs.ledger.deleted("orders")}
    sent = [entry.message_id for entry in rig.sqs.ledger.sent("orders")]
    told = [Told(**json.loads(body)) for body in rig.bodies("told")]
    letters = rig.bodies("orders-dlq")
    for message_id, body in zip(sent, BODIES, strict=True):
        if message_id not in deleted:
            continue
        if body in DEAD:
            assert body in letters
        for part in json.loads(body):
            if isinstance(part, str) or part["key"] in {"poison", "skip"}:
                continue
            state = await rig.state(part["key"])
            assert state is not None
            assert part["n"] in state.numbers  # type: ignore[attr-defined]  # a Seen
            assert any(part["n"] in each.numbers for each in told)


def hidden(rig: Rig) -> set[str | None]:
    """Answer the receipts that are neither deleted nor given back, unless their answer never arrived."""
    lost = {entry.handle for entry in rig.sqs.ledger.lost("receive")}
    return {entry.handle for entry in rig.sqs.ledger.in_flight("orders")} - lost


async def assert_finished(rig: Rig) -> None:
    """Another worker has done what was left: every event is folded, every state was told."""
    for key, numbers in {"a": (1, 2, 7), "b": (3, 4, 8)}.items():
        state = await rig.state(key)
        assert state == Seen(numbers)
        assert not [name for name in await rig.fields(key) if name.startswith("_o:")]
        assert any(tuple(json.loads(body)["numbers"]) == numbers for body in rig.bodies("told"))
    assert set(rig.bodies("orders-dlq")) == DEAD
    assert rig.bodies("orders") == []


@pytest.fixture
def prefixes(prefix: str) -> Iterator[Callable[[int], str]]:
    """Key prefixes, one a step."""
    return lambda step: f"{prefix}-{step}"  # type: ignore[return-value]  # nothing to close


STEPS = [*range(0, 60, 5), *range(60, 400, 11)]


async def test_a_drain_at_every_step_leaves_nothing_hidden(
    store: RedisStore, prefixes: Callable[[int], str]
) -> None:
    """Received = deleted + released, and the run says that all was finished."""
    for step in STEPS:
        rig = await scenario(store, prefixes(step))
        worker = Worker(await rig.assemble())
        finished: list[bool] = []

        async def run(worker: Worker = worker, finished: list[bool] = finished) -> None:
            finished.append(await worker.run())

        with fail_after(5):
            async with create_task_group() as tasks:
                tasks.start_soon(run)
                tasks.start_soon(cut_at, step, worker.stop)

        assert finished == [True], step
        assert rig.sqs.ledger.in_flight("orders") == [], step
        await assert_deleted_is_durable(rig)


async def test_a_hard_stop_at_every_step_gives_back_what_it_cuts(
    store: RedisStore, prefixes: Callable[[int], str]
) -> None:
    """Nothing stays hidden but what a cut receive was about to bring; another worker finishes the rest."""
    for step in STEPS:
        rig = await scenario(store, prefixes(step))
        worker = Worker(await rig.assemble())

        def stop(worker: Worker = worker) -> None:
            worker.stop()
            worker.stop()

        with fail_after(5):
            async with create_task_group() as tasks:
                tasks.start_soon(worker.run)
                tasks.start_soon(cut_at, step, stop)

        assert hidden(rig) == set(), step
        await assert_deleted_is_durable(rig)
        if not rig.sqs.ledger.lost("receive"):
            await rig.work_off(idle=0.05)
            await assert_finished(rig)


async def test_a_crash_at_every_step_deletes_nothing_that_is_not_durable(
    store: RedisStore, prefixes: Callable[[int], str]
) -> None:
    """Everything is cut at once and nothing is flushed; what was deleted by then was done by then."""
    for step in STEPS:
        rig = await scenario(store, prefixes(step))
        worker = Worker(await rig.assemble())
        with CancelScope() as scope:
            async with create_task_group() as tasks:
                tasks.start_soon(worker.run)
                tasks.start_soon(cut_at, step, scope.cancel)

        await assert_deleted_is_durable(rig)


async def test_leases_lost_at_every_step_leave_no_token_behind(
    store: RedisStore, prefixes: Callable[[int], str]
) -> None:
    """Whatever an agent was doing, its places are free again, and all that comes next is done."""
    for step in STEPS[::2]:
        rig = await scenario(store, prefixes(step))
        worker = Worker(await rig.assemble())
        (line,) = worker._lines
        leases = line.leases

        def lose(leases: Any = leases) -> None:
            leases._let_go(list(leases._held.values()))

        with fail_after(5):
            async with create_task_group() as tasks:
                tasks.start_soon(worker.run, name="worker")
                await cut_at(step, lose)
                await rig.send(['[{"key":"later","n":1}]'] * 10)
                while rig.tally.of("received") < 18 or len(leases):
                    await checkpoint()
                assert line.source._tokens._free + 10 * len(line.source._receiving) >= 5
                worker.stop()

        later = await rig.state("later")
        assert later == Seen((1,)), step
