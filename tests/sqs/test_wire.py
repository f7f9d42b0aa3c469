"""Requests and responses in SQS's JSON protocol."""

import json

import pytest
from msgspec.structs import replace

from sqs.clients import OPERATIONS, Both, outcome
from streamapp.errors import Fault
from streamapp.messages import Outgoing, Typed
from streamapp.sqs.client import Failure
from streamapp.testing import Garble
from streamapp.testing.sqs.message import MessageContent

XRAY = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"


FULL = (
    '{"MessageId": "1", "ReceiptHandle": "h", "Body": "b", "Attributes": {"SentTimestamp": "1000"}, '
    '"MessageAttributes": {"a": {"DataType": "String", "StringValue": "x"}}}'
)


BINARY = '{"DataType": "Binary", "StringValue": null, "BinaryValue": "eA=="}'


NULLS = [
    ("Body", '"Body": "b"', '"Body": null'),
    ("Attributes", '{"SentTimestamp": "1000"}', "null"),
    ("SentTimestamp", '"1000"', 'null, "ApproximateReceiveCount": null'),
    ("MessageAttributes", '{"a": {"DataType": "String", "StringValue": "x"}}', "null"),
    ("StringValue", '"StringValue": "x"', '"StringValue": null'),
    ("StringValue of bytes", '{"DataType": "String", "StringValue": "x"}', BINARY),
    ("BinaryValue", '"StringValue": "x"', '"StringValue": "x", "BinaryValue": null'),
]


@pytest.mark.parametrize(("told", "by"), [pytest.param(told, by, id=what) for what, told, by in NULLS])
async def test_null_is_read_as_absent_by_both_clients(both: Both, told: str, by: str) -> None:
    """Emulators in Go and Java write null; such a message must not fail the others of its response."""
    assert told in FULL
    garbled = Garble(f'{{"Messages": [{FULL.replace(told, by)}, {FULL}]}}'.encode())
    with both.memory.faults.add("receive", garbled):
        by_aws = await both.aws.receive(both.queue, limit=2, wait=0)
        by_direct = await both.direct.receive(both.queue, limit=2, wait=0)

    assert [replace(each, asked_at=0.0) for each in by_direct] == [
        replace(each, asked_at=0.0) for each in by_aws
    ]
    assert (by_direct[1].body, by_direct[1].attributes) == ("b", {"a": "x"})


@pytest.mark.parametrize("field", ["Code", "SenderFault", "Message"])
async def test_null_in_an_outcome_of_a_batch_is_read_as_absent(both: Both, field: str) -> None:
    """A batch whose response cannot be read is sent again, for ever."""
    failed = {"Id": "1", "Code": "InvalidMessageContents", "SenderFault": True, "Message": "m"}
    answer = {"Successful": [{"Id": "0", "MessageId": "m"}], "Failed": [{**failed, field: None}]}
    with both.memory.faults.add("send", Garble(json.dumps(answer).encode())):
        expected = await OPERATIONS["send"](both.aws, both.queue)
        assert await OPERATIONS["send"](both.direct, both.queue) == expected

    assert isinstance(expected, list)
    assert expected[0] is None
    assert isinstance(expected[1], Failure)


@pytest.mark.parametrize("text", ["message", "Message"])
async def test_a_refusal_without_text_keeps_its_code_from_both_clients(both: Both, text: str) -> None:
    """The code alone decides what to do."""
    kind = "com.amazonaws.sqs#QueueDoesNotExist"
    garbled = Garble(json.dumps({"__type": kind, text: None}).encode(), status=400)
    with both.memory.faults.add("*", garbled):
        for operation in OPERATIONS.values():
            expected = await outcome(operation, both.aws, both.queue)
            assert isinstance(expected, tuple)
            assert expected[0] is Fault.CONFIGURATION
            assert await outcome(operation, both.direct, both.queue) == expected


TYPED = {"n": Typed("Number", "7"), "seal": Typed("Binary.x", b"\x00\xff")}


async def test_both_clients_return_the_same_deliveries(both: Both) -> None:
    """Body, attributes, group, counts and times are equal."""
    bodies = ["é\n{}", "\U0001f354", '"\\', "x" * 200_000]
    for body in bodies:
        await both.direct.send(
            both.queue, [Outgoing(body, {"kind": "a b", "c": "ç\u00a0"}, "tenant", typed=TYPED)]
        )
    by_direct = [(await both.direct.receive(both.queue, limit=1, wait=0))[0] for _ in bodies]
    await both.direct.change_visibility(both.queue, [(each.handle, 0) for each in by_direct])
    by_aws = [(await both.aws.receive(both.queue, limit=1, wait=0))[0] for _ in bodies]

    def told(deliveries: list[object]) -> list[object]:
        fields = ("message_id", "body", "sent_at", "attributes", "group", "queue", "typed")
        return [tuple(getattr(each, name) for name in fields) for each in deliveries]

    assert told([*by_direct]) == told([*by_aws])
    assert [each.body for each in by_direct] == bodies
    assert [each.typed for each in by_direct] == [TYPED] * 4
    assert [each.receives for each in [*by_direct, *by_aws]] == [1] * 4 + [2] * 4
    assert await both.direct.delete(both.queue, [each.handle for each in by_aws]) == [None] * 4
    assert both.memory.bodies(both.queue) == []


async def test_both_clients_return_the_xray_header(both: Both) -> None:
    """AWS's own services put a trace header there instead of an attribute."""
    letters = [MessageContent("a", trace=XRAY), MessageContent("b", trace=XRAY), MessageContent("c")]
    await both.memory.simulator.send("q", letters, ["0", "1", "2"])

    (by_direct,) = await both.direct.receive(both.queue, limit=1, wait=0)
    by_aws, without = await both.aws.receive(both.queue, limit=2, wait=0)

    assert (by_direct.xray, by_aws.xray, without.xray) == (XRAY, XRAY, None)
