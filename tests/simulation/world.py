"""One simulated world: its workers and its faults, all from one seed."""

import hashlib
import random
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from types import SimpleNamespace
from typing import Any

import msgspec
from anyio import Event, create_task_group, run, sleep
from anyio.lowlevel import current_token

import streamapp.outbox.sweeper
import streamapp.state.committer
from simulation.judge import Judge, Promises, WatchedValues
from simulation.loop import Loop, WorldTime
from simulation.shop import Fact, Habits, Shop, bad_facts, bulk_facts, facts_by
from simulation.wire import Wire, WiredSqs, WiredStore
from streamapp.config import Config
from streamapp.errors import ServiceError
from streamapp.messages import Outgoing, Queue
from streamapp.observe.counters import Counters
from streamapp.outbox.sweeper import SweepPace
from streamapp.sqs.queue_setup import create_queues
from streamapp.testing import Delay, Duplicate, Fail, Lose, MemorySqs, MemoryStore, Partial, Reorder
from streamapp.worker.assembly import assemble
from streamapp.worker.worker import Worker

PATIENCE = 1_800.0
"""Virtual seconds in which a world must become idle after its last fault."""


@dataclass(frozen=True, slots=True)
class Luck:
    """The faults of a world; rates are by call, times in virtual seconds.

    *failovers* happen within twice the *window* in which events are sent. The replica is *lag* behind, and its link
    is cut for up to *longest_cut* before some of them. *sweeps* gives the pause between sweeps and the age of what
    they send. With *once* each key's events are counted too: each event once, or each time that it comes.

    With *fifo* the events come from a FIFO queue, each key a group. With *batch* the agent takes up to so many events at
    once. *bad* are events that must end as dead letters, or without effect; *bulks* are events that change many keys.
    """

    events: int
    keys: int
    workers: int
    concurrency: int
    visibility: int
    window: float
    faults: float
    crashes: float
    freezes: float
    failures: float
    replicated: bool
    failovers: int
    lag: float
    longest_cut: float = 2.0
    sweeps: tuple[float, float] | None = (20.0, 10.0)
    once: bool | None = None
    fifo: bool = False
    batch: int = 0
    bad: int = 0
    bulks: int = 0

    @property
    def promises(self) -> Promises:
        """What still holds: a store that waits for no replica loses acknowledged writes in a failover."""
        return Promises(
            self.replicated or not self.failovers,
            self.replicated,
            has_keepers=not (self.batch and self.bulks),
            is_in_order=self.fifo,
        )

    @property
    def habits(self) -> Habits:
        """What the agent does."""
        queue = "facts.fifo" if self.fifo else "facts"
        return Habits(queue, self.failures, self.concurrency, self.batch, self.once)


def luck_of(seed: int, events: int) -> Luck:
    """Return the faults of a seed."""
    chance = Random(f"luck {seed}")
    company = Random(f"company {seed}")
    replicated, fails_over = chance.random() < 0.5, chance.random() < 0.6
    fifo, batch, bulks = (company.random() < 0.33 for _ in range(3))
    return Luck(
        events=events,
        keys=chance.randint(2, 12),
        workers=chance.randint(2, 3),
        concurrency=chance.choice((5, 10, 20)),
        visibility=chance.choice((4, 8, 20)),
        window=chance.uniform(5, 30),
        faults=chance.choice((0, 0.02, 0.1)),
        crashes=chance.choice((0, 0.005, 0.02)),
        freezes=chance.choice((0, 0.002)),
        failures=chance.choice((0, 0.02)),
        replicated=replicated,
        failovers=chance.randint(1, 4) if fails_over else 0,
        lag=chance.choice((0.01, 0.1, 0.5)) if replicated or fails_over else 0.0,
        once=True if chance.random() < 0.25 else None,
        fifo=fifo,
        batch=company.choice((5, 10, 20)) if batch else 0,
        bad=company.randint(3, 12) if fifo or batch else 0,
        bulks=company.randint(1, 2) if bulks else 0,
    )


@dataclass(frozen=True, slots=True)
class WorldOutcome:
    """The outcome of a world: only *violations* are failures. *trace* is the same whenever the seed runs again."""

    seed: int
    violations: list[str]
    trace: str
    luck: Luck
    crashes: int
    deliveries: int
    announcements: int
    repeated: int
    lasted: float
    counts: Mapping[str, int]
    """How often happened what some worlds are chosen for, such as a batch that was divided."""


def simulate(seed: int, events: int = 200, luck: Luck | None = None) -> WorldOutcome:
    """Run one world from its start to its end."""
    world = World(seed, luck or luck_of(seed, events))
    before = random.getstate()
    # The engine's own jitter.
    random.seed(seed)
    try:
        return run(world.live, backend_options={"loop_factory": Loop})
    finally:
        random.setstate(before)


class World:
    """Queues, a store, workers that come and go."""

    def __init__(self, seed: int, luck: Luck) -> None:
        self._seed = seed
        self._luck = luck
        self._chance = Random(f"world {seed}")
        self._wires: list[Wire] = []
        self._is_quiet = False
        self._sent_all = False
        self._crashes = 0
        self._over = Event()
        self._until = 0.0

    async def live(self) -> WorldOutcome:
        """Run the world."""
        luck = self._luck
        loop: Any = current_token().native_token
        self._time = time = WorldTime(loop)
        with _wall(time):
            self._sqs = MemorySqs(clock=time, seed=self._seed)
            self._store = MemoryStore(clock=time, seed=self._seed, replicas=int(luck.replicated))
            self._judge = Judge(self._store, luck.promises, counts=luck.once is not None)
            self._store.values = WatchedValues(time, luck.lag, self._judge)
            self._config = Config(
                key_prefix="s:",
                wait_seconds=5,
                drain_timeout=5,
                concurrency=10,
                replicas=int(luck.replicated),
            )
            await create_queues(self._sqs, self._config, sources=[luck.habits.queue], sinks=["out"])
            self._facts = await self._sqs.create(
                luck.habits.queue, {"VisibilityTimeout": str(luck.visibility)}
            )
            self._watch_ledger()
            self._let_fail()
            loop.at_rest = self._look
            async with create_task_group() as inside:
                for number in range(luck.workers):
                    inside.start_soon(self._work, number, name=f"worker {number}")
                inside.start_soon(self._send, name="sender")
                inside.start_soon(self._fail_over, name="failovers")
                await self._over.wait()
                for wire in self._wires:
                    wire.cut()
                inside.cancel_scope.cancel("the end of the world")
            self._judge.end()
            return self._verdict()

    def _look(self) -> None:
        """When all tasks wait for time to pass, check whether the world is over."""
        if not self._sent_all:
            return
        if not self._is_quiet:
            self._is_quiet = True
            self._sqs.faults.clear()
            self._store.faults.clear()
            self._until = self._time.now() + PATIENCE
        if self._is_over():
            self._over.set()
        elif self._time.now() >= self._until and not self._over.is_set():
            self._judge.violations.append("it never came to rest")
            self._over.set()

    def _is_over(self) -> bool:
        messages = self._sqs.simulator.broker.stored(self._facts.name, self._time.now()).messages
        if len(messages):
            return False
        owed = [
            text
            for fields in self._store.hashes().values()
            for name, text in fields.items()
            if name.startswith("_o:")
        ]
        # What a crash left noted after it was sent, only a sweeper clears.
        return not owed or (self._luck.sweeps is None and all(map(self._judge.was_said, owed)))

    async def _work(self, number: int) -> None:
        luck = self._luck
        every, age = luck.sweeps or (1e9, 1e9)
        pace = SweepPace(every, age, pause=0)
        while True:
            chance = Random(f"worker {self._seed} {number} {self._crashes}")
            crashes, freezes = (0.0, 0.0) if self._is_quiet else (luck.crashes, luck.freezes)
            wire = Wire(self._chance, crashes=crashes, freezes=freezes, longest_freeze=3.0 * luck.visibility)
            self._wires.append(wire)
            shop = Shop(chance, luck.habits, self._judge)
            with wire.crash:
                try:
                    assembly = await assemble(
                        shop.app.registry,
                        self._config,
                        WiredSqs(self._sqs, wire),
                        WiredStore(self._store, wire),
                        Counters(),
                        pace=pace,
                        shortest_lease=luck.visibility,
                    )
                except ServiceError:
                    await sleep(1)
                    continue
                await Worker(assembly, watch=False).run()
            self._crashes += 1
            await sleep(self._chance.uniform(0.01, 3))

    async def _send(self) -> None:
        luck = self._luck
        facts = facts_by(self._chance, luck.events, luck.keys)
        for other in (
            *bad_facts(self._chance, luck.bad, luck.keys),
            *bulk_facts(self._chance, luck.bulks, luck.events, luck.keys),
        ):
            facts.insert(self._chance.randrange(len(facts)), other)
        for n, fact in enumerate(facts):
            await sleep(self._chance.uniform(0, 2 * luck.window / len(facts)))
            body = msgspec.json.encode(fact).decode()
            for copy in range(1 + (self._chance.random() < 0.1)):
                if luck.fifo:
                    await self._give(self._facts, Outgoing(body, group=fact.key, deduplication=f"{n}-{copy}"))
                else:
                    await self._give(self._facts, Outgoing(body))
        await sleep(2)
        self._sent_all = True

    async def _give(self, queue: Queue, message: Outgoing) -> None:
        while True:
            try:
                if await self._sqs.send(queue, [message]) == [None]:
                    return
            except ServiceError:
                pass
            await sleep(0.1)

    async def _fail_over(self) -> None:
        values = self._store.values
        for _ in range(self._luck.failovers):
            await sleep(self._chance.uniform(0, self._luck.window * 2 / self._luck.failovers))
            if self._is_quiet:
                return
            if self._chance.random() < 0.5:
                # The link is cut for a while first, and is whole again with the new replica.
                values.lag = float("inf")
                await sleep(self._chance.uniform(0, self._luck.longest_cut))
            self._store.fail_over()
            values.lag = self._luck.lag

    def _let_fail(self) -> None:
        rate, chance = self._luck.faults, self._chance
        self._sqs.faults.add("receive", Reorder())
        if not rate:
            return
        self._sqs.faults.add("*", Fail("InternalError"), rate=rate)
        self._sqs.faults.add("*", Lose(), rate=rate)
        self._sqs.faults.add("send", Partial(lambda _: chance.random() < 0.3), queue="out", rate=rate)
        self._sqs.faults.add("delete", Partial(lambda _: chance.random() < 0.3), rate=rate)
        if not self._luck.fifo:  # such a queue delivers no copies, and in no other order
            self._sqs.faults.add("receive", Duplicate(after=chance.uniform(0, 10)), rate=rate / 4)
            self._sqs.faults.add("send", Delay(0, 5), queue=self._facts.name, rate=rate)
        self._store.faults.add("*", Fail("LOADING"), rate=rate)
        self._store.faults.add("*", Lose(), rate=rate)

    def _watch_ledger(self) -> None:
        """Report to the judge what SQS does, as it happens."""
        broker, ledger, judge = self._sqs.simulator.broker, self._sqs.simulator.ledger, self._judge
        note = ledger.note
        reports = {"receive": judge.received, "redrive": judge.redriven}
        newest: dict[str, str] = {}  # the handle of each message's last receive

        def watch(
            at: float, operation: str, queue: str, outcome: str, *rest: Any, call: int | None = None
        ) -> None:
            note(at, operation, queue, outcome, *rest, call=call)
            if not (rest and rest[0] and outcome == "done"):
                return
            if operation == "send":
                body = next(reversed(broker.stored(queue, at).messages._all.values())).content.body
                if queue == "out":
                    judge.announced(body)
                elif queue == self._facts.name:
                    judge.sent(rest[0], msgspec.json.decode(body, type=Fact))
                else:
                    judge.buried(msgspec.json.decode(body, type=Fact))
            elif operation == "delete":
                judge.deleted(rest[0], is_overtaken=rest[1] != newest.get(rest[0]))
            elif operation in reports:
                newest[rest[0]] = rest[1]
                reports[operation](rest[0])

        ledger.note = watch

    def _verdict(self) -> WorldOutcome:
        ledger = self._sqs.simulator.ledger
        entries = [*ledger.entries, *self._store.ledger.entries]
        lines = [f"{it.at:.9f} {it.operation} {it.queue} {it.outcome} {it.handle}" for it in entries]
        said = self._judge.said
        return WorldOutcome(
            self._seed,
            self._judge.violations,
            hashlib.sha256("\n".join(lines).encode()).hexdigest(),
            self._luck,
            self._crashes,
            len(ledger.received(self._facts.name)),
            len(said),
            sum(said.values()) - len(said),
            self._time.now(),
            self._judge.counts,
        )


@contextmanager
def _wall(time: WorldTime) -> Generator[None]:
    """Replace the engine's wall clock by the world's."""
    modules = (streamapp.state.committer, streamapp.outbox.sweeper)
    real = streamapp.state.committer.time
    for module in modules:
        module.time = SimpleNamespace(time=lambda: time.wall().timestamp())
    try:
        yield
    finally:
        for module in modules:
            module.time = real
