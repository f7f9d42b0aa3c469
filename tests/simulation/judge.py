"""The judge: checks the invariants I1 to I6 and I8 while a simulation runs, and at its end."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from simulation.shop import Fact, Order, Said
from streamapp.state.hash_codec import HashCodec
from streamapp.state.store import MAX_PENDING, PENDING, TOKEN
from streamapp.testing import MemoryStore
from streamapp.testing.clocks.clock import Clock
from streamapp.testing.state.replicas import ReplicatedValues, StoredValue

PREFIX = "s:order:"
TALLY = "s:tally:"


@dataclass(frozen=True, slots=True)
class Promises:
    """What holds in a simulated world: with *is_durable* no acknowledged commit is undone.

    With *has_keepers* each announcement has a message that keeps it: a bulk event in a batch cannot say which one caused
    what. With *is_in_order* the events of a key are processed one after the other, in the order in which they were sent.
    """

    is_durable: bool
    waits_for_replica: bool
    has_keepers: bool = True
    is_in_order: bool = False


class WatchedValues(ReplicatedValues):
    """The values of the store, which report each write and failover to the judge."""

    def __init__(self, clock: Clock, lag: float, judge: "Judge") -> None:
        super().__init__(clock, lag)
        self._judge = judge

    def put(self, key: str, value: StoredValue) -> None:
        """Set *key*, and report the write to the judge."""
        before = self.get(key)
        super().put(key, value)
        self._judge.written(key, before.fields if before else {}, value)

    def fail_over(self) -> None:
        """Fail over, and report the undone writes to the judge."""
        super().fail_over()
        self._judge.undone(self.all())


class Judge:
    """Collects *violations*: invariants that did not hold, with the time."""

    def __init__(self, store: MemoryStore, promises: Promises, *, counts: bool) -> None:
        self.store = store
        self._counts = counts
        self.promises = promises
        self.violations: list[str] = []
        self.said: dict[Said, int] = {}
        self._record: HashCodec[Order] = HashCodec(Order)
        # Decoded states by `id` of the value; the value is kept too, so that its id is not used again.
        self._orders: dict[int, tuple[StoredValue, Order | None]] = {}
        self._facts: dict[str, Fact] = {}
        self._by_key: defaultdict[str, set[Fact]] = defaultdict(set)
        # All writes of a key that changed something, newest last, with the announcements that each made pending.
        self._writes: defaultdict[str, list[tuple[StoredValue, list[Said]]]] = defaultdict(list)
        self._ids: dict[str, str] = {}
        self._bodies: dict[str, str] = {}
        # By announcement: the message that must not be deleted before it is sent.
        self._keepers: dict[Said, str] = {}
        self.counts = Counter[str]()
        # By event: the place of its first message among all, how often it was received, and how often begun.
        self._places: dict[Fact, int] = {}
        self._receives = Counter[Fact]()
        self._begun = Counter[Fact]()
        # Messages that have not ended, by group, in order.
        self._open: defaultdict[str, dict[str, int]] = defaultdict(dict)
        self._dead: set[Fact] = set()

    def sent(self, message_id: str, fact: Fact) -> None:
        """Record an event that SQS accepted."""
        self._facts[message_id] = fact
        for key in fact.keys:
            self._by_key[key].add(fact)
        place = len(self._facts)
        self._places.setdefault(fact, place)
        self._open[fact.key][message_id] = place

    def received(self, message_id: str) -> None:
        """Record a receive."""
        fact = self._facts[message_id]
        self._receives[fact] += 1
        if self.promises.is_in_order and next(iter(self._open[fact.key])) != message_id:
            self.counts["waited in a group"] += 1

    def begun(self, fact: Fact) -> None:
        """Check that an agent may process *fact* now (I6: after all earlier ones of its group have ended)."""
        self._begun[fact] += 1
        self.counts["again in hand"] += self._begun[fact] > self._receives[fact]
        if self.promises.is_in_order:
            first = next(iter(self._open[fact.key].values()), self._places[fact])
            self._expect(first >= self._places[fact], f"I6 {fact} was begun before number {first} had ended")

    def count(self, what: str, number: int = 1) -> None:
        """Count something that some worlds are chosen for."""
        self.counts[what] += number

    def receives(self, fact: Fact) -> int:
        """Return how often messages of *fact* were received."""
        return self._receives[fact]

    def buried(self, fact: Fact) -> None:
        """Check a dead letter (I8: no good message is one)."""
        self.counts["dead letters"] += 1
        self._dead.add(fact)
        self._expect(fact.end in {"poison", "reject"}, f"I8 {fact} was dead-lettered")

    def redriven(self, message_id: str) -> None:
        """Check a message that SQS itself moved to the dead-letter queue."""
        self._close(message_id)
        self.counts["redriven"] += 1
        self.buried(self._facts[message_id])

    def _close(self, message_id: str) -> None:
        self._open[self._facts[message_id].key].pop(message_id, None)

    def written(self, key: str, before: Mapping[str, str], value: StoredValue) -> None:
        """Check one write (I4, I5, and the bound on what is pending)."""
        if not key.startswith(PREFIX):
            return
        after = value.fields
        new = {
            name: text
            for name, text in after.items()
            if name.startswith(PENDING) and before.get(name) != text
        }
        says: list[Said] = []
        for name, text in new.items():
            body, keeper = msgspec.json.decode(text)[4:6]
            self._same(name.removeprefix(PENDING), body)
            says.append(msgspec.json.decode(body, type=Said))
            self._keepers[says[-1]] = keeper
            is_kept = keeper in self._facts or not (keeper or self.promises.has_keepers)
            self._expect(is_kept, f"I1 {says[-1]} is owed and no message keeps it")
        self._writes[key].append((value, says))
        old, order = self._record.read(before), self._order(value)
        self._expect(order is not None, f"I5 {key} has no state")
        if order is None:
            return
        if order != old:
            self._expect(before.get(TOKEN) != after.get(TOKEN), f"I5 {key} changed under its old token")
            announced = {(said.seen, said.version) for said in says}
            if order.known:
                self._expect((order.seen, order.version) in announced, f"I5 {key} changed and owes nothing")
        pending = sum(name.startswith(PENDING) for name in after)
        self._expect(pending <= MAX_PENDING, f"I11 {key} has {pending} pending")

    def undone(self, now: Mapping[str, StoredValue]) -> None:
        """Remove the writes that a failover undid."""
        for key, writes in self._writes.items():
            while writes and writes[-1][0] is not now.get(key):
                writes.pop()

    def announced(self, body: str) -> None:
        """Check one announcement that SQS accepted (I1: after its state is durable)."""
        said = msgspec.json.decode(body, type=Said)
        self.said[said] = self.said.get(said, 0) + 1
        self._expect(body in self._bodies, f"I1 {said} was never owed")
        if self.promises.is_durable:
            order = self._durable(said.key)
            is_in = order is not None and set(said.seen) <= set(order.seen)
            self._expect(is_in, f"I1 {said} was announced and is not durable")

    def was_said(self, owed: str) -> bool:
        """Whether what a hash owes was announced."""
        return msgspec.json.decode(msgspec.json.decode(owed)[4], type=Said) in self.said

    def deleted(self, message_id: str, *, is_overtaken: bool = False) -> None:
        """Check one delete (I1: after its effect is durable, and the announcements that wait for this message are sent).

        A standard queue takes an old handle too. If another worker *is_overtaken* by such a delete, what that one has taken
        over is left to a sweep: it must be said in the end.
        """
        fact = self._facts[message_id]
        self._close(message_id)
        if fact.end in {"poison", "reject"}:
            self._expect(fact in self._dead, f"I1 {fact} was deleted and is no dead letter")
        if not self.promises.is_durable:
            return
        for key in fact.keys:
            order = self._durable(key)
            self._expect(
                order is not None and fact.n in order.seen, f"I1 {fact} was deleted and is not in {key}"
            )
            untold = [
                said
                for _, says in self._writes[PREFIX + key]
                for said in says
                if said not in self.said and self._keepers[said] == message_id
            ]
            self._expect(is_overtaken or not untold, f"I1 {fact} was deleted and {untold} not announced")

    def end(self) -> None:
        """Check what is left at the end (I1, I2, I3)."""
        if not self.promises.is_durable:
            return
        for key, facts in self._by_key.items():
            value = self.store.values.get(PREFIX + key)
            order = self._order(value) if value else None
            self._expect(order is not None, f"I1 {key} is lost")
            if order is None:
                continue
            numbers = tuple(sorted(fact.n for fact in facts))
            self._expect(order.seen == numbers, f"I2 {key} has {order.seen}")
            word = max((fact.at, fact.n, fact.word) for fact in facts)[2]
            self._expect(order.word == word, f"I2 {key} says {order.word!r} and not {word!r}")
            tally = self.store.values.get(TALLY + key)
            counted = tally.fields["facts"] if tally else "0"
            singles = sum(not fact.many for fact in facts)
            self._expect(not self._counts or counted == str(singles), f"I2 {key} counted {counted}")
            says = [said for said in self.said if said.key == key]
            newest = max(says, key=lambda said: said.version, default=None)
            self._expect(
                newest == Said(key, order.word, order.seen, order.version), f"I3 {key}: last said {newest}"
            )
            for _, owed in self._writes[PREFIX + key]:
                for said in owed:
                    self._expect(said in self.said, f"I3 {said} was never announced")

    def _durable(self, key: str) -> Order | None:
        values = self.store.values
        held = (
            values.replicated(PREFIX + key) if self.promises.waits_for_replica else values.get(PREFIX + key)
        )
        return self._order(held) if held else None

    def _order(self, value: StoredValue) -> Order | None:
        if id(value) not in self._orders:
            self._orders[id(value)] = value, self._record.read(value.fields)
        return self._orders[id(value)][1]

    def _same(self, identity: str, body: str) -> None:
        self._expect(self._ids.setdefault(identity, body) == body, f"I4 {identity} means two things")
        self._expect(self._bodies.setdefault(body, identity) == identity, f"I4 {body} has two ids")

    def _expect(self, holds: object, otherwise: str) -> None:
        if not holds:
            self.violations.append(f"{self.store.clock.now():.3f} {otherwise}")
