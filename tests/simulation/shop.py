"""The application of the simulation: facts of a key merge into a state, and each change of a known key is announced."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any, Literal, Protocol

import msgspec

from streamapp import App, Reject, Skip, Stream
from streamapp.pipeline.stream import Batch
from streamapp_codecs import Json

SPREAD = 120
"""Keys that one bulk event changes beside those of single events: more than fit in a flush."""

WITHIN = 0.5
"""Seconds that a batch waits for company."""

FAILURES = 2
"""Times that the agent fails at a good event, and receives after which it fails at it no more: five attempts are never spent."""

End = Literal["", "poison", "reject", "skip"]
"""How an event must end: done, or dead-lettered after its attempts or at once, or deleted without effect."""


class Fact(msgspec.Struct, frozen=True, omit_defaults=True):
    """An event of a key at its event time *at*; number 0 creates the key.

    A bulk event changes *many* keys instead, and creates them. One with an *end* changes nothing.
    """

    key: str
    n: int
    at: int
    word: str
    end: End = ""
    many: tuple[str, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys that it changes."""
        return () if self.end else self.many or (self.key,)

    @property
    def parts(self) -> list[tuple[str, "Fact"]]:
        """What each key is told of a bulk event."""
        return [(key, msgspec.structs.replace(self, key=key)) for key in self.many]


class Order(msgspec.Struct, frozen=True):
    """A state: the numbers of all facts *seen*, and the *word* of the *newest*. *version* counts announcements."""

    known: bool
    word: str
    newest: tuple[int, int]
    seen: tuple[int, ...]
    version: int


class Said(msgspec.Struct, frozen=True):
    """An announcement: the snapshot of a known key."""

    key: str
    word: str
    seen: tuple[int, ...]
    version: int


class FactCount(msgspec.Struct, frozen=True):
    """How many facts a key has: not idempotent, it changes each time that a fact is folded."""

    facts: int


class Unlucky(Exception):
    """Raised by the agent now and then."""


class Poisoned(Exception):
    """Raised by the agent for each event that always fails."""


class Watcher(Protocol):
    """Whom the shop tells what its agent does."""

    def begun(self, fact: Fact) -> None:
        """The agent has got *fact*."""
        ...

    def receives(self, fact: Fact) -> int:
        """Return how often messages of *fact* were received."""
        ...

    def count(self, what: str, number: int = 1) -> None:
        """Count something that a world may be chosen for."""
        ...


@dataclass(frozen=True, slots=True)
class Habits:
    """What the shop's agent does: it fails at events with probability *failures*, and takes up to *batch* of them at once.

    With *once* it also counts the facts: each event once, or each time that it comes.
    """

    queue: str = "facts"
    failures: float = 0.0
    concurrency: int = 10
    batch: int = 0
    once: bool | None = None


def fold(order: Order | None, fact: Fact) -> Order | None:
    """Merge a fact: any order and any repetition of the same facts give the same state, except its version."""
    if order is None:
        order = Order(known=False, word="", newest=(-1, -1), seen=(), version=0)
    if fact.n in order.seen:
        return order
    known = order.known or fact.n == 0 or bool(fact.many)
    newest, word = max((order.newest, order.word), ((fact.at, fact.n), fact.word))
    seen = tuple(sorted({*order.seen, fact.n}))
    return Order(known, word, newest, seen, order.version + known)


def count(tally: FactCount | None, fact: Fact) -> FactCount:
    """Count a fact."""
    del fact
    return FactCount((tally.facts if tally else 0) + 1)


class Shop:
    """The app of one worker. Its agent is unlucky by *chance*, and tells the *watcher* what it does."""

    def __init__(self, chance: Random, habits: Habits, watcher: Watcher) -> None:
        self.app = App("simulation")
        self.out = self.app.sink("out", Json(Said))
        self._chance = chance
        self._habits = habits
        self._watcher = watcher
        self._unlucky: dict[Fact, int] = {}
        self._key = ""
        self.orders = self.app.table("order", Order, fold=self._fold, announce=self._announce, to=self.out)
        self._tallies = self.app.table("tally", FactCount, fold=count, once=bool(habits.once))

        # Few instances, or no batch would have company.
        @self.app.agent(
            habits.queue,
            Json(Fact),
            concurrency=habits.concurrency,
            instances=2 if habits.batch else None,
            backoff=1.0,
        )
        async def agent(facts: Stream[Fact]) -> None:
            if not habits.batch:
                async for fact in facts:
                    await self._process(fact)
                return
            async for batch in facts.take(habits.batch, within=WITHIN):
                try:
                    for fact in batch:
                        await self._process(fact, batch)
                except Exception:
                    self._watcher.count("divided", len(batch) > 1)
                    raise

    async def _process(self, fact: Fact, batch: Batch[Fact] | None = None) -> None:
        self._watcher.begun(fact)
        if fact.end:
            self._end(fact, batch)
            return
        self._try_luck(fact)
        if fact.many:
            await self.orders.update_many(fact.parts)
            self._watcher.count("bulks")
        else:
            await self.orders.update(fact.key, fact)
            if self._habits.once is not None:
                await self._tallies.update(fact.key, fact)
        self._try_luck(fact)

    def _end(self, fact: Fact, batch: Batch[Fact] | None) -> None:
        """End an event that changes nothing: by a word about itself, or by raising."""
        if batch is not None and len(batch) > 1 and self._chance.random() < 0.5:
            self._watcher.count("decided")
            if fact.end == "skip":
                batch.skip(fact)
            elif fact.end == "reject":
                batch.reject(fact, "refused")
            else:
                batch.fail(fact, Poisoned())
        elif fact.end == "skip":
            raise Skip("of no interest")
        elif fact.end == "reject":
            raise Reject("refused")
        else:
            raise Poisoned

    def _try_luck(self, fact: Fact) -> None:
        if self._chance.random() >= self._habits.failures or self._watcher.receives(fact) > FAILURES:
            return
        self._unlucky[fact] = self._unlucky.get(fact, 0) + 1
        if self._unlucky[fact] <= FAILURES:
            raise Unlucky

    def _fold(self, order: Order | None, fact: Fact) -> Order | None:
        # An announcement that follows is of this key: nothing is awaited in between.
        self._key = fact.key
        return fold(order, fact)

    def _announce(self, before: Order | None, after: Order | None) -> Said | None:
        if after is None or not after.known or (before is not None and before.seen == after.seen):
            return None
        return Said(self._key, after.word, after.seen, after.version)


def facts_by(chance: Random, events: int, keys: int) -> list[Fact]:
    """Return *events* facts of *keys* keys, in random order: a creation may come last."""
    facts = [Fact(f"k{n % keys}", n // keys, chance.randrange(events * 4), f"w{n}") for n in range(events)]
    chance.shuffle(facts)
    return facts


def bad_facts(chance: Random, number: int, keys: int) -> list[Fact]:
    """Return facts of the same keys that must end in other ways than by being done."""
    ends: tuple[End, ...] = ("poison", "reject", "skip")
    return [Fact(f"k{chance.randrange(keys)}", -n, 0, "", ends[n % 3]) for n in range(1, number + 1)]


def bulk_facts(chance: Random, number: int, events: int, keys: int) -> list[Fact]:
    """Return facts that change all keys of *events* single ones, and more."""
    many = tuple(f"k{n}" for n in range(keys)) + tuple(f"b{n}" for n in range(SPREAD))
    return [Fact("bulk", events + n, chance.randrange(events * 4), f"b{n}", "", many) for n in range(number)]


Folding = Callable[[Any, Any], Any]
