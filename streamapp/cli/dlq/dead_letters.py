"""Receive dead letters, give them back, or return them to their queue: each is first sent there, then deleted here."""

from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import msgspec
from anyio import current_time, move_on_after

from streamapp.app import App
from streamapp.config import Config
from streamapp.errors import ConfigError, ServiceError, contained, kind_of
from streamapp.messages import Delivery, Outgoing, Queue
from streamapp.observe.shown import show_body_of
from streamapp.pipeline.agent import Agent
from streamapp.sqs.client import BATCH, Failure, Sqs
from streamapp.sqs.depths import depth_of
from streamapp.sqs.packing import batches
from streamapp.sqs.queue_flaws import lease_of
from streamapp_codecs import Origin, Shown

OURS = "streamapp-"
"""Prefix of the attributes that the worker adds to a dead letter."""

GIVE_BACK_WITHIN = 10.0
"""Seconds in which letters are given back, whatever happened. After that, SQS makes them visible in time."""

RETURN_WITHIN = 20.0
"""Seconds that a send and its delete may take together, even if the command is interrupted between them."""

WAIT_FOR_OTHERS = 10.0
"""Seconds in which letters that are all in somebody else's hand are waited for: another look gives them back sooner."""

UNMARKED = "moved_by_sqs"
"""The reason of a letter without one: SQS's own redrive moved it."""


class NotADeadLetterQueue(ConfigError):
    """The app has no dead-letter queue of this name."""

    def __init__(self, name: str, known: Collection[str]) -> None:
        super().__init__(
            f"{name} is no dead-letter queue of this app, nor a queue that has one; "
            f"there are {', '.join(sorted(known)) or 'none (streamapp queues create)'}"
        )


class HasOwnRedrive(ConfigError):
    """The dead-letter queue has a redrive policy, so receiving its letters would move them on."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name} has a redrive policy of its own: looking counts as receiving, and would move letters on; "
            "remove that policy first"
        )


class _LetterSource(msgspec.Struct):
    """The attribute in which the worker writes where a letter came from."""

    queue: str = ""
    message_id: str = ""
    receive_count: int = 0


@dataclass(frozen=True, slots=True)
class DeadLetterQueue:
    """A dead-letter queue. *sources* are the agents and queues whose redrive policy names it, by the queue's name.

    *about* is SQS's own, approximate number of letters.
    """

    queue: Queue
    sources: Mapping[str, tuple[Agent, Queue]]
    about: int


@dataclass(frozen=True, slots=True)
class HeldLetter:
    """One dead letter in hand, with what its attributes and its agent's codec say about it. *home* is the queue it came from.

    *flaw* is why the codec says nothing of its body, "" if it does.
    """

    delivery: Delivery
    reason: str
    detail: str
    source: _LetterSource
    shown: Shown
    agent: Agent | None
    home: Queue | None
    flaw: str = ""

    @property
    def kind(self) -> str:
        """The kind of its event, `-` if that is unknown."""
        return self.shown.kind or "-"

    @property
    def original(self) -> Outgoing:
        """The message as it first came. A FIFO queue takes it only once, however often it is sent."""
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


async def dead_letter_queues(sqs: Sqs, app: App, config: Config) -> list[DeadLetterQueue]:
    """Return the dead-letter queues of *app*, in the order of its agents. Raises `ServiceError`."""
    sources: dict[str, dict[str, tuple[Agent, Queue]]] = {}
    for agent in app.agents.values():
        queue = await sqs.find(config.queue(agent.queue))
        if queue.dead_letters is not None:
            sources.setdefault(queue.dead_letters_arn or queue.dead_letters, {})[queue.name] = (agent, queue)
    found: list[DeadLetterQueue] = []
    for name, named_by in sources.items():
        letters = await sqs.find(name)
        attributes = await sqs.attributes(letters)
        if attributes.get("RedrivePolicy"):
            raise HasOwnRedrive(letters.name)
        found.append(DeadLetterQueue(letters, named_by, depth_of(attributes).waiting or 0))
    return found


def choose(found: Sequence[DeadLetterQueue], names: Collection[str]) -> list[DeadLetterQueue]:
    """Return those with one of these names, or with a source of that stream or queue name; without names, all."""
    for name in names:
        if not any(name in _names_of(it) for it in found):
            raise NotADeadLetterQueue(name, {it.queue.name for it in found})
    return [it for it in found if not names or not _names_of(it).isdisjoint(names)]


def _names_of(dead_letters: DeadLetterQueue) -> set[str]:
    streams = {agent.queue for agent, _ in dead_letters.sources.values()}
    return {dead_letters.queue.name, *dead_letters.sources, *streams}


@dataclass(slots=True)
class HeldLetters:
    """The letters of one dead-letter queue that are in hand. At the end each is given back, unless it was returned.

    *elsewhere* is SQS's own, approximate number of letters that somebody else has in hand.
    """

    sqs: Sqs
    source: DeadLetterQueue
    letters: list[HeldLetter] = field(default_factory=list["HeldLetter"])
    elsewhere: int = 0
    _returned: set[str] = field(default_factory=set[str])

    async def take(self, most: int, waiting: Callable[[int], object]) -> None:
        """Receive letters until there are no more, or *most* are in hand.

        If there are none, but somebody else has some in hand, they are waited for; *waiting* is called with their number.
        """
        until = current_time() + WAIT_FOR_OTHERS
        while True:
            await self._take(most)
            depth = depth_of(await self.sqs.attributes(self.source.queue))
            self.elsewhere = max(0, (depth.in_flight or 0) - len(self.letters))
            # Of two that both have a part, each would wait for the other.
            if self.letters or not (self.elsewhere or depth.waiting) or current_time() >= until:
                return
            if self.elsewhere:  # else they were given back just now
                waiting(self.elsewhere)

    async def _take(self, most: int) -> None:
        known: dict[str, HeldLetter] = {}
        while len(known) < most:
            room, seconds = min(BATCH, most - len(known)), lease_of(self.source.queue)
            some = await self.sqs.receive(self.source.queue, limit=room, wait=1, visibility=seconds)
            for delivery in some:  # a letter that came again has a newer receipt handle
                known[delivery.message_id] = _letter(self.source, delivery)
            self.letters = list(known.values())
            if not some:
                break

    async def return_home(self, letters: Sequence[HeldLetter]) -> list[tuple[HeldLetter, Failure]]:
        """Send each letter to the queue it came from, then delete it here; return those that failed."""
        failed: list[tuple[HeldLetter, Failure]] = []
        for home in {letter.home.name: letter.home for letter in letters if letter.home}.values():
            todo = [letter for letter in letters if letter.home == home]
            position = 0
            for batch in batches(letter.original for letter in todo):
                some = todo[position : position + len(batch)]
                position += len(batch)
                failed += await self._return_batch(home, some, batch)
        return failed

    async def _return_batch(
        self, home: Queue, letters: Sequence[HeldLetter], batch: Sequence[Outgoing]
    ) -> list[tuple[HeldLetter, Failure]]:
        # To be cut off between the two calls would leave a letter in both queues.
        with move_on_after(RETURN_WITHIN, shield=True):
            sent = await self.sqs.send(home, batch)
            failed = [(letter, it) for letter, it in zip(letters, sent, strict=True) if it is not None]
            done = [letter for letter, it in zip(letters, sent, strict=True) if it is None]
            if done:
                self._returned.update(letter.delivery.message_id for letter in done)
                handles = [letter.delivery.handle for letter in done]
                deleted = await self.sqs.delete(self.source.queue, handles)
                failed += [(letter, it) for letter, it in zip(done, deleted, strict=True) if it is not None]
            return failed
        return []

    async def give_back(self) -> None:
        """Make all letters in hand visible to others at once."""
        handles = [it.delivery.handle for it in self.letters if it.delivery.message_id not in self._returned]
        for start in range(0, len(handles), BATCH):
            changes = [(handle, 0) for handle in handles[start : start + BATCH]]
            await self.sqs.change_visibility(self.source.queue, changes)


@asynccontextmanager
async def hold_letters(
    sqs: Sqs, source: DeadLetterQueue, most: int, waiting: Callable[[int], object]
) -> AsyncGenerator[HeldLetters]:
    """Hold up to *most* letters of *source*, as `HeldLetters.take` says.

    SQS can show a message only by a receive, which it counts.
    """
    held = HeldLetters(sqs, source)
    try:
        await held.take(most, waiting)
        yield held
    finally:
        with move_on_after(GIVE_BACK_WITHIN, shield=True):
            with suppress(ServiceError):  # they become visible when their visibility timeout ends
                await held.give_back()


def _letter(dead_letters: DeadLetterQueue, delivery: Delivery) -> HeldLetter:
    attributes = delivery.attributes
    try:
        source = msgspec.json.decode(attributes.get(f"{OURS}source", "{}"), type=_LetterSource)
    except msgspec.MsgspecError:
        source = _LetterSource()
    agent, home = _home(dead_letters, source.queue)
    shown, flaw = (Shown(), "") if agent is None else _shown(agent, delivery)
    return HeldLetter(
        delivery,
        attributes.get(f"{OURS}reason", UNMARKED),
        attributes.get(f"{OURS}detail", ""),
        source,
        shown,
        agent,
        home,
        flaw,
    )


def _shown(agent: Agent, delivery: Delivery) -> tuple[Shown, str]:
    """Return what the codec of *agent* shows of a body, else why it shows nothing: its code is what may be at fault."""
    show = show_body_of(agent.codec)
    if show is None:
        return Shown(), ""
    origin = Origin(queue=agent.queue, message_id=delivery.message_id, sent_at=delivery.sent_at)
    try:
        shown = show(delivery.body, agent.codec.decode(delivery.body, origin))
        _check(shown)
    except BaseException as error:  # noqa: BLE001 - whatever it raises, the letter is there
        return Shown(), f"its codec cannot show it: {kind_of(contained(error))}"
    return shown, ""


def _check(shown: object) -> None:
    """Raise `TypeError`, or an error of JSON, unless *shown* is what a codec's `show` should return."""
    if not isinstance(shown, Shown):
        raise TypeError
    texts: list[tuple[object, type]] = [(shown.kind, str), (shown.key, str), (shown.body, bytes)]
    if any(value is not None and not isinstance(value, kind) for value, kind in texts):
        raise TypeError
    if shown.body is not None:
        msgspec.json.decode(shown.body)


def _home(dead_letters: DeadLetterQueue, named: str) -> tuple[Agent | None, Queue | None]:
    """Return where a letter came from: always one of the sources, even if its attribute names another queue."""
    sources = dead_letters.sources
    if named in sources:
        return sources[named]
    return next(iter(sources.values())) if len(sources) == 1 else (None, None)
