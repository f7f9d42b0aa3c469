"""A worker on an SQS in memory and a real Valkey, for tests that follow messages from start to end."""

import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import count
from typing import Any, TypeVar

import msgspec
import pytest
from anyio import create_task_group, current_time, fail_after, sleep

from streamapp.app import App
from streamapp.config import Config
from streamapp.declared.sink import Sink
from streamapp.declared.table import Table
from streamapp.flow.outage import Outage
from streamapp.messages import Delivery, Outgoing, Queue
from streamapp.observe.counters import Counters
from streamapp.observe.presence import PresenceStore
from streamapp.observe.tap_writer import Tap, TapEntry, no_tap
from streamapp.observe.tracing import Tracing
from streamapp.pipeline.agent import Handler
from streamapp.state.store import Store
from streamapp.testing import MemorySqs
from streamapp.worker.assembly import Assembly, assemble
from streamapp.worker.worker import Worker
from streamapp_codecs import Decoded, DecodeError, Json, Origin

T = TypeVar("T")

PATIENCE = 60.0
"""Seconds after which something hangs, however busy the machine is."""

ATTEMPTS = 3
"""Receives before a rig's worker dead-letters a failing message."""


class Add(msgspec.Struct, frozen=True):
    """An event: add *n* to the count of *key*."""

    key: str
    n: int = 1


class Count(msgspec.Struct, frozen=True):
    """A state: *total* of what was added, in *times* events."""

    total: int
    times: int


class Note(msgspec.Struct, frozen=True):
    """An announcement of a new total."""

    key_total: str
    times: int


def add(state: Count | None, event: Add) -> Count | None:
    """Add the event to the count; not idempotent, so that each event that is lost or folded twice shows."""
    if event.n == 0:
        return state
    return Count((state.total if state else 0) + event.n, (state.times if state else 0) + 1)


def note(before: Count | None, after: Count | None) -> Note | None:
    """Announce every change."""
    del before
    return None if after is None else Note(str(after.total), after.times)


class Parts:
    """A codec of bodies with several events: a JSON list of `Add`, in which a string is a bad part."""

    def decode(self, body: str, origin: Origin) -> Decoded[Add]:
        """Return the good parts, and the error of the bad one."""
        del origin
        parts = json.loads(body)
        events = tuple(msgspec.convert(part, Add) for part in parts if not isinstance(part, str))
        bad = any(isinstance(part, str) for part in parts)
        return Decoded(events=events, error=DecodeError("undecidable", "at `$`") if bad else None)


class AnyJson:
    """A codec of any JSON, by Python's own module: unlike others it reads half a character, an unpaired surrogate."""

    def decode(self, body: str, origin: Origin) -> Decoded[Any]:
        """Return what *body* holds; a list is several events."""
        del origin
        value = json.loads(body)
        return Decoded(events=tuple(value) if isinstance(value, list) else (value,))


class KeptRecords:
    """Where a tap writes to."""

    def __init__(self) -> None:
        self.records: list[dict[str, Any]] = []

    async def append(self, entries: Sequence[TapEntry]) -> None:
        """Keep the records."""
        self.records += [json.loads(line) for entry in entries for line in entry.lines.splitlines()]


class Rig:
    """Queues `orders` (dead letters: `orders-dlq`) and `out`, an app, and all that is needed to run it."""

    def __init__(self, store: Store, prefix: str, **settings: Any) -> None:
        self.sqs = MemorySqs()
        self.store = store
        self.app = App("test")
        self.out: Sink[Any] = self.app.sink("out", Json(Note))
        self.counts: Table[Count, Add] = self.app.table("count", Count, fold=add, announce=note, to=self.out)
        defaults = {
            "key_prefix": f"{prefix}:",
            "wait_seconds": 0.1,
            "drain_timeout": 5,
            "max_attempts": ATTEMPTS,
        }
        self.config = Config(**{**defaults, **settings})
        self.tally = Counters()
        self.queues: dict[str, Queue] = {}
        self.numbers = count()
        self.shortest_lease = 1.0  # a test does not wait for longer than its queue says
        self.tap = no_tap()
        self.presence: PresenceStore | None = None
        self.tracing: Tracing | None = None

    async def create(
        self, *, visibility: int = 30, out: dict[str, str] | None = None, fifo: bool = False
    ) -> "Rig":
        """Create the queues, FIFO ones with names such as `orders.fifo`, and return the rig."""
        end, kind = (".fifo", {"FifoQueue": "true"}) if fifo else ("", {})
        if fifo:
            names = {f"{name}_QUEUE_URL": f"{name.lower()}.fifo" for name in ("ORDERS", "OUT")}
            self.config = replace(self.config, queues=names)
        self.queues["orders-dlq"] = await self.sqs.create(f"orders-dlq{end}", kind)
        policy = {"deadLetterTargetArn": f"arn:aws:sqs:us-east-1:0:orders-dlq{end}", "maxReceiveCount": 50}
        self.queues["orders"] = await self.sqs.create(
            f"orders{end}",
            {"VisibilityTimeout": str(visibility), "RedrivePolicy": json.dumps(policy), **kind},
        )
        self.queues["out"] = await self.sqs.create(f"out{end}", {**kind, **(out or {})})
        return self

    def agent(self, handler: Handler[Any], *, codec: Any = None, **options: Any) -> None:
        """Declare the agent of `orders`."""
        self.app.agent("orders", codec or Json(Add), **{"backoff": 0.01, **options})(handler)

    def count(self, **options: Any) -> None:
        """Declare the usual agent: each event is added to its count."""

        async def counting(events: Any) -> None:
            async for event in events:
                await self.counts.update(event.key, event)

        self.agent(counting, **options)

    def keep_records(self) -> KeptRecords:
        """Return where the records of the tap are kept from now on."""
        kept = KeptRecords()
        self.tap = Tap(kept, self.tally)
        return kept

    async def send(self, events: Iterable[Any], queue: str = "orders") -> None:
        """Send a message for each event; a str is sent as it is."""
        bodies = [each if isinstance(each, str) else msgspec.json.encode(each).decode() for each in events]
        for start in range(0, len(bodies), 10):
            await self.sqs.send(self.queues[queue], [Outgoing(body) for body in bodies[start : start + 10]])

    def last_sent(self) -> str:
        """Return the id of the message that was sent last."""
        return self.sqs.ledger.sent()[-1].message_id or ""

    async def send_in_groups(self, events: Iterable[Add], queue: str = "orders") -> None:
        """Send a message for each event, in the group of its key."""
        for event in events:
            to = self.queues[queue]
            identity = str(next(self.numbers)) if to.fifo else None
            message = Outgoing(msgspec.json.encode(event).decode(), group=event.key, deduplication=identity)
            assert await self.sqs.send(to, [message]) == [None]

    async def assemble(self) -> Assembly:
        """Put the worker's parts together."""
        return await assemble(
            self.app.registry,
            self.config,
            self.sqs,
            self.store,
            self.tally,
            shortest_lease=self.shortest_lease,
            tap=self.tap,
            presence=self.presence,
            tracing=self.tracing,
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Worker]:
        """Run a worker; at the end it drains."""
        worker = Worker(await self.assemble())
        async with create_task_group() as tasks:
            await tasks.start(worker.run)
            yield worker
            worker.stop()

    async def work_off(self, idle: float = 0.1) -> bool:
        """Run a worker until nothing is left to do; return whether all was finished."""
        with fail_after(PATIENCE):
            return await Worker(await self.assemble()).run(idle=idle)

    async def state(self, key: str) -> Count | None:
        """Return the state of *key*."""
        return self.counts.folding.hash_codec.read(await self.fields(key))

    async def fields(self, key: str) -> dict[str, str]:
        """Return the whole hash of *key*."""
        asked = [self.counts.redis_key(self.config.key_prefix, key)]
        (fields,) = await self.patient(lambda: self.store.read(asked))
        assert isinstance(fields, dict)
        return fields

    async def patient(self, call: Callable[[], Awaitable[T]]) -> T:
        """Return the result of *call*, with a longer timeout than a worker's: the machine may be busy."""
        return await Outage("the store", self.store.ping).ride_out(call)

    def bodies(self, queue: str = "out") -> list[str]:
        """Return the bodies that a queue holds."""
        return self.sqs.bodies(self.queues[queue])

    async def letters(self) -> list[Delivery]:
        """Receive the dead letters."""
        return await self.sqs.receive(self.queues["orders-dlq"], limit=10, wait=0)

    def dead(self) -> list[Any]:
        """Return what the bodies of the dead letters hold."""
        return [json.loads(body) for body in self.bodies("orders-dlq")]

    def assert_accounted(self) -> None:
        """Check that nothing is hidden any more: each message received was deleted or given back."""
        assert self.sqs.ledger.in_flight(self.queues["orders"].name) == []


async def until(holds: Callable[[], object], within: float = PATIENCE) -> None:
    """Return when *holds* returns true; it is called every few milliseconds, because there is no event to wait for."""
    deadline = current_time() + within
    while not holds():
        assert current_time() < deadline, "waited in vain"  # clock: patience
        await sleep(0.005)


def logged(caplog: pytest.LogCaptureFixture, sentence: str) -> list[logging.LogRecord]:
    """Return the log records that contain *sentence*."""
    return [record for record in caplog.records if sentence in record.getMessage()]
