"""SQS in memory, through the calls that the engine makes."""

import json
from datetime import UTC, datetime

import anyio
import pytest

from streamapp.errors import Fault, ServiceError
from streamapp.messages import Delivery, Outgoing, Queue
from streamapp.sqs.client import Failure, Sqs
from streamapp.testing import MemorySqs, RealClock, VirtualClock


async def test_a_queue_is_what_was_created(sqs: MemorySqs) -> None:
    """The engine reads its limits from it."""
    await sqs.create("dead", {})
    policy = {"deadLetterTargetArn": "arn:aws:sqs:us-east-1:000000000000:dead", "maxReceiveCount": 3}
    made = await sqs.create("q", {"VisibilityTimeout": "7", "MaximumMessageSize": "2048"})

    changed = await sqs.create("q", {"RedrivePolicy": json.dumps(policy)})

    assert (made.visibility, made.max_bytes, made.dead_letters) == (7, 2048, None)
    assert (changed.visibility, changed.dead_letters, changed.max_receives) == (7, "dead", 3)
    assert await sqs.find("q") == await sqs.find(made.url) == changed


async def test_a_delivery_tells_all_that_sqs_does(sqs: MemorySqs, queue: Queue, clock: VirtualClock) -> None:
    """Nothing of what was sent is lost."""
    asked: Sqs = sqs
    await clock.advance(60)
    await asked.send(queue, [Outgoing("olá", {"kind": "pedido"}, group="loja-1")])

    before = anyio.current_time()
    (delivery,) = await asked.receive(queue, limit=1, wait=0)

    assert isinstance(delivery, Delivery)
    assert (delivery.body, delivery.attributes, delivery.group) == ("olá", {"kind": "pedido"}, "loja-1")
    assert delivery.receives == 1
    assert delivery.sent_at == datetime(2026, 1, 1, 0, 1, tzinfo=UTC)
    assert before <= delivery.asked_at <= anyio.current_time()  # clock: their order


async def test_a_missing_queue_is_a_fault_of_configuration(sqs: MemorySqs) -> None:
    """At start it is fatal."""
    with pytest.raises(ServiceError, match="QueueDoesNotExist") as caught:
        await sqs.find("missing")

    assert caught.value.fault is Fault.CONFIGURATION


async def test_a_batch_of_none_or_eleven_is_refused(sqs: MemorySqs, queue: Queue) -> None:
    """Ten is SQS's number, and it never changes."""
    for handles in ([], ["x"] * 11):
        with pytest.raises(ServiceError) as caught:
            await sqs.delete(queue, handles)
        assert caught.value.fault is Fault.SENDER


async def test_every_receipt_is_accounted_for(sqs: MemorySqs, queue: Queue, clock: VirtualClock) -> None:
    """Received = deleted + released + come back + in flight."""
    await sqs.send(queue, [Outgoing(str(n)) for n in range(4)])
    first = await sqs.receive(queue, limit=10, wait=0)

    await sqs.delete(queue, [first[0].handle])
    await sqs.change_visibility(queue, [(first[1].handle, 0), (first[2].handle, 60)])
    ledger = sqs.ledger
    held = {entry.handle for entry in ledger.in_flight("q")}
    await clock.advance(30)

    assert held == {first[2].handle, first[3].handle}
    assert {entry.handle for entry in sqs.ledger.in_flight("q")} == {first[2].handle}
    assert [entry.handle for entry in ledger.released()] == [first[1].handle]
    assert [entry.handle for entry in ledger.extended()] == [first[2].handle]
    assert [(e.at, e.handle) for e in ledger.entries if e.operation == "return"] == [(30, first[3].handle)]


async def test_a_stale_delete_succeeds_and_is_told_apart(sqs: MemorySqs, queue: Queue) -> None:
    """Only the ledger knows that nothing was deleted."""
    await sqs.send(queue, [Outgoing("a")])
    (first,) = await sqs.receive(queue, limit=1, wait=0)
    await sqs.change_visibility(queue, [(first.handle, 0)])
    (second,) = await sqs.receive(queue, limit=1, wait=0)

    outcomes = await sqs.delete(queue, [first.handle, "garbage"])

    assert outcomes == [None, Failure("ReceiptHandleIsInvalid", sender_fault=True)]
    assert "stale" in {entry.outcome for entry in sqs.ledger.of(first.message_id)}
    assert not sqs.ledger.deleted()
    assert second.receives == 2


async def test_a_lease_ends_after_twelve_hours(sqs: MemorySqs, queue: Queue, clock: VirtualClock) -> None:
    """However often it was extended."""
    await sqs.send(queue, [Outgoing("a")])
    (held,) = await sqs.receive(queue, limit=1, wait=0)

    outcomes = [await sqs.change_visibility(queue, [(held.handle, 43_200)])]
    await clock.advance(43_000)
    outcomes += [await sqs.change_visibility(queue, [(held.handle, seconds)]) for seconds in (201, 200)]

    assert outcomes == [[None], [Failure("InvalidParameterValue", sender_fault=True)], [None]]


async def test_it_runs_on_real_time_too() -> None:
    """A worker under test needs no clock of its own."""
    sqs = MemorySqs(clock=RealClock())
    queue = await sqs.create("q", {"VisibilityTimeout": "1"})
    await sqs.send(queue, [Outgoing("a")])
    await sqs.receive(queue, limit=1, wait=0)

    with anyio.fail_after(30):
        (again,) = await sqs.receive(queue, limit=1, wait=2)

    assert again.receives == 2
