"""Both clients of SQS, on moto's server, and on ours where something has to fail."""

import json

import pytest
from anyio import create_task_group, current_time, fail_after
from anyio.lowlevel import checkpoint

from sqs.clients import Both
from streamapp.errors import Fault, ServiceError
from streamapp.flow.outage import Outage
from streamapp.messages import Outgoing, Queue, Typed
from streamapp.observe.counters import Counters
from streamapp.outbox.sender import Sender
from streamapp.sqs.boto import BotoSqs
from streamapp.sqs.direct import DirectSqs
from streamapp.testing import Drip, Fail, Garble, Hang, MemorySqs, Partial, Reset


async def test_a_message_is_received_as_it_was_sent(sqs: BotoSqs | DirectSqs, prefix: str) -> None:
    """Body, attributes and counts are the same on both sides."""
    queue = await sqs.create(prefix, {"VisibilityTimeout": "7"})
    typed = {
        "n": Typed("Number", "7"),
        "seal": Typed("Binary.x", b"\x00\xff"),
        "id": Typed("String.uuid", "é"),
    }
    await sqs.send(queue, [Outgoing("é\n{}", {"kind": "a b"}, typed=typed)])
    before = current_time()
    (delivery,) = await sqs.receive(queue, limit=10, wait=1)

    assert (delivery.body, delivery.attributes, delivery.receives) == ("é\n{}", {"kind": "a b"}, 1)
    assert delivery.typed == typed, "as it came"
    assert queue.visibility == 7
    assert before <= delivery.asked_at <= current_time()  # clock: their order
    assert delivery.sent_at.tzinfo is not None


async def test_a_deleted_message_is_gone_and_a_released_one_comes_again(
    sqs: BotoSqs | DirectSqs, prefix: str
) -> None:
    """A message in hand ends in one of these ways."""
    queue = await sqs.create(prefix, {})
    await sqs.send(queue, [Outgoing("a"), Outgoing("b")])
    first, second = await sqs.receive(queue, limit=10, wait=1)

    assert await sqs.delete(queue, [first.handle]) == [None]
    assert await sqs.change_visibility(queue, [(second.handle, 0)]) == [None]

    (again,) = await sqs.receive(queue, limit=10, wait=1)
    assert (again.message_id, again.receives) == (second.message_id, 2)


async def test_an_empty_receive_is_an_empty_list(sqs: BotoSqs | DirectSqs, prefix: str) -> None:
    """SQS leaves the member `Messages` out of its response."""
    queue = await sqs.create(prefix, {})

    assert await sqs.receive(queue, limit=1, wait=0) == []


async def test_a_queue_is_found_by_name_and_by_url(sqs: BotoSqs | DirectSqs, prefix: str) -> None:
    """The queue's variable may contain either."""
    created = await sqs.create(prefix, {})

    assert await sqs.find(created.name) == await sqs.find(created.url) == created


async def test_creating_a_queue_again_changes_its_attributes(sqs: BotoSqs | DirectSqs, prefix: str) -> None:
    """`queues create` may be run any number of times."""
    await sqs.create(prefix, {"VisibilityTimeout": "7"})
    again = await sqs.create(prefix, {"VisibilityTimeout": "9"})

    assert again.visibility == 9
    assert (await sqs.attributes(again))["VisibilityTimeout"] == "9"


async def test_a_missing_queue_is_a_configuration_fault(sqs: BotoSqs | DirectSqs, prefix: str) -> None:
    """It ends the start, because somebody has to create the queue."""
    with pytest.raises(ServiceError) as caught:
        await sqs.find(prefix)

    assert caught.value.fault is Fault.CONFIGURATION


async def test_an_invalid_handle_fails_its_entry_and_not_the_call(
    sqs: BotoSqs | DirectSqs, prefix: str
) -> None:
    """The other entries of the batch may still succeed."""
    queue = await sqs.create(prefix, {})
    (failure,) = await sqs.change_visibility(queue, [("nonsense", 5)])

    assert failure is not None


async def test_a_silent_server_is_given_up_at_the_deadline(
    faulty: BotoSqs | DirectSqs, memory: MemorySqs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No call waits for ever, and a timeout is transient."""
    queue = await faulty.create("q", {})
    for module in ("sqs.boto", "sqs.direct"):
        monkeypatch.setattr(f"streamapp.{module}.SLACK", 0.2)
        monkeypatch.setattr(f"streamapp.{module}.CALL_TIMEOUT", 0.2)
    with fail_after(30), memory.faults.add("*", Hang()):
        with pytest.raises(ServiceError) as polled:
            await faulty.receive(queue, limit=1, wait=0)
        with pytest.raises(ServiceError) as sent:
            await faulty.send(queue, [Outgoing("x")])

    assert (polled.value.fault, sent.value.fault) == (Fault.TRANSIENT, Fault.TRANSIENT)


HOSTILE = [
    Reset(),
    Garble(),
    Garble(b""),
    Garble(b"\xff\x00"),
    Garble(b"[]"),
    Garble(b"null"),
    Garble(b'"x"'),
    Garble(b'{"Messages":[{}]}'),
    Garble(b'{"Messages":"x"}'),
    Garble(b'{"Messages":[{"MessageId":"1","ReceiptHandle":"2","Attributes":{"SentTimestamp":"x"}}]}'),
    Garble(status=500),
    Garble(status=403),
    Garble(b"", status=503),
    Fail("RequestThrottled"),
    Fail("ServiceUnavailable"),
]


async def test_every_bad_response_raises_a_service_error(
    faulty: BotoSqs | DirectSqs, memory: MemorySqs
) -> None:
    """Another exception would end the worker, and a garbled response must not count as a success."""
    wrong: list[tuple[str, str, object]] = []
    other_batches = {"send", "delete", "change_visibility"}

    async def call(effect: object, operation: str, queue: Queue) -> None:
        calls = {
            "receive": lambda: faulty.receive(queue, limit=1, wait=0),
            "send": lambda: faulty.send(queue, [Outgoing("x")]),
            "delete": lambda: faulty.delete(queue, ["h"]),
            "change_visibility": lambda: faulty.change_visibility(queue, [("h", 1)]),
            "find": lambda: faulty.find(queue.name),
            "attributes": lambda: faulty.attributes(queue),
        }
        try:
            answer = await calls[operation]()
        except ServiceError as error:
            if error.fault not in {Fault.TRANSIENT, Fault.CONFIGURATION}:
                wrong.append((repr(effect), operation, error))
        except Exception as error:  # noqa: BLE001 - that is what must not be
            wrong.append((repr(effect), operation, error))
        else:
            if operation in other_batches and None in list(answer):
                wrong.append((repr(effect), operation, answer))

    async with create_task_group() as tasks:
        for number, effect in enumerate(HOSTILE):
            await memory.create(f"q{number}", {})
            queue = await faulty.find(f"q{number}")
            memory.faults.add("*", effect, queue=queue.name)
            for operation in ("receive", "find", "attributes", *other_batches):
                tasks.start_soon(call, effect, operation, queue)

    assert wrong == []


async def test_entries_missing_from_the_response_were_not_done(
    faulty: BotoSqs | DirectSqs, memory: MemorySqs
) -> None:
    """HTTP 200 does not mean that each entry succeeded."""
    queue = await faulty.create("q", {})
    memory.faults.add("send", Partial(0b0101, missing=True), times=1)
    outcomes = await faulty.send(queue, [Outgoing(str(n)) for n in range(4)])

    assert [outcome is None for outcome in outcomes] == [False, True, False, True]


@pytest.mark.parametrize("identity", ["00", "\u0660", "10", "x", ""])
async def test_an_unknown_id_in_the_response_is_not_a_success(
    faulty: BotoSqs | DirectSqs, memory: MemorySqs, identity: str
) -> None:
    """Only the exact id of an entry belongs to it."""
    queue = await faulty.create("q", {})
    answer = json.dumps(
        {"Successful": [{"Id": identity, "MessageId": "m", "MD5OfMessageBody": "d"}]}
    ).encode()
    memory.faults.add("send", Garble(answer), times=1)
    (failure,) = await faulty.send(queue, [Outgoing("x")])

    assert failure is not None
    assert not failure.is_final


async def test_a_sender_fault_is_passed_on(faulty: BotoSqs | DirectSqs, memory: MemorySqs) -> None:
    """SQS decides whether an entry may be sent again."""
    queue = await faulty.create("q", {})
    memory.faults.add("send", Partial(1, code="InvalidMessageContents", sender_fault=True), times=1)
    (failure,) = await faulty.send(queue, [Outgoing("x")])

    assert failure is not None
    assert (failure.code, failure.sender_fault) == ("InvalidMessageContents", True)


async def test_a_batch_that_is_too_large_for_a_proxy_is_sent_in_halves(
    faulty: BotoSqs | DirectSqs, memory: MemorySqs
) -> None:
    """Nginx accepts 1 MiB by default and sends no code of SQS; to repeat the whole batch would fail again."""
    queue = await faulty.create("q", {})
    outbox = Sender(faulty, queue, Outage("SQS", checkpoint), Counters())
    memory.faults.add("send", Garble(b"<h1>413</h1>", status=413, took_effect=False), times=1)
    async with create_task_group() as tasks:
        await tasks.start(outbox.batcher.run)
        with fail_after(30):
            outcomes = await outbox.batcher.submit_all([Outgoing("x"), Outgoing("y")])
        outbox.batcher.close()

    assert outcomes == [None, None]
    assert sorted(memory.bodies(queue)) == ["x", "y"]
    assert len(memory.ledger.calls("send")) == 3


async def test_a_response_that_drips_is_given_up(
    faulty: BotoSqs | DirectSqs, memory: MemorySqs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A read timeout alone starts anew with each byte."""
    for module in ("sqs.boto", "sqs.direct"):
        monkeypatch.setattr(f"streamapp.{module}.SLACK", 0.3)
    queue = await faulty.create("q", {})
    # The whole would take minutes.
    memory.faults.add("receive", Drip(2), times=1)
    with fail_after(30), pytest.raises(ServiceError):
        await faulty.receive(queue, limit=1, wait=0)


async def test_a_receive_says_for_how_long_its_messages_are_invisible(
    sqs: BotoSqs | DirectSqs, prefix: str
) -> None:
    """The queue's own setting is somebody else's, and may change at any time."""
    queue = await sqs.create(prefix, {"VisibilityTimeout": "0"})
    await sqs.send(queue, [Outgoing("a")])
    (first,) = await sqs.receive(queue, limit=1, wait=0, visibility=30)

    assert await sqs.receive(queue, limit=1, wait=0, visibility=30) == []
    assert await sqs.change_visibility(queue, [(first.handle, 0)]) == [None]


THEIRS = "999999999999"
"""The account of somebody else."""


async def test_a_queue_is_found_by_its_arn_in_its_own_account(both: Both) -> None:
    """Ours may have a queue of the same name: what is meant for theirs must not land there."""
    ours = await both.memory.create("letters", {})
    theirs = await both.memory.create("letters", {}, account=THEIRS)
    arn = (await both.memory.attributes(theirs))["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 20})
    await both.memory.create("source", {"RedrivePolicy": policy})

    for client in (both.aws, both.direct):
        source = await client.find("source")
        assert (source.dead_letters, source.dead_letters_arn) == ("letters", arn)
        found = await client.find(arn)
        assert found.url.endswith(f"/{THEIRS}/letters")
        assert found.name == "letters"
        assert await client.send(found, [Outgoing("theirs")]) == [None]

    assert both.memory.bodies(theirs) == ["theirs", "theirs"]
    assert both.memory.bodies(ours) == []


async def test_an_arn_of_an_account_without_such_a_queue_is_a_configuration_fault(both: Both) -> None:
    """Not ours of that name."""
    await both.memory.create("letters", {})

    for client in (both.aws, both.direct):
        with pytest.raises(ServiceError) as caught:
            await client.find(f"arn:aws:sqs:us-east-1:{THEIRS}:letters")
        assert caught.value.fault is Fault.CONFIGURATION
        assert caught.value.code
