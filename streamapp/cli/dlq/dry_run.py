"""Try messages with today's code without writing anything, to find out which of them would pass now."""

import inspect
import logging
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, get_type_hints

import msgspec
from anyio import Event, create_task_group, current_time, move_on_after, sleep

from streamapp.app import App
from streamapp.config import Config
from streamapp.declared.registry import Registry
from streamapp.errors import ServiceError
from streamapp.messages import Delivery, Outgoing, Queue
from streamapp.observe.counters import Counters
from streamapp.pipeline.agent import Agent
from streamapp.pipeline.in_hand import current_in_hand
from streamapp.pipeline.stream import Stream
from streamapp.sqs.client import Failure
from streamapp.sqs.names import queue_name
from streamapp.state.store import PAGE, TOKEN, Commit, Confirmed, Store
from streamapp.worker.assembly import assemble
from streamapp.worker.worker import Worker

LETTERS = "rehearsal-letters"

UNDISTURBED = 40_000.0
"""Seconds of visibility: so long that there is no heartbeat, and each change of it means a message given back."""

MAX_SECONDS = 60.0
"""Seconds after which a message counts as undecided."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a message would pass now, and why not."""

    passes: bool
    why: str = ""


async def rehearse(
    app: App,
    config: Config,
    agent: Agent,
    store: Store,
    messages: Mapping[str, Outgoing],
    keys: Mapping[str, str | None],
    *,
    run_agents: bool,
) -> dict[str, Verdict]:
    """Return the verdict on each message, by its id; *keys* are what viewers are shown of them.

    Each message is decoded as in a worker. With *run_agents* the *agent* is run, and side effects of its own do happen.
    Without that each event is folded into the tables whose folds say that they take it. That is done on a copy of the
    state that is stored now, and each message sees the changes of those before it; no state is written and nothing is sent.
    """
    folded: dict[str, str] = {}
    registry = Registry(app.name, app.registry.extras)
    registry.sinks, registry.tables = app.registry.sinks, app.registry.tables
    registry.add_agent(agent if run_agents else _stand_in(agent, registry, keys, folded))
    sqs = _RehearsalSqs(config.queue(agent.queue), messages)
    overlay = _OverlayStore(store)
    settings = replace(config, max_attempts=1, wait_seconds=0.0, drain_timeout=5.0, replicas=0)
    with _silent_log():
        parts = await assemble(
            registry, settings, sqs, overlay, Counters(), longest_wait=0.0, is_rehearsal=True
        )
        async with create_task_group() as running:
            worker = Worker(parts)
            await running.start(worker.run)
            with move_on_after(MAX_SECONDS):
                await sqs.done.wait()
            worker.stop()
            worker.stop()
    undecided = Verdict(False, f"undecided after {MAX_SECONDS:g} s")
    verdicts = {identity: sqs.verdicts.get(identity, undecided) for identity in messages}
    if not run_agents:
        verdicts = {
            identity: replace(it, why=folded.get(identity, "decodes")) if it.passes else it
            for identity, it in verdicts.items()
        }
    return verdicts


def _stand_in(
    agent: Agent, registry: Registry, keys: Mapping[str, str | None], folded: dict[str, str]
) -> Agent:
    """Return an agent that only folds the events of *agent*, and notes in *folded* what it did for each message."""

    async def fold(events: Stream[Any]) -> None:
        async for event in events:
            (lease,) = current_in_hand(agent.name).leases
            identity = lease.delivery.message_id
            is_single = lease.decoded is not None and len(lease.decoded.events) == 1
            # The key that is shown is that of the first event: others are folded into no state.
            key = (keys[identity] if is_single else None) or f"{LETTERS}-{identity}"
            names: list[str] = []
            for table in registry.tables.values():
                if _takes(table.folding.fold, event):
                    await table.update(key, event)
                    names.append(table.name)
            folded[identity] = f"decodes, folds into {', '.join(names)}" if names else "decodes"

    return replace(agent, handler=fold, instances=1, sink=None)


def _takes(fold: Callable[..., object], event: object) -> bool:
    """Whether *fold* says, by the annotation of its second parameter, that it takes *event*."""
    function: Any = fold
    while isinstance(function, partial):
        function = function.func
    try:
        names = list(inspect.signature(function).parameters)
        return isinstance(event, get_type_hints(function)[names[1]])
    except (TypeError, ValueError, LookupError, NameError, AttributeError):
        return False  # it says nothing that can be checked


class _RehearsalSqs:
    """An SQS that holds the messages, and records the verdict on each."""

    def __init__(self, queue: str, messages: Mapping[str, Outgoing]) -> None:
        self._queue = queue_name(queue)
        self._waiting = list(messages.items())
        self._number = len(messages)
        self.verdicts: dict[str, Verdict] = {}
        self.done = Event()

    async def find(self, name: str) -> Queue:
        name = queue_name(name)
        letters = LETTERS if name == self._queue else None
        return Queue(name, f"rehearsal:{name}", visibility=UNDISTURBED, dead_letters=letters, fifo=False)

    async def receive(
        self, queue: Queue, *, limit: int, wait: float, visibility: int | None = None
    ) -> list[Delivery]:
        del wait, visibility
        some, self._waiting = self._waiting[:limit], self._waiting[limit:]
        if not some:
            await sleep(0.05)
        now, asked_at = datetime.now(UTC), current_time()
        return [
            Delivery(queue, identity, identity, message.body, 1, now, asked_at, message.attributes)
            for identity, message in some
        ]

    async def send(self, queue: Queue, messages: Sequence[Outgoing]) -> list[Failure | None]:
        if queue.name == LETTERS:
            for message in messages:
                source = msgspec.json.decode(message.attributes["streamapp-source"])
                why = f"{message.attributes['streamapp-reason']}: {message.attributes['streamapp-detail']}"
                self._decide(source["message_id"], Verdict(False, why))
        return [None] * len(messages)

    async def delete(self, queue: Queue, handles: Sequence[str]) -> list[Failure | None]:
        del queue
        for handle in handles:
            self._decide(handle, Verdict(True))
        return [None] * len(handles)

    async def change_visibility(
        self, queue: Queue, changes: Sequence[tuple[str, int]]
    ) -> list[Failure | None]:
        del queue
        for handle, _ in changes:
            self._decide(handle, Verdict(False, "it would be tried again"))
        return [None] * len(changes)

    async def create(self, name: str, attributes: Mapping[str, str]) -> Queue:
        del attributes
        return await self.find(name)

    async def attributes(self, queue: Queue) -> dict[str, str]:
        del queue
        return {}

    def _decide(self, identity: str, verdict: Verdict) -> None:
        self.verdicts.setdefault(identity, verdict)
        if len(self.verdicts) == self._number:
            self.done.set()


class _OverlayStore:
    """The stored state with the commits made here on top of it. The store itself is only read."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._hashes: dict[str, dict[str, str]] = {}
        self._sets: dict[str, set[str]] = {}

    async def read(self, keys: Sequence[str]) -> list[dict[str, str] | ServiceError]:
        stored = await self._store.read(keys)
        return [
            dict(self._hashes[key]) if key in self._hashes else it
            for key, it in zip(keys, stored, strict=True)
        ]

    async def commit(self, commits: Sequence[Commit]) -> list[bool | ServiceError]:
        results: list[bool | ServiceError] = []
        for commit, fields in zip(commits, await self.read([it.key for it in commits]), strict=True):
            if isinstance(fields, ServiceError):
                results.append(fields)
                continue
            is_mine = fields.get(TOKEN, "") == commit.seen
            if is_mine:
                kept = {name: text for name, text in fields.items() if name not in commit.drop}
                self._hashes[commit.key] = {**kept, **commit.put, TOKEN: commit.token}
            results.append(is_mine)
        return results

    async def confirm(self, confirmed: Sequence[Confirmed]) -> None:
        del confirmed

    async def add(self, members: Mapping[str, Sequence[str]], ttl: float) -> list[ServiceError | None]:
        del ttl
        for key, texts in members.items():
            self._sets.setdefault(key, set()).update(texts)
        return [None] * len(members)

    async def members(self, key: str) -> set[str] | ServiceError:
        stored = await self._store.members(key)
        return stored if isinstance(stored, ServiceError) else stored | self._sets.get(key, set())

    async def members_page(
        self, key: str, cursor: str = "", size: int = PAGE
    ) -> tuple[list[str], str] | ServiceError:
        page = await self._store.members_page(key, cursor, size)
        if isinstance(page, ServiceError) or cursor:
            return page
        return [*page[0], *self._sets.get(key, ())], page[1]

    async def remove(self, key: str, members: Sequence[str]) -> None:
        del key, members

    async def claim(self, key: str, seconds: float, *, again: bool = False) -> bool:
        del key, seconds, again
        return False

    async def scan(self, prefix: str, cursor: str = "") -> tuple[list[str], str]:
        del prefix, cursor
        return [], ""

    async def ping(self) -> None:
        await self._store.ping()


@contextmanager
def _silent_log() -> Generator[None]:
    """Silence the log: what happens in a rehearsal is no event of the worker."""
    log = logging.getLogger("streamapp")
    before = log.level
    log.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        log.setLevel(before)
