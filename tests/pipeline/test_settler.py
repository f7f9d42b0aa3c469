"""The end of a delivery: deleted, given back or dead-lettered."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from anyio import create_task_group, sleep, wait_all_tasks_blocked
from msgspec.structs import replace

from rigs.worker import Add, Rig, until
from streamapp.errors import Crowded, Fault, Refused, Reject, Retry, ServiceError
from streamapp.flow.backoff import Backoff
from streamapp.flow.outage import Outage
from streamapp.messages import Delivery, Outgoing, Queue
from streamapp.observe.counters import Counters
from streamapp.outbox.announcer import Announcer
from streamapp.outbox.sender import Sender
from streamapp.pipeline.acks import Acks
from streamapp.pipeline.dead_letter import Why
from streamapp.pipeline.handoff import Handoff
from streamapp.pipeline.leases import Lease, Leases
from streamapp.pipeline.settler import Settler
from streamapp.pipeline.tokens import Tokens
from streamapp.sqs.client import MAX_ATTRIBUTES
from streamapp.testing import Duplicate, Fail, Hang, MemorySqs, MemoryStore, Partial

THROTTLED = Partial(0b11, code="RequestThrottled", sender_fault=True)


class Desk:
    """A settler on a queue in memory, and leases to end."""

    def __init__(self, sqs: MemorySqs, queue: Queue, dead: Queue | None, attempts: int) -> None:
        self.sqs = sqs
        self.queue = queue
        self.dead = dead
        self.tally = Counters()
        self.tokens = Tokens(20)
        self.leases = Leases(sqs, queue, self.tokens, self.tally)
        outage = Outage("SQS", lambda: sqs.attributes(queue))
        self.letters = Sender(sqs, dead, outage, self.tally) if dead else None
        self.handoff = Handoff(fifo=True)
        self.acks = Acks(sqs, queue, self.leases, self.handoff, self.tally)
        announcer = Announcer({}, MemoryStore(), outage)
        self.settler = Settler(
            queue, self.acks, self.letters, announcer, self.tally, max_attempts=attempts, backoff=100
        )

    async def receive(self, *messages: Outgoing) -> list[Lease]:
        """Send and receive *messages*; answer their leases."""
        await self.sqs.send(self.queue, messages)
        deliveries = await self.sqs.receive(self.queue, limit=10, wait=0)
        await self.tokens.take(len(deliveries))
        return [lease for each in deliveries if (lease := self.leases.take(each))]

    def take_again(self, *leases: Lease) -> list[Lease]:
        """Return new leases of the messages of *leases*."""
        return [again for lease in leases if (again := self.leases.take(lease.delivery))]

    def is_over(self) -> bool:
        """Whether nothing is in hand."""
        return len(self.leases) == 0 and self.tokens.free == 20


@asynccontextmanager
async def desk(*, dead: bool = True, attempts: int = 5) -> AsyncIterator[Desk]:
    """Run a settler's batchers; all is flushed at the end."""
    sqs = MemorySqs()
    queue = await sqs.create("orders", {})
    it = Desk(sqs, queue, await sqs.create("dead", {}) if dead else None, attempts)
    batchers = [it.acks.deletes, it.acks.releases]
    async with create_task_group() as tasks:
        for batcher in batchers:
            await tasks.start(batcher.run)
        if it.letters is not None:
            await tasks.start(it.letters.batcher.run)
        yield it
        for batcher in batchers:
            batcher.close()
        if it.letters is not None:
            it.letters.batcher.close()


async def test_deletes_go_ten_at_a_time_and_end_their_leases() -> None:
    """One call for ten."""
    async with desk() as it:
        for lease in await it.receive(*(Outgoing(str(n)) for n in range(10))):
            it.settler.delete(lease, "ok")

    assert len(it.sqs.ledger.calls("delete")) == 1
    assert it.is_over()


async def test_a_message_that_comes_again_while_it_is_deleted_is_deleted_by_its_new_handle() -> None:
    """The delete of an old handle succeeds and does nothing, so the message would come a third time."""
    async with desk() as it:
        it.sqs.faults.add("receive", Duplicate(), times=1)
        (lease,) = await it.receive(Outgoing("once"))
        hang = it.sqs.faults.add("delete", Hang(), times=1)
        it.settler.delete(lease, "ok")
        await until(lambda: hang.hits)
        (again,) = await it.sqs.receive(it.queue, limit=10, wait=0)
        assert it.leases.take(again) is None
        hang.remove()

    assert it.sqs.bodies(it.queue) == []
    assert it.is_over()


@pytest.mark.parametrize("effect", [Partial(1), Partial(0b101), Partial(0b1111), THROTTLED], ids=repr)
async def test_only_deletes_that_failed_go_again(monkeypatch: pytest.MonkeyPatch, effect: Partial) -> None:
    """HTTP 200 may carry failures, and to be throttled is no fault of an entry, whatever it says."""
    monkeypatch.setattr("streamapp.pipeline.acks.AGAIN", Backoff(0.001, 0.001))
    async with desk() as it:
        it.sqs.faults.add("delete", effect, times=1)
        for lease in await it.receive(*(Outgoing(str(n)) for n in range(4))):
            it.settler.delete(lease, "ok")

    assert len(it.sqs.ledger.deleted("orders")) == 4
    assert len(it.sqs.ledger.calls("delete")) == 2
    assert it.is_over()


async def test_a_delete_that_keeps_failing_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its redelivery is then only deleted; its place is free for others meanwhile."""
    monkeypatch.setattr("streamapp.pipeline.acks.AGAIN", Backoff(0.001, 0.001))
    async with desk() as it:
        it.sqs.faults.add("delete", Fail())
        (lease,) = await it.receive(Outgoing("a"))
        it.settler.delete(lease, "ok")
        await until(it.is_over)

    (again,) = it.take_again(lease)
    assert again.is_done


async def test_a_delete_that_breaks_ends_its_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would keep the message invisible for twelve hours, and its place taken for ever."""
    monkeypatch.setattr("streamapp.pipeline.acks.AGAIN", Backoff(0.001, 0.001))
    async with desk() as it:
        it.sqs.faults.add("delete", Partial(lambda position: 1 // position == 0))
        (lease,) = await it.receive(Outgoing("a"))
        it.settler.delete(lease, "ok")
        await until(it.is_over)

    (again,) = it.take_again(lease)
    assert again.is_done


async def test_what_is_given_back_is_no_longer_extended() -> None:
    """The lease ends before SQS is told, or the heartbeat would undo it."""
    async with desk() as it:
        (lease,) = await it.receive(Outgoing("a"))
        it.acks.give_back(lease, 60)
        assert it.is_over()

    (entry,) = it.sqs.ledger.extended("orders")  # 60 s is later than the 30 s of its visibility timeout
    assert entry.handle == lease.handle


async def test_a_release_waits_for_the_heartbeat_that_speaks_of_it() -> None:
    """Whatever SQS hears last is what holds."""
    async with desk() as it:
        (lease,) = await it.receive(Outgoing("a"))
        lease.expires_at -= 20
        async with create_task_group() as tasks:
            hang = it.sqs.faults.add("change_visibility", Hang(), times=1)
            tasks.start_soon(it.leases.beat)
            await wait_all_tasks_blocked()
            it.acks.release(lease)
            await sleep(0.05)
            assert it.sqs.ledger.released("orders") == []
            hang.remove()

    assert it.sqs.bodies(it.queue) == ["a"]
    assert [entry.outcome for entry in it.sqs.ledger.of(lease.delivery.message_id)][-1] == "released"


@pytest.mark.parametrize("effect", [Fail("RequestThrottled"), Partial(0b10), THROTTLED], ids=repr)
async def test_a_release_that_failed_goes_again(
    monkeypatch: pytest.MonkeyPatch, effect: Fail | Partial
) -> None:
    """At the end of a drain nothing else would bring the message back before its visibility ends."""
    monkeypatch.setattr("streamapp.pipeline.acks.AGAIN", Backoff(0.001, 0.001))
    async with desk() as it:
        it.sqs.faults.add("change_visibility", effect, times=1)
        for lease in await it.receive(Outgoing("a"), Outgoing("b")):
            it.acks.release(lease)

    assert len(it.sqs.ledger.released("orders")) == 2


async def test_a_lost_lease_is_neither_deleted_nor_given_back() -> None:
    """It is somebody else's."""
    async with desk() as it:
        (lease,) = await it.receive(Outgoing("a"))
        it.leases._let_go([lease])
        it.settler.delete(lease, "ok")
        it.acks.release(lease)

    assert it.sqs.ledger.calls("delete") == it.sqs.ledger.calls("change_visibility") == []
    assert it.is_over()
    assert it.tally.words() == {"lost": 1}


@pytest.mark.parametrize(
    ("error", "receives", "word"),
    [
        (RuntimeError(), 1, "retry"),
        (RuntimeError(), 4, "retry"),
        (RuntimeError(), 5, "dead"),
        (RuntimeError(), 9, "dead"),
        (Retry(), 4, "retry"),
        (Retry(5), 5, "dead"),
        (Reject("undecidable"), 1, "dead"),
        (Refused("InvalidMessageContents"), 1, "dead"),
        (ServiceError("Redis", Fault.SENDER, "x"), 99, "retry"),
        (Crowded("k", 64), 99, "retry"),
    ],
    ids=str,
)
async def test_what_becomes_of_a_failure(error: Exception, receives: int, word: str) -> None:
    """What counts against a message, and when it is enough."""
    async with desk() as it:
        (lease,) = await it.receive(Outgoing("a"))
        lease.delivery = with_receives(lease.delivery, receives)
        await it.settler.fail(lease, error)

    assert it.tally.of(word) == 1  # type: ignore[arg-type]  # a word of the table above
    assert it.is_over()


async def test_a_letter_carries_why_and_whence_beside_what_it_came_with() -> None:
    """At most ten attributes: ours first."""
    theirs = {f"a{n}": "v" for n in range(MAX_ATTRIBUTES)}
    async with desk() as it:
        (lease,) = await it.receive(Outgoing("body", theirs))
        await it.settler.bury(lease, Why("undecidable", "at `$`"))
    assert it.dead is not None
    (letter,) = await it.sqs.receive(it.dead, limit=1, wait=0)

    assert len(letter.attributes) == MAX_ATTRIBUTES
    assert letter.attributes["streamapp-reason"] == "undecidable"
    assert {"streamapp-detail", "streamapp-source", "a0"} <= set(letter.attributes)


@pytest.mark.parametrize("detail", ["", "\x00\x1b[2J", "x" * 300_000, "\ud800"])
async def test_no_detail_keeps_a_letter_from_being_sent(detail: str) -> None:
    """SQS refuses empty attributes and control characters; the message would come back for ever."""
    async with desk() as it:
        (lease,) = await it.receive(Outgoing("body"))
        await it.settler.bury(lease, Why("undecidable", detail))

    assert it.dead is not None
    assert it.sqs.bodies(it.dead) == ["body"]
    assert len(it.sqs.ledger.deleted("orders")) == 1


async def test_it_is_sent_to_the_dead_letter_queue_before_it_is_deleted() -> None:
    """The other way round loses it."""
    async with desk() as it:
        (lease,) = await it.receive(Outgoing("body"))
        await it.settler.bury(lease, Why("undecidable", "d"))

    operations = [(entry.operation, entry.queue) for entry in it.sqs.ledger.entries if entry.message_id]
    assert operations.index(("send", "dead")) < operations.index(("delete", "orders"))


async def test_without_a_dead_letter_queue_it_is_given_back() -> None:
    """SQS's own rules apply."""
    async with desk(dead=False) as it:
        (lease,) = await it.receive(Outgoing("body"))
        await it.settler.bury(lease, Why("undecidable", "d"))

    assert it.sqs.ledger.deleted("orders") == []
    assert it.is_over()


async def test_a_letter_that_sqs_refuses_is_given_back() -> None:
    """Rather again than gone."""
    async with desk() as it:
        it.sqs.faults.add("send", Partial(1, code="InvalidMessageContents", sender_fault=True), queue="dead")
        (lease,) = await it.receive(Outgoing("body"))
        await it.settler.bury(lease, Why("undecidable", "d"))

    assert it.sqs.ledger.deleted("orders") == []
    assert it.is_over()


@pytest.mark.parametrize("code", ["AccessDenied", "QueueDoesNotExist"])
async def test_a_dead_letter_queue_that_cannot_be_used_holds_up_nobody(rig: Rig, code: str) -> None:
    """Bad messages would take every place, and no good one would be received until somebody mends a right."""
    rig.count(concurrency=4, backoff=30)
    rig.sqs.faults.add("send", Fail(code), queue="orders-dlq")
    await rig.send([*["no event"] * 4, *(Add("a") for _ in range(5))])
    async with rig.running():
        await until(lambda: rig.tally.of("ok") == 5)
        await until(lambda: rig.tally.of("retry") == 4)

    assert sorted(rig.bodies("orders")) == ["no event"] * 4
    assert rig.bodies("orders-dlq") == []


def with_receives(delivery: Delivery, receives: int) -> Delivery:
    """Return *delivery* as if it had come so often."""
    return replace(delivery, receives=receives)


async def test_nobody_waits_behind_a_lost_message_of_its_group() -> None:
    """Somebody else has it; its followers hold places here and would be kept invisible for hours."""
    async with desk() as it:
        first, second = await it.receive(Outgoing("1"), Outgoing("2"))
        for lease in (first, second):
            lease.delivery = replace(lease.delivery, group="g")
            assert it.handoff.put(lease) == []
        it.leases._let_go([first])
        it.settler.delete(first, "ok")

    assert it.is_over()
    assert [entry.handle for entry in it.sqs.ledger.released("orders")] == [second.handle]
