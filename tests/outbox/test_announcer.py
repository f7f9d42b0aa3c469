"""What hashes owe is sent once, and confirmed."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from anyio import CancelScope, create_task_group, fail_after, wait_all_tasks_blocked

from streamapp.errors import Refused, ServiceError
from streamapp.flow.backoff import Backoff
from streamapp.flow.outage import Outage
from streamapp.messages import Outgoing, Queue
from streamapp.observe.counters import Counters
from streamapp.outbox.announcer import Announcer
from streamapp.outbox.sender import Sender
from streamapp.state.committer import Announcement, Place
from streamapp.state.store import Commit, Confirmed
from streamapp.testing import Fail, Hang, Lose, MemorySqs, Partial


class Ledger:
    """A store that only notes what it is told to settle; the rest of it is not asked for here."""

    def __init__(self) -> None:
        self.confirmed: list[Confirmed] = []

    async def confirm(self, confirmed: Sequence[Confirmed]) -> None:
        """Note it."""
        self.confirmed += confirmed

    async def ping(self) -> None:
        """Be there."""

    async def read(self, keys: Sequence[str]) -> list[dict[str, str] | ServiceError]:
        """Hold nothing."""
        return [{} for _ in keys]

    async def commit(self, commits: Sequence[Commit]) -> list[bool | ServiceError]:
        """Take everything."""
        return [True for _ in commits]

    async def add(self, members: Mapping[str, Sequence[str]], ttl: float) -> list[ServiceError | None]:
        """Hold nothing."""
        del ttl
        return [None for _ in members]

    async def members(self, key: str) -> set[str]:
        """Hold nothing."""
        del key
        return set()

    async def remove(self, key: str, members: Sequence[str]) -> None:
        """Hold nothing."""


class Office:
    """An announcer with one outbox, running."""

    def __init__(self, sqs: MemorySqs, queue: Queue) -> None:
        self.sqs = sqs
        self.queue = queue
        self.store = Ledger()
        self.tally = Counters()
        outage = Outage("SQS", self.store.ping)
        self.outbox = Sender(sqs, queue, outage, self.tally)
        self.announcer = Announcer({queue.name: self.outbox}, self.store, outage)

    def owes(self, body: str, sequence: int = 1, key: str = "k") -> Announcement:
        """Return an announcement that a hash owes."""
        message = Outgoing(body, group=key, deduplication=body)
        return Announcement(
            Place(key, f"id-{body}", f"[{sequence},"), self.queue.name, sequence, message, None, 0.0, "m", 0.0
        )

    def bodies(self) -> list[str]:
        """Return what has arrived."""
        return self.sqs.bodies(self.queue)


@asynccontextmanager
async def office(attributes: dict[str, str] | None = None, name: str = "out") -> AsyncIterator[Office]:
    """Run an announcer on an SQS in memory."""
    sqs = MemorySqs()
    opened = Office(sqs, await sqs.create(name, attributes or {}))
    async with create_task_group() as tasks:
        await tasks.start(opened.outbox.batcher.run)
        await tasks.start(opened.announcer.confirmations.run)
        yield opened
        opened.outbox.batcher.close()
        opened.announcer.confirmations.close()


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is learned from waiting."""
    monkeypatch.setattr("streamapp.flow.outage.AGAIN", Backoff(0.0002, 0.001))
    monkeypatch.setattr("streamapp.outbox.sender.AGAIN", Backoff(0.0002, 0.001))


async def test_an_announcement_is_sent_and_confirmed() -> None:
    """The line from a hash to the queue."""
    async with office() as it:
        await it.announcer.announce([it.owes("a")])

    assert it.bodies() == ["a"]
    assert it.store.confirmed == [Confirmed("k", sent=[("id-a", "[1,")], parked=[])]


async def test_however_many_find_it_it_is_sent_once() -> None:
    """Every event of a key finds what the key owes."""
    async with office() as it, create_task_group() as tasks:
        for _ in range(50):
            tasks.start_soon(it.announcer.announce, [it.owes("a"), it.owes("b", 2)])

    assert it.bodies() == ["a", "b"]


async def test_found_again_it_is_confirmed_again_and_not_sent() -> None:
    """A confirmation may be lost, or late."""
    async with office() as it:
        await it.announcer.announce([it.owes("a")])
        await it.announcer.announce([it.owes("a")])

    assert it.bodies() == ["a"]
    assert len(it.store.confirmed) == 2


async def test_the_same_content_owed_by_another_commit_is_sent_again() -> None:
    """On, off, on: the last one is news."""
    async with office() as it:
        await it.announcer.announce([it.owes("on", 1)])
        await it.announcer.announce([it.owes("off", 2)])
        await it.announcer.announce([it.owes("on", 3)])

    assert it.bodies() == ["on", "off", "on"]


async def test_one_content_of_two_keys_is_two_announcements() -> None:
    """An id is unique within its hash only."""
    async with office() as it:
        await it.announcer.announce([it.owes("a", key="k1"), it.owes("a", key="k2")])

    assert it.bodies() == ["a", "a"]


async def test_a_standard_queue_is_told_neither_group_nor_deduplication() -> None:
    """SQS refuses a deduplication id there, so every announcement would be parked."""
    async with office() as it:
        await it.announcer.announce([it.owes("a")])
    (delivery,) = await it.sqs.receive(it.queue, limit=1, wait=0)

    assert delivery.group is None
    assert it.tally.of("refused") == 0


async def test_a_fifo_queue_is_told_both_and_keeps_the_order() -> None:
    """Announcements of one key arrive in the order of their changes."""
    async with office({"FifoQueue": "true"}, "out.fifo") as it:
        await it.announcer.announce([it.owes(f"{n:02}", n) for n in range(25)])

    assert it.bodies() == [f"{n:02}" for n in range(25)]


async def test_who_waits_for_another_that_is_cut_off_sends_itself() -> None:
    """An announcement belongs to nobody; whoever is left sees to it."""
    scope = CancelScope()
    async with office() as it, create_task_group() as tasks:

        async def cut() -> None:
            with scope:
                await it.announcer.announce([it.owes("a")])

        hang = it.sqs.faults.add("send", Hang())
        tasks.start_soon(cut)
        await wait_all_tasks_blocked()
        tasks.start_soon(it.announcer.announce, [it.owes("a")])
        await wait_all_tasks_blocked()
        scope.cancel()
        hang.remove()

    assert set(it.bodies()) == {"a"}
    assert [each for each in it.store.confirmed if each.sent]


async def test_what_is_refused_for_good_is_parked_and_told() -> None:
    """A human has to look; the other announcements of the event are sent all the same."""
    async with office() as it:
        it.sqs.faults.add("send", Partial(0b10, code="InvalidMessageContents", sender_fault=True), times=1)
        told = await it.announcer.announce([it.owes("a"), it.owes("b", 2), it.owes("c", 3)])

    assert told == {it.owes("b", 2).place: "InvalidMessageContents"}
    assert it.bodies() == ["a", "c"]
    assert [each.parked for each in it.store.confirmed if each.parked] == [[("id-b", "[2,")]]
    assert it.tally.of("refused") == 1


async def test_all_who_wait_for_a_refused_one_are_told_and_it_is_sent_once() -> None:
    """A hundred events that found it must not try it a hundred times, one inside the other."""
    told: list[str] = []
    async with office() as it, create_task_group() as tasks:
        it.sqs.faults.add("send", Partial(1, code="InvalidMessageContents", sender_fault=True))

        async def find() -> None:
            told.extend((await it.announcer.announce([it.owes("a")])).values())

        for _ in range(500):
            tasks.start_soon(find)

    assert len(told) == 500
    assert len(it.sqs.ledger.calls("send")) == 1


async def test_a_parked_one_that_is_found_late_fails_nobody() -> None:
    """Its parking is on the way; the event that finds it has nothing to do with it."""
    async with office() as it:
        it.sqs.faults.add("send", Partial(1, code="InvalidMessageContents", sender_fault=True), times=1)
        assert await it.announcer.announce([it.owes("a")])
        assert not await it.announcer.announce([it.owes("a"), it.owes("b", 2)])

    assert it.bodies() == ["b"]
    assert [each.parked for each in it.store.confirmed if each.parked] == [[("id-a", "[1,")]] * 2


@pytest.mark.parametrize(
    "kind",
    [{"sender_fault": True, "code": "InvalidParameterValue"}, {"code": "InternalError"}, {"missing": True}],
)
async def test_every_pattern_of_success_in_a_batch(kind: dict[str, Any]) -> None:
    """All 1,024: only failed entries go again, no success goes twice, none is lost."""
    async with office() as it:
        for pattern in range(1 << 10):
            it.sqs.faults.add("send", Partial(pattern, **kind), times=1)
            messages = [Outgoing(f"{pattern}-{n}") for n in range(10)]
            outcomes = await it.outbox.batcher.submit_all(messages)
            refused = [isinstance(outcome, Refused) for outcome in outcomes]
            assert refused == [bool(pattern >> n & 1 and "sender_fault" in kind) for n in range(10)]
            it.sqs.faults.clear()

    bodies = it.bodies()
    expected = 1024 * 5 if "sender_fault" in kind else 1024 * 10
    assert len(bodies) == len(set(bodies)) == expected


async def test_throttling_is_nobodys_fault_whatever_the_answer_says() -> None:
    """KMS throttles per key; the message is fine."""
    async with office() as it:
        it.sqs.faults.add("send", Partial(1, code="KmsThrottled", sender_fault=True), times=2)
        await it.announcer.announce([it.owes("a")])

    assert it.bodies() == ["a"]


@pytest.mark.parametrize(
    "effect", [Fail("RequestThrottled"), Fail("InternalError"), Fail("ExpiredToken")], ids=repr
)
async def test_an_outage_of_sqs_is_waited_out(effect: Fail) -> None:
    """It heals by itself; whoever awaits the send learns nothing of it."""
    async with office() as it:
        it.sqs.faults.add("send", effect, times=5)
        with fail_after(5):
            await it.announcer.announce([it.owes("a")])

    assert it.bodies() == ["a"]


async def test_a_lost_answer_costs_a_duplicate_at_most() -> None:
    """At least once."""
    async with office() as it:
        it.sqs.faults.add("send", Lose(), times=1)
        await it.announcer.announce([it.owes("a")])

    assert it.bodies() == ["a", "a"]


async def test_a_batch_that_is_too_long_is_halved() -> None:
    """SQS's limit for a batch is the queue's for a message; what one of them thinks of it may differ."""
    async with office() as it:
        it.sqs.faults.add("send", Fail("BatchRequestTooLong"), times=3)
        await it.announcer.announce([it.owes(str(n), n) for n in range(10)])

    assert sorted(it.bodies(), key=int) == [str(n) for n in range(10)]


async def test_one_message_that_sqs_calls_too_long_is_refused_alone() -> None:
    """Halving ends at one."""
    async with office() as it:
        it.sqs.faults.add("send", Fail("BatchRequestTooLong"))
        assert len(await it.announcer.announce([it.owes("a"), it.owes("b", 2)])) == 2

    assert len([each for each in it.store.confirmed if each.parked]) == 2


async def test_no_batch_is_over_the_bytes_that_sqs_takes() -> None:
    """Ten messages of 200 KiB are two batches."""
    async with office() as it:
        sizes = [200_000] * 10
        await it.outbox.batcher.submit_all([Outgoing("x" * size) for size in sizes])

    assert len(it.bodies()) == 10
    assert {entry.outcome for entry in it.sqs.ledger.calls("send")} == {"done"}
