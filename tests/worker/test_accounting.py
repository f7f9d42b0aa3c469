"""Whatever goes wrong, by seed: each receipt is deleted or given back once, and no message is lost."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import msgspec
import pytest
from anyio import CancelScope, create_task_group, fail_after, move_on_after
from anyio.lowlevel import checkpoint

from rigs.worker import PATIENCE, Add, Parts, Rig, until
from streamapp.errors import Reject, ServiceError, Skip
from streamapp.flow.backoff import Backoff
from streamapp.messages import Delivery, Outgoing, Queue
from streamapp.observe.counters import Counters
from streamapp.pipeline.leases import Lease, Leases
from streamapp.redis.store import RedisStore
from streamapp.sqs.client import Failure, Sqs
from streamapp.testing import Duplicate, Fail, Lose, MemorySqs, Partial, RealClock, Reorder, Slow
from streamapp.worker.assembly import assemble
from streamapp.worker.worker import Worker
from streamapp_codecs import Json

SEEDS, MANY_SEEDS = 50, 2_000

SIDE_BY_SIDE = 8
"""Seeds under way at once: most of the time of each is waiting."""

VISIBILITY = 30

KINDS = ("good", "good", "good", "two", "half", "bad", "empty", "poison", "flaky", "skip", "reject")


class Seen(msgspec.Struct, frozen=True):
    """A state: the numbers that came. Idempotent, so that a second delivery changes nothing."""

    numbers: tuple[int, ...] = ()


class Announced(msgspec.Struct, frozen=True):
    """An announcement of all numbers so far."""

    numbers: tuple[int, ...]


def see(state: Seen | None, event: Add) -> Seen | None:
    """Return the state with the event's number added."""
    numbers = state.numbers if state else ()
    return state if event.n in numbers else Seen(tuple(sorted({*numbers, event.n})))


class Leaping(RealClock):
    """The machine's time, which can leap ahead: then all visibility timeouts end at once."""

    leapt = 0.0

    def now(self) -> float:
        """Return the time in seconds."""
        return super().now() + self.leapt


@dataclass
class Witness:
    """An SQS as one worker sees it, and what that worker was given and asked for.

    *superseded* are the handles of messages in hand that came again: the newest one is the one to use.
    """

    sqs: Sqs
    queue: str = "orders"
    given: list[Delivery] = field(default_factory=list)
    superseded: list[str] = field(default_factory=list)
    deleted: set[str] = field(default_factory=set)
    released: set[str] = field(default_factory=set)

    def look_at(self, leases: Leases) -> None:
        """Note the messages that come again while *leases* hold them."""
        take = leases.take

        def noting(delivery: Delivery) -> Lease | None:
            held = leases._held.get(delivery.message_id)
            before = held.handle if held else ""
            lease = take(delivery)
            if lease is None:
                self.superseded.append(before)
            return lease

        leases.take = noting  # type: ignore[method-assign]  # it looks on, and changes nothing

    async def receive(
        self, queue: Queue, *, limit: int, wait: float, visibility: int | None = None
    ) -> list[Delivery]:
        """Receive."""
        deliveries = await self.sqs.receive(queue, limit=limit, wait=wait, visibility=visibility)
        self.given += deliveries
        return deliveries

    async def delete(self, queue: Queue, handles: Sequence[str]) -> list[Failure | None]:
        """Delete."""
        self.deleted.update(handles)
        return await self.sqs.delete(queue, handles)

    async def change_visibility(
        self, queue: Queue, changes: Sequence[tuple[str, int]]
    ) -> list[Failure | None]:
        """Give back: nothing lasts long enough here for a heartbeat."""
        self.released.update(handle for handle, _ in changes)
        return await self.sqs.change_visibility(queue, changes)

    async def find(self, name: str) -> Queue:
        """Find."""
        return await self.sqs.find(name)

    async def send(self, queue: Queue, messages: Sequence[Outgoing]) -> list[Failure | None]:
        """Send."""
        return await self.sqs.send(queue, messages)

    async def create(self, name: str, attributes: Mapping[str, str]) -> Queue:
        """Create."""
        return await self.sqs.create(name, attributes)

    async def attributes(self, queue: Queue) -> dict[str, str]:
        """Return all queue attributes."""
        return await self.sqs.attributes(queue)


@dataclass
class Run:
    """One seed: the messages, and the random numbers that decide all else."""

    rig: Rig
    luck: Random
    bodies: dict[str, str]
    kinds: dict[str, str]

    @property
    def clock(self) -> Leaping:
        """SQS's time."""
        clock = self.rig.sqs.clock
        assert isinstance(clock, Leaping)
        return clock


def body_of(kind: str, number: int) -> str:
    """Return the body of a message; its number is in it."""
    event: list[Any] = [{"key": f"k{number % 3}", "n": number}]
    if kind == "two":
        return json.dumps([*event, {"key": f"k{(number + 1) % 3}", "n": number}])
    if kind in {"poison", "flaky", "skip", "reject"}:
        return json.dumps([{"key": kind, "n": number}])
    return json.dumps({"good": event, "half": [*event, "bad"], "bad": ["bad", str(number)]}.get(kind, []))


async def begin(store: RedisStore, prefix: str, seed: int) -> Run:
    """Return a rig with messages in its queue, and an agent that ends each kind in its own way."""
    luck = Random(seed)
    rig = Rig(store, f"{prefix}-{seed}", wait_seconds=0.05, drain_timeout=PATIENCE)
    rig.sqs = MemorySqs(clock=Leaping(), seed=seed)
    await rig.create(visibility=VISIBILITY)
    policy = {"deadLetterTargetArn": "arn:aws:sqs:us-east-1:0:orders-dlq", "maxReceiveCount": 8}
    await rig.sqs.create("orders", {"RedrivePolicy": json.dumps(policy)})
    announced = rig.app.sink("announced", Json(Announced))
    rig.queues["announced"] = await rig.sqs.create("announced", {})
    table = rig.app.table(
        "seen",
        Seen,
        fold=see,
        announce=lambda _, after: Announced(after.numbers) if after else None,
        to=announced,
    )
    rig.counts = table  # type: ignore[assignment]  # the rig reads it by key
    failed: set[int] = set()

    async def seeing(events: Any) -> None:
        async for event in events:
            for _ in range(luck.randrange(4)):
                await checkpoint()
            if event.key == "skip":
                raise Skip("no")
            if event.key == "reject":
                raise Reject("rejected")
            if event.key == "poison" or (event.key == "flaky" and event.n not in failed):
                failed.add(event.n)
                raise RuntimeError
            await table.update(event.key, event)

    rig.agent(seeing, codec=Parts(), instances=luck.randint(1, 4), concurrency=luck.choice([1, 5, 12]))
    kinds = [luck.choice(KINDS) for _ in range(luck.randint(5, 40))]
    bodies = [body_of(kind, number) for number, kind in enumerate(kinds)]
    await rig.send(bodies)
    ids = [str(entry.message_id) for entry in rig.sqs.ledger.sent("orders")]
    return Run(rig, luck, dict(zip(ids, bodies, strict=True)), dict(zip(ids, kinds, strict=True)))


def add_faults(run: Run) -> None:
    """Add some faults, which stay as long as the workers of this seed run."""
    luck, faults = run.luck, run.rig.sqs.faults
    possible: list[tuple[str, Any]] = [
        ("receive", Fail()),
        ("receive", Lose()),
        ("receive", Duplicate()),
        ("receive", Reorder()),
        ("receive", Slow(0.01)),
        ("delete", Fail("RequestThrottled")),
        ("delete", Lose()),
        ("delete", Partial(luck.getrandbits(10))),
        ("change_visibility", Fail()),
        ("change_visibility", Lose()),
        ("change_visibility", Partial(luck.getrandbits(10), took_effect=True)),
        ("send", Fail()),
        ("send", Lose()),
        ("send", Partial(luck.getrandbits(10), missing=True)),
    ]
    for operation, effect in luck.sample(possible, luck.randint(0, 5)):
        faults.add(operation, effect, rate=luck.choice([0.05, 0.3]))


async def live(run: Run) -> None:
    """Run a worker until it drains, is stopped at once or crashes; then account for what it received."""
    luck, rig = run.luck, run.rig
    witness, counters = Witness(rig.sqs), Counters()
    try:
        parts = await assemble(
            rig.app.registry, rig.config, witness, rig.store, counters, shortest_lease=VISIBILITY
        )
    except ServiceError:
        return
    worker = Worker(parts)
    witness.look_at(parts.pipelines[0].leases)
    end = luck.choice(["drain", "drain", "hard", "crash"])
    turns, leap_at = int(2 ** luck.uniform(0, 12)), luck.choice([None, None, int(2 ** luck.uniform(0, 11))])
    with CancelScope() as scope, fail_after(PATIENCE):
        async with create_task_group() as tasks:
            tasks.start_soon(worker.run)
            for turn in range(turns):
                if turn == leap_at:
                    run.clock.leapt += VISIBILITY + 1
                await checkpoint()
            if end == "crash":
                scope.cancel()
            worker.stop()
            if end == "hard":
                worker.stop()
    if end != "crash":
        assert_settled(worker, witness, counters)


def assert_settled(worker: Worker, witness: Witness, counters: Counters) -> None:
    """Check that every receipt was deleted or given back, and that nothing is in hand any more."""
    (pipeline,) = worker.pipelines
    given = [delivery.handle for delivery in witness.given]
    assert len(set(given)) == len(given)
    assert witness.deleted & witness.released == set()
    assert set(given) == witness.deleted | witness.released | set(witness.superseded)
    ends = ("ok", "duplicate", "skipped", "invalid", "dead", "retry", "released")
    assert counters.of("received") == len(given)
    assert counters.of("received") == sum(counters.of(word) for word in ends) + len(witness.superseded)
    assert len(pipeline.leases) == 0
    assert pipeline.poller._tokens.free == pipeline.poller._tokens.total


def assert_ledger(run: Run) -> None:
    """Check that received = deleted + given back + still leased, and that each message is there, deleted or redriven.

    A receipt is overtaken when the message is deleted, or given back, by the handle of an earlier one.
    """
    ledger = run.rig.sqs.ledger
    received = {entry.handle for entry in ledger.received("orders")}
    deleted = {entry.handle for entry in ledger.deleted("orders")}
    released = {entry.handle for entry in ledger.released("orders")}
    returned = {
        entry.handle
        for entry in ledger.entries
        if (entry.operation, entry.outcome, entry.queue) == ("return", "done", "orders")
    }
    overtaken = {entry.handle for entry in ledger.entries if entry.outcome == "overtaken"}
    leased = {entry.handle for entry in ledger.in_flight("orders")}
    assert deleted & released == set()
    assert leased & (deleted | released | returned | overtaken) == set()
    assert received == deleted | released | returned | overtaken | leased
    held = Counter(run.rig.bodies("orders"))
    gone = {str(entry.message_id) for entry in (*ledger.deleted("orders"), *ledger.redriven("orders"))}
    for message_id, body in run.bodies.items():
        assert message_id in gone or held[body], message_id


async def assert_done(run: Run, message_ids: Sequence[str]) -> None:
    """Check that each message is in the state and was announced, or is a dead letter, or was to be skipped."""
    rig = run.rig
    states = {key: await rig.state(key) for key in ("k0", "k1", "k2", "flaky")}
    announced = {number for body in rig.bodies("announced") for number in json.loads(body)["numbers"]}
    letters = set(rig.bodies("orders-dlq"))
    for message_id in message_ids:
        kind, body = run.kinds[message_id], run.bodies[message_id]
        if kind in {"skip", "empty"}:
            continue
        if kind in {"half", "bad", "poison", "reject"}:
            assert body in letters, (message_id, kind)
        if kind in {"good", "two", "half", "flaky"} and body not in letters - {
            body if kind == "half" else ""
        }:
            for event in (part for part in json.loads(body) if isinstance(part, dict)):
                state: Any = states[event["key"]]
                assert state is not None, (message_id, kind)
                assert event["n"] in state.numbers, (message_id, kind)
                assert event["n"] in announced, (message_id, kind)


@pytest.fixture
def seeds(request: pytest.FixtureRequest) -> range:
    """The seeds to run; `--long` runs many more."""
    return range(MANY_SEEDS if request.config.getoption("--long") else SEEDS)


@pytest.mark.timeout(1200)
async def test_every_receipt_is_accounted_for(
    store: RedisStore, prefix: str, seeds: range, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Workers drain, are stopped and crash at any await, under any faults: no message is lost, and none is kept."""
    monkeypatch.setattr("streamapp.pipeline.acks.AGAIN", Backoff(0.01, 0.01))
    monkeypatch.setattr("streamapp.flow.outage.AGAIN", Backoff(0.004, 2.0))
    waiting = iter(seeds)

    async def work() -> None:
        for seed in waiting:
            run = await begin(store, prefix, seed)
            try:
                await account(run)
            except BaseException:
                print(f"seed {seed}")  # noqa: T201 - it makes the failure come again
                raise

    async with create_task_group() as workers:
        for _ in range(SIDE_BY_SIDE):
            workers.start_soon(work)


async def account(run: Run) -> None:
    """Run workers one after the other and side by side, check after each, and let a last one finish."""
    rig, luck = run.rig, run.luck
    add_faults(run)
    for _ in range(luck.randint(1, 3)):
        async with create_task_group() as workers:
            for _ in range(luck.choice([1, 1, 2])):
                workers.start_soon(live, run)
        assert_ledger(run)
        await assert_done(run, _deleted(run))
        run.clock.leapt += VISIBILITY + 1
    rig.sqs.faults.clear()
    with fail_after(PATIENCE):
        await finish(run)

    assert_ledger(run)
    assert rig.sqs.ledger.in_flight("orders") == []
    await assert_done(run, list(run.bodies))


async def finish(run: Run) -> None:
    """Run an undisturbed worker until nothing is left."""
    worker = Worker(await run.rig.patient(run.rig.assemble))
    async with create_task_group() as tasks:
        tasks.start_soon(worker.run)
        while run.rig.bodies("orders"):
            with move_on_after(0.2):
                await until(lambda: not run.rig.bodies("orders"))
            # A second copy of a message in hand is neither deleted nor given back: it stays hidden for its visibility timeout.
            run.clock.leapt += VISIBILITY + 1
        worker.stop()


def _deleted(run: Run) -> list[str]:
    return [str(entry.message_id) for entry in run.rig.sqs.ledger.deleted("orders")]
