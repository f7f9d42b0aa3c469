"""The application of the simulation: facts of a key merge into a state, and each change of a known key is announced."""

from collections.abc import Callable
from random import Random
from typing import Any

import msgspec

from streamapp import App, Stream
from streamapp_codecs import Json


class Fact(msgspec.Struct, frozen=True):
    """An event of a key at its event time *at*; number 0 creates the key."""

    key: str
    n: int
    at: int
    word: str


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


def fold(order: Order | None, fact: Fact) -> Order | None:
    """Merge a fact: any order and any repetition of the same facts give the same state, except its version."""
    if order is None:
        order = Order(known=False, word="", newest=(-1, -1), seen=(), version=0)
    if fact.n in order.seen:
        return order
    known = order.known or fact.n == 0
    newest, word = max((order.newest, order.word), ((fact.at, fact.n), fact.word))
    seen = tuple(sorted({*order.seen, fact.n}))
    return Order(known, word, newest, seen, order.version + known)


def count(tally: FactCount | None, fact: Fact) -> FactCount:
    """Count a fact."""
    del fact
    return FactCount((tally.facts if tally else 0) + 1)


class Shop:
    """The app. Its agent fails by *chance*; with *once* it also counts the facts: each event once, or each time."""

    def __init__(self, chance: Random, failures: float, concurrency: int, once: bool | None = None) -> None:
        self.app = App("simulation")
        self.out = self.app.sink("out", Json(Said))
        self._key = ""
        self.orders = self.app.table("order", Order, fold=self._fold, announce=self._announce, to=self.out)
        tallies = self.app.table("tally", FactCount, fold=count, once=bool(once))

        @self.app.agent("facts", Json(Fact), concurrency=concurrency, backoff=1.0)
        async def agent(facts: Stream[Fact]) -> None:
            async for fact in facts:
                if chance.random() < failures:
                    raise Unlucky
                await self.orders.update(fact.key, fact)
                if once is not None:
                    await tallies.update(fact.key, fact)
                if chance.random() < failures:
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


Folding = Callable[[Any, Any], Any]
