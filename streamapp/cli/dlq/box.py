"""Look at the letters of a dead-letter queue, and put them back: first sent, then deleted. Knows no terminal."""

from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import msgspec
from anyio import move_on_after

from streamapp.app import App
from streamapp.cli.send.packing import packed
from streamapp.config import Config
from streamapp.errors import ConfigError, ServiceError
from streamapp.messages import Delivery, Outgoing, Queue
from streamapp.observe.shown import shows
from streamapp.pipeline.agent import Agent
from streamapp.sqs.client import BATCH, Failure, Sqs
from streamapp.sqs.depths import depth_of
from streamapp_codecs import Origin, Shown

OURS = "streamapp-"
"""Begins the attributes that a letter got from the worker."""

GIVE_BACK_WITHIN = 10.0
"""Seconds in which letters are given back, whatever happened; else they come back by themselves."""

PUT_BACK_WITHIN = 20.0
"""Seconds that a send and its delete may take together, even when told to stop between them."""

UNMARKED = "moved_by_sqs"
"""The reason of a letter that carries none: SQS's own redrive moved it."""


class NoLetters(ConfigError):
    """There is no dead-letter queue of this name."""

    def __init__(self, name: str, known: Collection[str]) -> None:
        super().__init__(
            f"{name} is no dead-letter queue of this app, nor a queue that has one; "
            f"there are {', '.join(sorted(known)) or 'none (streamapp queues create)'}"
        )


class MovesOn(ConfigError):
    """Looking at letters here would move them on."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name} has a redrive policy of its own: looking counts as receiving, and would move letters on; "
            "remove that policy first"
        )


class _Source(msgspec.Struct):
    queue: str = ""
    message_id: str = ""
    receive_count: int = 0


@dataclass(frozen=True, slots=True)
class Box:
    """One dead-letter queue, and the agents whose queues name it in their redrive policy."""

    queue: Queue
    sources: Mapping[str, tuple[Agent, Queue]]
    about: int


@dataclass(frozen=True, slots=True)
class Letter:
    """One letter in hand, and what its attributes and its agent's codec say of it."""

    delivery: Delivery
    reason: str
    detail: str
    source: _Source
    shown: Shown
    agent: Agent | None
    home: Queue | None

    @property
    def kind(self) -> str:
        """The kind of its event, where that can be told."""
        return self.shown.kind or "-"

    @property
    def again(self) -> Outgoing:
        """The message as it first came, to be sent home; on a FIFO queue sent once, however often this is tried."""
        delivery = self.delivery
        theirs = {name: value for name, value in delivery.attributes.items() if not name.startswith(OURS)}
        if self.home is None or not self.home.fifo:
            return Outgoing(delivery.body, theirs, typed=delivery.typed)
        return Outgoing(
            delivery.body,
            theirs,
            group=delivery.group,
            deduplication=delivery.message_id,
            typed=delivery.typed,
        )


async def boxes(sqs: Sqs, app: App, config: Config) -> list[Box]:
    """Return the dead-letter queues of *app*, in the order of its agents. Raises `ServiceError`."""
    sources: dict[str, dict[str, tuple[Agent, Queue]]] = {}
    for agent in app.agents.values():
        queue = await sqs.find(config.queue(agent.queue))
        if queue.dead_letters is not None:
            sources.setdefault(queue.dead_letters, {})[queue.name] = (agent, queue)
    found: list[Box] = []
    for name, named_by in sources.items():
        letters = await sqs.find(name)
        attributes = await sqs.attributes(letters)
        if attributes.get("RedrivePolicy"):
            raise MovesOn(name)
        found.append(Box(letters, named_by, depth_of(attributes).waiting or 0))
    return found


def choose(found: Sequence[Box], names: Collection[str]) -> list[Box]:
    """Return the boxes of these names - theirs, or those of a stream or a queue that they serve - or all."""
    chosen = [
        box
        for box in found
        if not names
        or box.queue.name in names
        or any(name in names or agent.queue in names for name, (agent, _) in box.sources.items())
    ]
    known = {box.queue.name for box in found}
    for name in names:
        if not any(
            name == box.queue.name
            or name in box.sources
            or name in {it.queue for it, _ in box.sources.values()}
            for box in found
        ):
            raise NoLetters(name, known)
    return chosen


@dataclass(slots=True)
class Held:
    """The letters of one box that are in hand; each is given back in the end, unless it was put back home."""

    sqs: Sqs
    box: Box
    letters: list[Letter] = field(default_factory=list["Letter"])
    _gone: set[str] = field(default_factory=set[str])

    async def take(self, most: int) -> None:
        """Receive letters until there are no more, or *most* are in hand."""
        known: dict[str, Letter] = {}
        while len(known) < most:
            some = await self.sqs.receive(self.box.queue, limit=min(BATCH, most - len(known)), wait=1)
            for delivery in some:  # one that came again has a newer handle
                known[delivery.message_id] = _letter(self.box, delivery)
            self.letters = list(known.values())
            if not some:
                break

    async def put_back(self, letters: Sequence[Letter]) -> list[tuple[Letter, Failure]]:
        """Send each letter home, then delete it here; answer those that failed, which are here still."""
        failed: list[tuple[Letter, Failure]] = []
        for home in {letter.home.name: letter.home for letter in letters if letter.home}.values():
            todo = [letter for letter in letters if letter.home == home]
            position = 0
            for batch in packed(letter.again for letter in todo):
                some = todo[position : position + len(batch)]
                position += len(batch)
                failed += await self._put_back(home, some, batch)
        return failed

    async def _put_back(
        self, home: Queue, letters: Sequence[Letter], batch: Sequence[Outgoing]
    ) -> list[tuple[Letter, Failure]]:
        # Whoever is told to stop between the two would leave a letter in both places.
        with move_on_after(PUT_BACK_WITHIN, shield=True):
            sent = await self.sqs.send(home, batch)
            failed = [(letter, it) for letter, it in zip(letters, sent, strict=True) if it is not None]
            done = [letter for letter, it in zip(letters, sent, strict=True) if it is None]
            if done:
                self._gone.update(letter.delivery.message_id for letter in done)
                deleted = await self.sqs.delete(self.box.queue, [letter.delivery.handle for letter in done])
                failed += [(letter, it) for letter, it in zip(done, deleted, strict=True) if it is not None]
            return failed
        return []

    async def give_back(self) -> None:
        """Let all that is in hand be seen by others at once."""
        handles = [it.delivery.handle for it in self.letters if it.delivery.message_id not in self._gone]
        for start in range(0, len(handles), BATCH):
            changes = [(handle, 0) for handle in handles[start : start + BATCH]]
            await self.sqs.change_visibility(self.box.queue, changes)


@asynccontextmanager
async def looking(sqs: Sqs, box: Box, most: int) -> AsyncGenerator[Held]:
    """Have up to *most* letters of *box* in hand. Each of them has been received once more; SQS has no other way."""
    held = Held(sqs, box)
    try:
        await held.take(most)
        yield held
    finally:
        with move_on_after(GIVE_BACK_WITHIN, shield=True):
            with suppress(ServiceError):  # they come back when the visibility timeout ends
                await held.give_back()


def _letter(box: Box, delivery: Delivery) -> Letter:
    attributes = delivery.attributes
    try:
        source = msgspec.json.decode(attributes.get(f"{OURS}source", "{}"), type=_Source)
    except msgspec.MsgspecError:
        source = _Source()
    agent, home = _home(box, source.queue)
    shown = Shown()
    if agent is not None and (show := shows(agent.codec)):
        origin = Origin(queue=agent.queue, message_id=delivery.message_id, sent_at=delivery.sent_at)
        shown = show(delivery.body, agent.codec.decode(delivery.body, origin))
    return Letter(
        delivery,
        attributes.get(f"{OURS}reason", UNMARKED),
        attributes.get(f"{OURS}detail", ""),
        source,
        shown,
        agent,
        home,
    )


def _home(box: Box, named: str) -> tuple[Agent | None, Queue | None]:
    """Return where a letter came from: of the queues that send their letters here, never one that it only names."""
    if named in box.sources:
        return box.sources[named]
    return next(iter(box.sources.values())) if len(box.sources) == 1 else (None, None)
