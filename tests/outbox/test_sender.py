"""Messages to one queue, ten at a time: which ones are sent again, and which are refused."""

from typing import Any

import pytest
from anyio import fail_after
from anyio.lowlevel import checkpoint

from outbox.announcing import announcing
from streamapp.errors import Refused
from streamapp.flow.outage import Outage
from streamapp.messages import Outgoing
from streamapp.outbox.sender import Sender
from streamapp.testing import Fail, Lose, Partial

pytestmark = pytest.mark.usefixtures("no_pauses")


async def test_a_standard_queue_is_sent_neither_group_nor_deduplication_id() -> None:
    """It refuses a deduplication id, so every announcement would be parked."""
    async with announcing() as it:
        await it.announcer.announce([it.owes("a")])
    (delivery,) = await it.sqs.receive(it.queue, limit=1, wait=0)

    assert delivery.group is None
    assert it.counters.of("refused") == 0


async def test_a_fifo_queue_keeps_the_order_of_a_group() -> None:
    """Announcements of one key arrive in the order of their changes."""
    async with announcing({"FifoQueue": "true"}, "out.fifo") as it:
        await it.announcer.announce([it.owes(f"{n:02}", n) for n in range(25)])

    assert it.bodies() == [f"{n:02}" for n in range(25)]


@pytest.mark.parametrize(
    "kind",
    [{"sender_fault": True, "code": "InvalidParameterValue"}, {"code": "InternalError"}, {"missing": True}],
)
async def test_of_a_batch_only_failed_entries_are_sent_again(kind: dict[str, Any]) -> None:
    """In each of the 1,024 patterns of success no entry is sent twice, and none is lost."""
    async with announcing() as it:
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


async def test_throttling_is_never_the_fault_of_a_message() -> None:
    """KMS throttles by key, even if SQS calls it the sender's fault."""
    async with announcing() as it:
        it.sqs.faults.add("send", Partial(1, code="KmsThrottled", sender_fault=True), times=2)
        await it.announcer.announce([it.owes("a")])

    assert it.bodies() == ["a"]


@pytest.mark.parametrize(
    "code", ["KmsAccessDenied", "KMS.AccessDeniedException", "KmsDisabled", "AccessDenied", "ExpiredToken"]
)
async def test_a_key_a_right_or_credentials_that_are_missing_park_nothing(code: str) -> None:
    """SQS may call it the sender's fault; yet the same announcement is accepted once somebody has mended the queue."""
    async with announcing() as it:
        it.sqs.faults.add("send", Partial(1, code=code, sender_fault=True), times=3)
        assert await it.announcer.announce([it.owes("a"), it.owes("b", 2)]) == {}

    assert sorted(it.bodies()) == ["a", "b"]
    assert it.counters.of("refused") == 0
    assert [each for each in it.store.confirmed if each.parked] == []


@pytest.mark.parametrize(
    "effect", [Partial(1, code="KmsAccessDenied", sender_fault=True), Fail("KmsAccessDenied")], ids=repr
)
async def test_a_dead_letter_queue_whose_key_is_denied_refuses_at_once(effect: Fail | Partial) -> None:
    """Its sender does not wait for somebody to mend the key: meanwhile the message is given back."""
    async with announcing() as it:
        letters = Sender(it.sqs, it.queue, Outage("SQS", checkpoint), it.counters, even_misconfigured=False)
        it.sqs.faults.add("send", effect, times=1)
        (outcome,) = await letters._flush([Outgoing("a")])

    assert isinstance(outcome, Refused)
    assert outcome.code == "KmsAccessDenied"


@pytest.mark.parametrize(
    "effect", [Fail("RequestThrottled"), Fail("InternalError"), Fail("ExpiredToken")], ids=repr
)
async def test_an_outage_of_sqs_is_waited_out(effect: Fail) -> None:
    """It heals by itself; the caller does not notice it."""
    async with announcing() as it:
        it.sqs.faults.add("send", effect, times=5)
        with fail_after(30):
            await it.announcer.announce([it.owes("a")])

    assert it.bodies() == ["a"]


async def test_a_lost_response_costs_a_duplicate_at_most() -> None:
    """Announcements are sent at least once."""
    async with announcing() as it:
        it.sqs.faults.add("send", Lose(), times=1)
        await it.announcer.announce([it.owes("a")])

    assert it.bodies() == ["a", "a"]


async def test_a_batch_that_is_too_long_is_halved() -> None:
    """SQS may count the bytes of a batch in another way than we do."""
    async with announcing() as it:
        it.sqs.faults.add("send", Fail("BatchRequestTooLong"), times=3)
        await it.announcer.announce([it.owes(str(n), n) for n in range(10)])

    assert sorted(it.bodies(), key=int) == [str(n) for n in range(10)]


async def test_one_message_that_sqs_calls_too_long_is_refused_alone() -> None:
    """A single message cannot be halved."""
    async with announcing() as it:
        it.sqs.faults.add("send", Fail("BatchRequestTooLong"))
        assert len(await it.announcer.announce([it.owes("a"), it.owes("b", 2)])) == 2

    assert len([each for each in it.store.confirmed if each.parked]) == 2


async def test_no_batch_has_more_bytes_than_sqs_takes() -> None:
    """Ten messages of 200 kB do not fit into one call."""
    async with announcing() as it:
        sizes = [200_000] * 10
        await it.outbox.batcher.submit_all([Outgoing("x" * size) for size in sizes])

    assert len(it.bodies()) == 10
    assert {entry.outcome for entry in it.sqs.ledger.calls("send")} == {"done"}
