"""Cut the worker off before and after every call of SQS and Redis, and account for every delivery."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec
from anyio import CancelScope, create_task_group, fail_after
from anyio.lowlevel import checkpoint

from rigs.worker import PATIENCE, Add, Parts, Rig, until
from streamapp.errors import Skip
from streamapp.redis.store import RedisStore
from streamapp.testing import MemorySqs, VirtualClock
from streamapp.worker.assembly import assemble
from streamapp.worker.worker import Worker
from streamapp_codecs import Json


class Seen(msgspec.Struct, frozen=True):
    """A state: what was added. Idempotent, so that a second delivery changes nothing."""

    numbers: tuple[int, ...] = ()


class Announced(msgspec.Struct, frozen=True):
    """An announcement of all that was added so far."""

    key: str
    numbers: tuple[int, ...]


def see(state: Seen | None, event: Add) -> Seen | None:
    """Return the state with the event's number added."""
    numbers = state.numbers if state else ()
    return state if event.n in numbers else Seen(tuple(sorted({*numbers, event.n})))


# Two keys, several events in a body, a bad part, a body without events, an event that always fails, and one to be skipped.
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


class Cut:
    """Counts each call of a service on its way out and on its way back; at the *at*-th of these passages it cuts the worker off."""

    def __init__(self, at: int) -> None:
        self.left = at
        self.cut: Callable[[], object] = bool
        self.lost: set[str | None] = set()
        """Handles that a receive had brought when it was cut off on its way back."""

    def before(self, service: Any) -> Any:
        """Return *service* with this in front of it."""
        return _Passage(service, self)

    async def step(self) -> None:
        """Count one passage, and cut the worker off if it is the last."""
        self.left -= 1
        if self.left == 0:
            self.cut()
            await checkpoint()


class _Passage:
    def __init__(self, service: Any, cut: Cut) -> None:
        self._service = service
        self._cut = cut

    def __getattr__(self, name: str) -> Any:
        async def call(*arguments: Any, **options: Any) -> Any:
            await self._cut.step()
            response = await getattr(self._service, name)(*arguments, **options)
            if name == "receive" and self._cut.left == 1:
                self._cut.lost = {delivery.handle for delivery in response}
            await self._cut.step()
            return response

        return call


async def scenario(store: RedisStore, prefix: str) -> Rig:
    """Return a rig with all of `BODIES` in its queue; a poison event is dead-lettered at once."""
    rig = Rig(store, prefix, max_attempts=1, wait_seconds=0, drain_timeout=PATIENCE)
    rig.sqs = MemorySqs(clock=VirtualClock())
    await rig.create()
    announced = rig.app.sink("announced", Json(Announced))
    rig.queues["announced"] = await rig.sqs.create("announced", {})
    table = rig.app.table(
        "seen",
        Seen,
        fold=see,
        announce=lambda _, after: Announced("", after.numbers) if after else None,
        to=announced,
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
    return rig


async def worker_of(rig: Rig, cut: Cut) -> Worker:
    """Return a worker all of whose calls pass *cut*, once it is assembled."""
    left, cut.left = cut.left, -1
    parts = await assemble(
        rig.app.registry, rig.config, cut.before(rig.sqs), cut.before(rig.store), rig.tally
    )
    cut.left = left
    return Worker(parts)


async def run_until_done(rig: Rig, worker: Worker) -> bool:
    """Run *worker* until nothing is left or it is stopped, and return whether all was finished."""
    finished: list[bool] = []

    async def run() -> None:
        finished.append(await worker.run())
        tasks.cancel_scope.cancel()

    async with create_task_group() as tasks:
        tasks.start_soon(run)
        await until(lambda: not rig.bodies("orders"))
        drain(worker)
    return finished == [True]


def drain(worker: Worker) -> None:
    """Stop *worker*, unless it was stopped: a second call would be a hard stop."""
    if not worker.is_draining:
        worker.stop()


async def assert_deleted_is_durable(rig: Rig, at: int) -> None:
    """Check that what was deleted is in the state and was announced, or is a dead letter, or was to be skipped."""
    deleted = {entry.message_id for entry in rig.sqs.ledger.deleted("orders")}
    sent = [entry.message_id for entry in rig.sqs.ledger.sent("orders")]
    announced = [Announced(**json.loads(body)) for body in rig.bodies("announced")]
    letters = rig.bodies("orders-dlq")
    for message_id, body in zip(sent, BODIES, strict=True):
        if message_id not in deleted:
            continue
        assert body not in DEAD or body in letters, at
        for part in json.loads(body):
            if isinstance(part, str) or part["key"] in {"poison", "skip"}:
                continue
            state = await rig.state(part["key"])
            assert state is not None, at
            assert part["n"] in state.numbers, at  # type: ignore[attr-defined]  # a Seen
            assert any(part["n"] in each.numbers for each in announced), at


async def assert_finished(rig: Rig, at: int) -> None:
    """Check that another worker has done what was left: every event is folded, every state was announced."""
    for key, numbers in {"a": (1, 2, 7), "b": (3, 4, 8)}.items():
        assert await rig.state(key) == Seen(numbers), at
        assert any(tuple(json.loads(body)["numbers"]) == numbers for body in rig.bodies("announced")), at
    assert set(rig.bodies("orders-dlq")) == DEAD, at
    assert rig.bodies("orders") == [], at


async def finish(rig: Rig) -> None:
    """End all visibility timeouts, and run another worker until nothing is left."""
    clock = rig.sqs.clock
    assert isinstance(clock, VirtualClock)
    await clock.advance(31)
    with fail_after(PATIENCE):
        await run_until_done(rig, await worker_of(rig, Cut(-1)))


def hidden(rig: Rig) -> set[str | None]:
    """Return the receipts that are neither deleted nor given back."""
    return {entry.handle for entry in rig.sqs.ledger.in_flight("orders")}


def lost(rig: Rig, cut: Cut) -> set[str | None]:
    """Return the receipts of each receive that was cut off on its way back, at this passage or at another."""
    return cut.lost | {entry.handle for entry in rig.sqs.ledger.lost("receive")}


async def passages(store: RedisStore, prefix: str) -> int:
    """Return how many passages an undisturbed worker has."""
    rig = await scenario(store, prefix)
    cut = Cut(-1)
    worker = await worker_of(rig, cut)
    assert await run_until_done(rig, worker)
    await assert_finished(rig, 0)
    return -1 - cut.left


async def test_a_crash_at_every_passage_loses_nothing(store: RedisStore, prefix: str) -> None:
    """Nothing is flushed then: what was deleted must be done by that time, and the rest comes again."""
    for at in range(1, await passages(store, f"{prefix}x") + 1):
        rig = await scenario(store, f"{prefix}{at}")
        cut = Cut(at)
        worker = await worker_of(rig, cut)
        with CancelScope() as scope:
            cut.cut = scope.cancel
            await run_until_done(rig, worker)

        await assert_deleted_is_durable(rig, at)
        await finish(rig)
        await assert_finished(rig, at)


async def test_a_hard_stop_at_every_passage_gives_back_what_it_cuts(store: RedisStore, prefix: str) -> None:
    """Nothing stays hidden but what a receive that was cut off had brought."""
    for at in range(1, await passages(store, f"{prefix}x") + 1):
        rig = await scenario(store, f"{prefix}{at}")
        cut = Cut(at)
        worker = await worker_of(rig, cut)
        cut.cut = lambda worker=worker: (worker.stop(), worker.stop())
        with fail_after(PATIENCE):
            await run_until_done(rig, worker)

        assert hidden(rig) <= lost(rig, cut), at
        await assert_deleted_is_durable(rig, at)
        await finish(rig)
        await assert_finished(rig, at)


async def test_a_drain_at_every_passage_leaves_nothing_hidden(store: RedisStore, prefix: str) -> None:
    """What was received is deleted or given back, and the run returns that all was finished."""
    for at in range(1, await passages(store, f"{prefix}x") + 1, 3):
        rig = await scenario(store, f"{prefix}{at}")
        cut = Cut(at)
        worker = await worker_of(rig, cut)
        cut.cut = partial(drain, worker)
        with fail_after(PATIENCE):
            is_finished = await run_until_done(rig, worker)

        assert is_finished, at
        assert hidden(rig) == set(), at
        assert not [name for key in "ab" for name in await rig.fields(key) if name.startswith("_o:")], at
        await assert_deleted_is_durable(rig, at)


async def test_leases_lost_at_every_passage_give_back_their_tokens(store: RedisStore, prefix: str) -> None:
    """Whatever an agent was doing, its places are free again, and all that comes next is done."""
    for at in range(1, await passages(store, f"{prefix}x") + 1, 3):
        rig = await scenario(store, f"{prefix}{at}")
        cut = Cut(at)
        worker = await worker_of(rig, cut)
        (pipeline,) = worker.pipelines

        def lose(leases: Any = pipeline.leases) -> None:
            leases._let_go(list(leases._held.values()))

        cut.cut = lose
        with fail_after(PATIENCE):
            async with create_task_group() as tasks:
                tasks.start_soon(worker.run)
                await until(lambda cut=cut, rig=rig: cut.left < 0 or not rig.bodies("orders"))
                await rig.send(['[{"key":"later","n":1}]'] * 10)
                await until(
                    lambda rig=rig, pipeline=pipeline: (
                        rig.tally.of("received") >= 18 and not len(pipeline.leases)
                    )
                )
                worker.stop()

        assert await rig.state("later") == Seen((1,)), at
        assert pipeline.poller._tokens.free == 5, at
