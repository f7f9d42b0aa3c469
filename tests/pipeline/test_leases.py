"""Deliveries in hand, and the heartbeat that keeps them invisible."""

from datetime import UTC, datetime

import pytest
from anyio import CancelScope, create_task_group, current_time, fail_after, wait_all_tasks_blocked
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from streamapp.messages import Delivery, Outgoing, Queue
from streamapp.observe.counters import Counters
from streamapp.pipeline.leases import MARGIN, Lease, Leases, seconds_left
from streamapp.pipeline.tokens import Tokens
from streamapp.sqs.client import MAX_VISIBILITY
from streamapp.sqs.queue_flaws import SHORTEST_LEASE, lease_of
from streamapp.testing import Fail, Hang, MemorySqs, Partial


class LeasesRig:
    """Leases of one queue; a test calls their heartbeat itself."""

    def __init__(self, sqs: MemorySqs, queue: Queue) -> None:
        self.sqs = sqs
        self.queue = queue
        self.began = current_time()
        self.tokens = Tokens(10)
        self.counters = Counters()
        self.leases = Leases(sqs, queue, self.tokens, self.counters, seconds=lease_of(queue, shortest=1))

    async def receive(self, *bodies: str) -> list[Lease]:
        """Send and receive messages, and return their leases."""
        await self.sqs.send(self.queue, [Outgoing(body) for body in bodies])
        deliveries = await self.sqs.receive(self.queue, limit=10, wait=0)
        assert len(deliveries) == await self.tokens.take(len(deliveries))
        leases = [self.leases.take(delivery) for delivery in deliveries]
        return [lease for lease in leases if lease is not None]

    def age(self, lease: Lease, seconds: float) -> None:
        """Make *lease* older by *seconds*."""
        lease.expires_at -= seconds

    def is_extended(self, lease: Lease) -> bool:
        """Whether *lease*, which was aged, is as long again as a new one."""
        return lease.expires_at > self.began + self.queue.visibility - 1

    def free(self) -> int:
        """Return how many tokens are free."""
        return self.tokens.free


@pytest.fixture
async def rig() -> LeasesRig:
    """A queue with a visibility timeout of 30 s."""
    sqs = MemorySqs()
    return LeasesRig(sqs, await sqs.create("q", {"VisibilityTimeout": "30"}))


async def test_a_lease_is_not_extended_before_half_of_its_time(rig: LeasesRig) -> None:
    """Most messages are done by then, at no cost."""
    (lease,) = await rig.receive("a")
    rig.age(lease, 14)
    await rig.leases.beat()

    assert rig.sqs.ledger.calls("change_visibility") == []


async def test_all_that_is_in_hand_is_extended_at_half_of_its_time(rig: LeasesRig) -> None:
    """What waits for an agent uses up its time as much as what is being processed."""
    leases = await rig.receive("a", "b")
    leases[0].scope = CancelScope()
    for lease in leases:
        rig.age(lease, 16)
    await rig.leases.beat()

    assert len(rig.sqs.ledger.extended("q")) == 2
    assert all(rig.is_extended(lease) for lease in leases)


async def test_more_than_ten_are_extended_in_several_calls(rig: LeasesRig) -> None:
    """One call takes ten."""
    rig.tokens.give(20)
    leases = [*await rig.receive(*"abcdefghij"), *await rig.receive(*"klmno")]
    for lease in leases:
        rig.age(lease, 16)
    await rig.leases.beat()

    assert len(rig.sqs.ledger.extended("q")) == 15
    assert len(rig.sqs.ledger.calls("change_visibility")) == 2


async def test_what_has_ended_is_not_extended(rig: LeasesRig) -> None:
    """An extension after the release would undo its backoff."""
    (lease,) = await rig.receive("a")
    rig.age(lease, 16)
    rig.leases.end(lease)
    await rig.leases.beat()

    assert rig.sqs.ledger.calls("change_visibility") == []
    assert len(rig.leases) == 0


async def test_a_lost_lease_cancels_its_agent_and_gives_its_token_back(rig: LeasesRig) -> None:
    """Another worker may process the message by now."""
    (lease,) = await rig.receive("a")
    lease.scope = scope = CancelScope()
    await rig.sqs.delete(rig.queue, [lease.handle])
    rig.age(lease, 16)
    await rig.leases.beat()

    assert scope.cancel_called
    assert lease.is_lost
    assert (rig.free(), len(rig.leases), rig.counters.of("lost")) == (10, 0, 1)


async def test_a_lost_lease_costs_no_other_of_its_batch(rig: LeasesRig) -> None:
    """One entry of a call is refused, the others are extended."""
    first, second = await rig.receive("a", "b")
    await rig.sqs.delete(rig.queue, [first.handle])
    rig.age(first, 16)
    rig.age(second, 16)
    await rig.leases.beat()

    assert (first.is_lost, second.is_lost) == (True, False)
    assert rig.is_extended(second)


@pytest.mark.parametrize("effect", [Fail("RequestThrottled"), Fail("InternalError"), Partial(1)], ids=repr)
async def test_a_failed_heartbeat_is_tried_again(rig: LeasesRig, effect: Fail | Partial) -> None:
    """A handle stays good after its time, until somebody else receives the message."""
    (lease,) = await rig.receive("a")
    rig.age(lease, 16)
    rig.sqs.faults.add("change_visibility", effect, times=1)
    await rig.leases.beat()
    was_lost = lease.is_lost
    await rig.leases.beat()

    assert not was_lost
    assert rig.is_extended(lease)


async def test_a_throttled_entry_is_no_loss(rig: LeasesRig) -> None:
    """Even if SQS calls it the sender's fault: the message would be processed twice."""
    (lease,) = await rig.receive("a")
    rig.age(lease, 16)
    rig.sqs.faults.add("change_visibility", Partial(1, "RequestThrottled", sender_fault=True), times=1)
    await rig.leases.beat()

    assert not lease.is_lost


async def test_a_call_that_hangs_keeps_no_other_lease_waiting(rig: LeasesRig) -> None:
    """With hundreds in hand, the last ones would end while they wait for it."""
    rig.tokens.give(20)
    leases = [*await rig.receive(*"abcdefghij"), *await rig.receive(*"klmno")]
    for lease in leases:
        rig.age(lease, 16)
    hang = rig.sqs.faults.add("change_visibility", Hang(), times=1)
    async with create_task_group() as tasks:
        tasks.start_soon(rig.leases.beat)
        await wait_all_tasks_blocked()
        extended = [rig.is_extended(lease) for lease in leases]
        await rig.leases.beat()
        calls = hang.hits + len(rig.sqs.ledger.calls("change_visibility"))
        hang.remove()

    assert extended == [False] * 10 + [True] * 5
    assert calls == 2, "what is in a call already goes into no second one"
    assert len(rig.sqs.ledger.extended("q")) == 15


async def test_a_call_that_hangs_is_given_up_in_time_for_another() -> None:
    """It may never return; two thirds of the lease's second half are left then."""
    sqs = MemorySqs()
    rig = LeasesRig(sqs, await sqs.create("q", {"VisibilityTimeout": "6"}))
    (lease,) = await rig.receive("a")
    rig.age(lease, 4)
    sqs.faults.add("change_visibility", Hang(), times=1)
    with fail_after(30):
        await rig.leases.beat()
    await rig.leases.beat()

    assert rig.is_extended(lease)
    assert len(sqs.ledger.extended("q")) == 1


async def test_a_poll_waits_while_what_is_in_hand_cannot_be_extended(rig: LeasesRig) -> None:
    """Each receive counts: an outage of the heartbeat alone would fill the dead-letter queue."""
    (lease,) = await rig.receive("a")
    rig.age(lease, 25)
    order: list[str] = []

    async def wait() -> None:
        await rig.leases.on_time(10)
        order.append("receive")

    with rig.sqs.faults.add("change_visibility", Fail("InternalError")):
        await rig.leases.beat()
    async with create_task_group() as tasks:
        tasks.start_soon(wait)
        tasks.start_soon(wait)
        await wait_all_tasks_blocked()
        order.append("extended")
        await rig.leases.beat()

    assert order == ["extended", "receive", "receive"]


async def test_a_missing_right_to_extend_stops_no_queue(rig: LeasesRig) -> None:
    """It never heals by itself, and what is done in time needs no extension."""
    (lease,) = await rig.receive("a")
    rig.age(lease, 31)
    rig.sqs.faults.add("change_visibility", Fail("AccessDenied"))
    await rig.leases.beat()

    with fail_after(30):
        await rig.leases.on_time(10)


async def test_calls_that_fail_are_reported_once_in_a_while(
    rig: LeasesRig, caplog: pytest.LogCaptureFixture
) -> None:
    """An outage is one cause, however many calls fail."""
    (lease,) = await rig.receive("a")
    rig.age(lease, 16)
    rig.sqs.faults.add("change_visibility", Fail("InternalError"))
    for _ in range(5):
        await rig.leases.beat()

    assert len([it for it in caplog.records if "could not be extended" in it.getMessage()]) == 1


async def test_a_lease_is_let_go_at_the_limit_of_twelve_hours(rig: LeasesRig) -> None:
    """SQS would refuse each further extension."""
    (lease,) = await rig.receive("a")
    lease.scope = scope = CancelScope()
    lease.delivery = replace(lease.delivery, asked_at=current_time() - MAX_VISIBILITY + MARGIN - 1)
    rig.age(lease, 16)
    await rig.leases.beat()

    assert lease.is_lost
    assert scope.cancel_called
    assert rig.sqs.ledger.calls("change_visibility") == []


@given(st.floats(0, MAX_VISIBILITY * 1.1), st.integers(1, MAX_VISIBILITY))
def test_no_extension_goes_beyond_twelve_hours(age: float, visibility: int) -> None:
    """SQS refuses a longer one as a whole instead of shortening it."""
    at = datetime(2026, 1, 1, tzinfo=UTC)
    delivery = Delivery(Queue("q", "u"), "1", "h", "b", 1, at, asked_at=0.0)
    seconds = seconds_left(Lease(delivery, "h", 0.0), visibility, age)

    assert seconds <= visibility
    assert seconds <= 0 or age + seconds <= MAX_VISIBILITY


async def test_a_message_received_again_keeps_the_newest_handle(rig: LeasesRig) -> None:
    """SQS accepts only the newest one; and the message is processed once."""
    (lease,) = await rig.receive("a")
    again = replace(lease.delivery, handle="newer", asked_at=lease.delivery.asked_at + 5)

    assert rig.leases.take(again) is None
    assert lease.handle == "newer"
    assert len(rig.leases) == 1


async def test_a_response_about_an_older_handle_is_ignored(rig: LeasesRig) -> None:
    """The message was received again while the heartbeat's call was under way."""
    (lease,) = await rig.receive("a")
    await rig.sqs.delete(rig.queue, [lease.handle])
    rig.age(lease, 16)
    async with create_task_group() as tasks:
        with rig.sqs.faults.add("change_visibility", Hang()):
            tasks.start_soon(rig.leases.beat)
            await wait_all_tasks_blocked()
            rig.leases.take(replace(lease.delivery, handle="newer"))

    assert not lease.is_lost


async def test_a_release_can_wait_for_the_heartbeat_that_holds_its_lease(rig: LeasesRig) -> None:
    """An extension that reaches SQS later would hide the message again."""
    first, second = await rig.receive("a", "b")
    rig.age(first, 16)
    order: list[str] = []

    async def wait(lease: Lease, name: str) -> None:
        await rig.leases.out_of_beat(lease)
        order.append(name)

    async with create_task_group() as tasks:
        hang = rig.sqs.faults.add("change_visibility", Hang())
        tasks.start_soon(rig.leases.beat)
        await wait_all_tasks_blocked()
        tasks.start_soon(wait, first, "first")
        tasks.start_soon(wait, second, "second")
        await wait_all_tasks_blocked()
        order.append("beat is over")
        hang.remove()

    assert order == ["second", "beat is over", "first"]


async def test_what_is_done_is_remembered_within_bounds(
    rig: LeasesRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A redelivery whose delete failed is deleted without being run."""
    monkeypatch.setattr("streamapp.pipeline.leases.REMEMBERED", 2)
    leases = await rig.receive("a", "b", "c")
    for lease in leases:
        rig.leases.remember(lease)
        rig.leases.end(lease)

    again = [rig.leases.take(lease.delivery) for lease in leases]
    assert [lease is not None and lease.was_processed for lease in again] == [False, True, True]


async def test_ending_twice_gives_one_token_back() -> None:
    """However often a delivery is ended, it took one token."""
    sqs = MemorySqs()
    rig = LeasesRig(sqs, await sqs.create("q", {}))
    (lease,) = await rig.receive("a")
    rig.leases.end(lease)
    rig.leases.end(lease)

    assert rig.free() == 10


async def test_the_heartbeat_keeps_messages_invisible() -> None:
    """For two visibility timeouts each message is received once."""
    sqs = MemorySqs()
    rig = LeasesRig(sqs, await sqs.create("q", {"VisibilityTimeout": "1"}))
    await rig.receive(*"abc")
    async with create_task_group() as tasks:
        await tasks.start(rig.leases.run)
        assert await sqs.receive(rig.queue, limit=10, wait=2) == []
        tasks.cancel_scope.cancel()

    assert set(sqs.ledger.receives("q").values()) == {1}
    assert rig.counters.of("lost") == 0


@pytest.mark.parametrize(
    ("visibility", "seconds"), [(0, SHORTEST_LEASE), (12, SHORTEST_LEASE), (60, 60), (43_200, 43_200)]
)
def test_a_lease_is_as_long_as_its_queue_says_within_bounds(visibility: float, seconds: float) -> None:
    """A queue that hides nothing would bring a message to another worker while it is processed here."""
    assert lease_of(Queue("q", "http://sqs/q", visibility=visibility)) == seconds
