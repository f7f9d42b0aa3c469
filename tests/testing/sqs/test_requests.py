"""The SQS for tests over HTTP answers any request: what it cannot read is the client's error, and never its own."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import aiohttp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streamapp.testing import MemorySqs, VirtualClock, serve
from streamapp.testing.faults.refusal import Refusal
from streamapp.testing.sqs.json_protocol import REFUSED, JsonProtocol

OPERATIONS = JsonProtocol(MemorySqs().simulator, "http://memory/0").operations

XML = "{http://queue.amazonaws.com/doc/2012-11-05/}"

DEEP = b"[" * 100_000


@pytest.fixture
def anyio_backend() -> str:
    """Asyncio, because aiohttp needs it."""
    return "asyncio"


class Http:
    """A client that sends any bytes."""

    def __init__(self, session: aiohttp.ClientSession, endpoint: str) -> None:
        self._session = session
        self._endpoint = endpoint

    async def post(self, operation: str, body: bytes) -> tuple[int, dict[str, Any]]:
        """Return the status and the JSON of the answer."""
        headers = {"X-Amz-Target": f"AmazonSQS.{operation}", "Content-Type": "application/x-amz-json-1.0"}
        async with self._session.post(self._endpoint, data=body, headers=headers) as answer:
            return answer.status, await answer.json(content_type=None)

    async def query(self, method: str, **said: str) -> tuple[int, str, dict[str, str]]:
        """Make a call of the older query protocol; return the status, the type and the error of the answer."""
        return await self.send(method, **{"params" if method == "GET" else "data": said})

    async def send(self, method: str, **request: Any) -> tuple[int, str, dict[str, str]]:
        """Send any request that is answered in XML; return the status, the type and the error of the answer."""
        async with self._session.request(method, self._endpoint, **request) as answer:
            error = ET.fromstring(await answer.text()).find(f"{XML}Error")
            assert error is not None
            return (
                answer.status,
                answer.content_type,
                {it.tag.removeprefix(XML): it.text or "" for it in error},
            )


@asynccontextmanager
async def http() -> AsyncIterator[Http]:
    """A server with the queue "q", and its client."""
    sqs = MemorySqs(clock=VirtualClock())
    await sqs.create("q", {})
    async with serve(sqs) as endpoint, aiohttp.ClientSession() as session:
        yield Http(session, endpoint)


@pytest.mark.parametrize(
    "body",
    [b"[]", b"null", b'"x"', b"5", b"{", b"\xff", b"NaN", b'{"QueueUrl":5}', b'{"Entries":[5]}', DEEP]
    + [
        b'{"QueueUrl":"q","Entries":' + wrong + b"}"
        for wrong in (b"5", b"{}", b"[null]", b'[{"Id":{}}]', DEEP)
    ],
    ids=lambda body: body[:40].decode(errors="replace"),
)
@pytest.mark.parametrize("operation", ["SendMessageBatch", "DeleteMessageBatch", "ReceiveMessage"])
async def test_a_body_that_cannot_be_read_is_the_clients_error(operation: str, body: bytes) -> None:
    """An error 500 would be tried again for ever."""
    async with http() as client:
        status, answer = await client.post(operation, body)

    assert (status, answer["__type"]) == (400, "com.amazonaws.sqs#SerializationException")
    assert answer["message"]


async def test_the_refusal_says_what_is_wrong() -> None:
    """The wrong member is named."""
    async with http() as client:
        _, answer = await client.post("SendMessageBatch", b'{"QueueUrl": "q", "Entries": [{"Id": 5}]}')

    assert answer["message"] == (
        "The request cannot be read: Expected `str | null`, got `int` - at `$.Entries[0].Id`"
    )


@pytest.mark.parametrize(
    ("operation", "said"),
    [
        ("SendMessage", {"MessageBody": "x", "MessageAttributes": {"a": {"DataType": "String.\ud800"}}}),
        ("SendMessage", {"MessageBody": "\ud800"}),
        ("SendMessage", {"MessageBody": "x", "MessageAttributes": {"a": {"BinaryValue": "%"}}}),
        ("ReceiveMessage", {"MaxNumberOfMessages": 1 << 70}),
        ("ReceiveMessage", {"VisibilityTimeout": -(1 << 70)}),
        ("DeleteMessage", {"ReceiptHandle": "\ud800"}),
        ("SetQueueAttributes", {"Attributes": {"VisibilityTimeout": "9" * 5_000}}),
        ("SetQueueAttributes", {"Attributes": {"RedrivePolicy": '{"maxReceiveCount":1e999}'}}),
        (
            "SetQueueAttributes",
            {"Attributes": {"RedrivePolicy": '{"deadLetterTargetArn":"a","maxReceiveCount":1e999}'}},
        ),
        ("SetQueueAttributes", {"Attributes": {"RedrivePolicy": "[" * 100_000}}),
        ("ListQueues", {"NextToken": "%"}),
        ("ListQueues", {"NextToken": "ÿ"}),
    ],
)
async def test_a_value_that_no_rule_foresees_is_the_clients_error(
    operation: str, said: dict[str, object]
) -> None:
    """A number too long, half a character, a policy without an end."""
    async with http() as client:
        status, _ = await client.post(operation, json.dumps({"QueueUrl": "q"} | said).encode())

    assert status == 400 or (status == 404 and operation == "DeleteMessage")


async def test_a_type_with_half_a_character_does_not_fail() -> None:
    """SQS has no rule for what follows the dot in a type."""
    attribute = {"a": {"DataType": "String.\ud800", "StringValue": "x"}}
    async with http() as client:
        status, answer = await client.post(
            "SendMessage",
            json.dumps({"QueueUrl": "q", "MessageBody": "x", "MessageAttributes": attribute}).encode(),
        )

    assert (status, len(answer["MD5OfMessageAttributes"])) == (200, 32)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["q", "1", "All"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
MEMBERS = st.dictionaries(
    st.sampled_from(
        [
            "Attributes",
            "AttributeNames",
            "DelaySeconds",
            "Entries",
            "MaxNumberOfMessages",
            "MaxResults",
            "MessageAttributes",
            "MessageBody",
            "MessageGroupId",
            "MessageSystemAttributes",
            "NextToken",
            "QueueName",
            "ReceiptHandle",
            "TagKeys",
            "Tags",
            "VisibilityTimeout",
        ]
    ),
    JSON,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(operation=st.sampled_from(OPERATIONS), said=JSON | MEMBERS)
async def test_any_request_is_answered_or_refused(operation: str, said: object) -> None:
    """Whatever a client gets wrong, it is told so."""
    sqs = MemorySqs(clock=VirtualClock())
    await sqs.create("q", {})
    request = {"QueueUrl": "q"} | said if isinstance(said, dict) else said

    with suppress(Refusal):
        answer = await JsonProtocol(sqs.simulator, "http://memory/0").call(operation, request)
        json.dumps(answer, allow_nan=False)


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_the_query_protocol_is_refused_in_xml(method: str) -> None:
    """Its clients show the message of the error, which says what to do."""
    async with http() as client:
        status, kind, error = await client.query(method, Action="Send<Message", Version="2012-11-05")

    assert (status, kind) == (400, "text/xml")
    assert error["Type"] == "Sender"
    assert error["Code"] == "AWS.SimpleQueueService.UnsupportedOperation"
    assert "refuses Send<Message: it speaks SQS's JSON protocol alone" in error["Message"]


@pytest.mark.parametrize(
    "kind", ["multipart/form-data", "application/x-www-form-urlencoded; charset=none", ""]
)
@pytest.mark.parametrize("body", [b"Action=%00", b"\xff", b"{}", b""])
async def test_a_request_without_a_target_is_refused_in_xml(kind: str, body: bytes) -> None:
    """Whatever it is, it cannot be of the JSON protocol."""
    async with http() as client:
        status, type_, error = await client.send("POST", data=body, headers={"Content-Type": kind})

    assert (status, type_, error["Type"]) == (400, "text/xml", "Sender")
    assert "refuses this request" in error["Message"]


@pytest.mark.parametrize("operation", REFUSED)
async def test_what_is_not_there_is_refused_by_name(operation: str) -> None:
    """A program that needs it must learn that it is the server that lacks it."""
    async with http() as client:
        status, answer = await client.post(operation, b"{}")

    assert (status, answer["__type"]) == (400, "com.amazonaws.sqs#UnsupportedOperation")
    assert operation in answer["message"]


def test_the_guide_lists_the_operations() -> None:
    """Who chooses a server for tests must know what it can do."""
    guide = (Path(__file__).parents[3] / "docs" / "writing-agents.md").read_text()
    rows = [
        line for line in guide.splitlines() if line.startswith(("| of messages", "| of queues", "| refused"))
    ]

    assert sorted(re.findall(r"`([A-Z]\w+)`", " ".join(rows))) == sorted(
        [*OPERATIONS, *REFUSED, "UnsupportedOperation"]
    )


async def test_an_unknown_operation_is_refused() -> None:
    """With SQS's own words."""
    async with http() as client:
        status, answer = await client.post("FooBar", b"{}")

    assert (status, answer["message"]) == (400, "The action FooBar is not valid for this endpoint.")
