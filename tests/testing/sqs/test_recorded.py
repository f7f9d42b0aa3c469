"""The SQS for tests answers as AWS did: `tests/data/sqs_recorded.json` holds the recorded answers and their dates."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aioboto3
import pytest
from aiobotocore.config import AioConfig
from botocore.exceptions import ClientError

from streamapp.testing import MemorySqs, VirtualClock, serve

# aiohttp warns of bodies of 1 MiB, which one of the answers needs.
pytestmark = pytest.mark.filterwarnings("ignore:Sending a large body directly:ResourceWarning")

RECORDED = json.loads((Path(__file__).parents[2] / "data" / "sqs_recorded.json").read_text())["answers"]

STANDARD = "q"
FIFO = {"FifoQueue": "True", "ContentBasedDeduplication": "True"}
COUNTS = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")


class Recorder:
    """Makes the calls of one recorded test on a queue, and notes the answers as the file does."""

    def __init__(self, call: Callable[..., Awaitable[Any]], clock: VirtualClock) -> None:
        self._call = call
        self.clock = clock
        self.url = ""
        self.answers: list[object] = []

    async def create(self, name: str = STANDARD, **attributes: str) -> None:
        """Make this the queue of the next calls."""
        self.url = (await self._call("create_queue", QueueName=name, Attributes=attributes))["QueueUrl"]

    async def __call__(self, operation: str, **said: object) -> dict[str, Any]:
        """Make a call, on the queue if it is one on a queue, and return its whole answer."""
        queue = {} if operation in {"create_queue", "list_queues"} else {"QueueUrl": self.url}
        answer: dict[str, Any] = await self._call(operation, **queue, **said)
        return answer

    async def note(self, operation: str, **said: object) -> None:
        """Make a call, and note its answer."""
        handle = str(said.get("ReceiptHandle", "HANDLE"))
        try:
            self.answers.append(simple(await self(operation, **said)))
        except ClientError as error:
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            code, message = error.response["Error"]["Code"], error.response["Error"]["Message"]
            self.answers.append([status, code, message.replace(handle, "HANDLE")])

    async def receive(self, **said: object) -> list[str]:
        """Receive messages, note their bodies, and return their handles."""
        answer = await self("receive_message", **said)
        self.answers.append(simple(answer))
        return [message["ReceiptHandle"] for message in answer.get("Messages", [])]

    async def send(self, body: str, group: str | None = None, identity: str | None = None) -> None:
        """Send a message."""
        more = {"MessageGroupId": group, "MessageDeduplicationId": identity}
        said = {name: value for name, value in more.items() if value is not None}
        await self("send_message", MessageBody=body, **said)

    async def attributes(self, *names: str) -> dict[str, str]:
        """Return attributes of the queue."""
        answer = await self("get_queue_attributes", AttributeNames=names or ["All"])
        found: dict[str, str] = answer.get("Attributes", {})
        return found


def simple(answer: dict[str, Any]) -> object:
    """Return an answer as the file spells it."""
    match answer:
        case {"Messages": messages}:
            return [message["Body"] for message in messages]
        case {"Attributes": attributes}:
            passing = ("Approximate", "CreatedTimestamp", "LastModifiedTimestamp", "QueueArn")
            return {name: value for name, value in attributes.items() if not name.startswith(passing)}
        case {"Tags": tags}:
            return tags
        case {"QueueUrls": urls}:
            return {"QueueUrls": len(urls), "NextToken": "NextToken" in answer}
        case {"Successful": done}:
            failed = answer.get("Failed", [])
            return [[it["Code"], it["Message"], it["SenderFault"]] for it in failed] + [["done"]] * len(done)
        case _:
            return {}


async def change_message_visibility_after_visibility_timeout_expiration(sqs: Recorder) -> None:
    await sqs.create(VisibilityTimeout="1")
    await sqs.send("test")
    handle = (await sqs("receive_message"))["Messages"][0]["ReceiptHandle"]
    await sqs.clock.advance(2)
    await sqs.note("change_message_visibility", ReceiptHandle=handle, VisibilityTimeout=2)


async def terminate_visibility_timeout_after_receive(sqs: Recorder) -> None:
    await sqs.create()
    await sqs.send("test")
    (old,) = await sqs.receive(VisibilityTimeout=0)
    await sqs.receive(VisibilityTimeout=3)
    await sqs.note("change_message_visibility", ReceiptHandle=old, VisibilityTimeout=0)
    await sqs.receive()


async def change_visibility_on_deleted_message_raises_invalid_parameter_value(sqs: Recorder) -> None:
    await sqs.create()
    await sqs.send("foo")
    handle = (await sqs("receive_message"))["Messages"][0]["ReceiptHandle"]
    await sqs("delete_message", ReceiptHandle=handle)
    await sqs.note("change_message_visibility", ReceiptHandle=handle, VisibilityTimeout=42)


async def remove_message_with_old_receipt_handle(sqs: Recorder) -> None:
    await sqs.create()
    await sqs.send("test")
    handle = (await sqs("receive_message", VisibilityTimeout=1))["Messages"][0]["ReceiptHandle"]
    await sqs.clock.advance(2)
    await sqs.note("delete_message", ReceiptHandle=handle)
    sqs.answers.append((await sqs.attributes(COUNTS[0]))[COUNTS[0]])


async def delete_after_visibility_timeout(sqs: Recorder) -> None:
    await sqs.create(VisibilityTimeout="1")
    await sqs.send("foobar")
    handle = (await sqs("receive_message"))["Messages"][0]["ReceiptHandle"]
    await sqs.clock.advance(1)
    await sqs("delete_message", ReceiptHandle=handle)
    await sqs.receive()


async def fifo_delete_after_visibility_timeout(sqs: Recorder) -> None:
    await sqs.create("q.fifo", **FIFO, VisibilityTimeout="1")
    await sqs.send("foobar", "1")
    (handle,) = await sqs.receive()
    await sqs.clock.advance(2)
    await sqs.note("delete_message", ReceiptHandle=handle)


async def fifo_delete_after_visibility_timeout_extended(sqs: Recorder) -> None:
    await sqs.create("q.fifo", **FIFO, VisibilityTimeout="1")
    await sqs.send("foobar", "1")
    (handle,) = await sqs.receive()
    await sqs("change_message_visibility", ReceiptHandle=handle, VisibilityTimeout=5)
    await sqs.clock.advance(1.5)
    await sqs("delete_message", ReceiptHandle=handle)
    await sqs.receive()


async def fifo_group_visibility_extends_with_change_message_visibility(sqs: Recorder) -> None:
    await sqs.create("q.fifo", **FIFO, VisibilityTimeout="1")
    for body in ("foo", "bar", "baz"):
        await sqs.send(body, "1")
    *_, last = await sqs.receive(MaxNumberOfMessages=5)
    await sqs("change_message_visibility", ReceiptHandle=last, VisibilityTimeout=4)
    await sqs.clock.advance(2.5)
    await sqs.receive(MaxNumberOfMessages=5)


async def fifo_approximate_number_of_messages_not_visible(sqs: Recorder) -> None:
    await sqs.create("q.fifo", **FIFO)
    for number in range(6):
        await sqs.send(str(number), str(number // 2))
    for _ in range(2):
        await sqs("receive_message")
    counts = (*COUNTS, "ApproximateNumberOfMessagesDelayed")
    found = await sqs.attributes(*counts)
    sqs.answers.append([found[name] for name in counts])


async def fifo_queue_send_message_with_delay_seconds_fails(sqs: Recorder) -> None:
    await sqs.create("q.fifo", **FIFO)
    await sqs.note("send_message", MessageBody="x", MessageGroupId="1", DelaySeconds=2)


async def fifo_queue_send_message_with_zero_delay_defaults_to_queue_delay(sqs: Recorder) -> None:
    await sqs.create("q.fifo", **FIFO, DelaySeconds="2")
    said = {"MessageBody": "message-1", "MessageGroupId": "1", "DelaySeconds": 0}
    sent = await sqs("send_message", **said)
    assert len(sent["SequenceNumber"]) == 20
    sqs.answers.append(
        {
            "MD5OfMessageBody": sent["MD5OfMessageBody"],
            "MessageId": "<uuid:1>",
            "SequenceNumber": "<sequence-number:1>",
        }
    )
    await sqs.receive()
    await sqs.clock.advance(3)
    await sqs.receive()


async def posting_to_fifo_requires_deduplicationid_group_id(sqs: Recorder) -> None:
    await sqs.create("q.fifo", FifoQueue="true")
    await sqs.note("send_message", MessageBody="x", MessageGroupId="1")
    await sqs.note("send_message", MessageBody="x", MessageDeduplicationId="1")


async def send_batch_missing_deduplication_id_for_fifo_queue(sqs: Recorder) -> None:
    await fifo_batch(sqs, {"MessageGroupId": "g"})


async def send_batch_missing_message_group_id_for_fifo_queue(sqs: Recorder) -> None:
    await fifo_batch(sqs, {"MessageDeduplicationId": "d2"})


async def fifo_batch(sqs: Recorder, second: dict[str, str]) -> None:
    """Send a good message and one that lacks something; neither is there afterwards."""
    await sqs.create("q.fifo", FifoQueue="true", ContentBasedDeduplication="false")
    first = {"Id": "1", "MessageBody": "x", "MessageGroupId": "g", "MessageDeduplicationId": "d"}
    await sqs.note("send_message_batch", Entries=[first, {"Id": "2", "MessageBody": "x", **second}])
    assert "Messages" not in await sqs("receive_message")


async def message_deduplication_id_invalid(sqs: Recorder) -> None:
    await sqs.create("q.fifo", **FIFO)
    said = {"MessageBody": "x", "MessageGroupId": "g", "MessageDeduplicationId": "group 123"}
    await sqs.note("send_message", **said)


async def fifo_change_to_high_throughput_after_creation(sqs: Recorder) -> None:
    await sqs.create("q.fifo", FifoQueue="True", DeduplicationScope="queue")
    await sqs.send("Test1", "group1", "same")
    (handle,) = await sqs.receive()
    await sqs("delete_message", ReceiptHandle=handle)
    await sqs.send("Test2", "group2", "same")
    await sqs.receive()
    high = {"DeduplicationScope": "messageGroup", "FifoThroughputLimit": "perMessageGroupId"}
    await sqs("set_queue_attributes", Attributes=high)
    await sqs.note("get_queue_attributes", AttributeNames=["All"])
    await sqs.receive()
    await sqs.send("Test3", "group3", "same")
    await sqs.receive()
    await sqs.send("Test4", "group4", "other")
    (handle,) = await sqs.receive()
    await sqs("delete_message", ReceiptHandle=handle)
    await sqs.send("Test5", "group5", "other")
    await sqs.receive()


async def fifo_change_to_regular_throughput_after_creation(sqs: Recorder) -> None:
    high = {"DeduplicationScope": "messageGroup", "FifoThroughputLimit": "perMessageGroupId"}
    await sqs.create("q.fifo", FifoQueue="True", **high)
    for number in (1, 2):
        await sqs.send(f"Test{number}", f"group{number}", "same")
        (handle,) = await sqs.receive()
        await sqs("delete_message", ReceiptHandle=handle)
    regular = {"DeduplicationScope": "queue", "FifoThroughputLimit": "perQueue"}
    await sqs("set_queue_attributes", Attributes=regular)
    await sqs.note("get_queue_attributes", AttributeNames=["All"])
    await sqs.send("Test3", "group3", "same")
    await sqs.receive()


async def sqs_fifo_message_group_scope_no_throughput_setting(sqs: Recorder) -> None:
    await sqs.create("q.fifo", **FIFO, DeduplicationScope="messageGroup")
    for group in ("1", "2"):
        await sqs.send("Test", group)
        (handle,) = await sqs.receive()
        await sqs("delete_message", ReceiptHandle=handle)


async def purge_queue_clears_fifo_deduplication_cache(sqs: Recorder) -> None:
    await sqs.create("q.fifo", FifoQueue="true")
    await sqs.send("message-1", "g", "d")
    await sqs("purge_queue")
    await sqs.send("message-2", "g", "d")
    await sqs.receive()


async def successive_purge_calls_fail(sqs: Recorder) -> None:
    await sqs.create("NAME")
    await sqs("purge_queue")
    await sqs.note("purge_queue")


async def create_fifo_queue_with_different_attributes_raises_error(sqs: Recorder) -> None:
    await sqs.create("q.fifo", **FIFO)
    wrong = {"FifoQueue": "true", "ContentBasedDeduplication": "false"}
    await sqs.note("create_queue", QueueName="q.fifo", Attributes=wrong)


async def create_standard_queue_with_fifo_attribute_raises_error(sqs: Recorder) -> None:
    for name, value in (
        ("FifoQueue", "false"),
        ("ContentBasedDeduplication", "false"),
        ("DeduplicationScope", "queue"),
        ("FifoThroughputLimit", "perQueue"),
    ):
        await sqs.note("create_queue", QueueName="q", Attributes={name: value})


async def set_unsupported_attribute_fifo(sqs: Recorder) -> None:
    await sqs.create()
    await sqs.note("set_queue_attributes", Attributes={"FifoQueue": "true"})
    await sqs.create("q.fifo", FifoQueue="true")
    await sqs("set_queue_attributes", Attributes={"FifoQueue": "true"})
    await sqs.note("set_queue_attributes", Attributes={"FifoQueue": "false"})


async def set_queue_attributes_default_values(sqs: Recorder) -> None:
    await sqs.create()
    await sqs.note("get_queue_attributes", AttributeNames=["All"])
    for key, seconds in (("testKeyId", "6000"), ("", "300")):
        changed = {"KmsMasterKeyId": key, "KmsDataKeyReusePeriodSeconds": seconds}
        await sqs("set_queue_attributes", Attributes=changed)
        await sqs.note("get_queue_attributes", AttributeNames=["All"])


async def sse_queue_attributes(sqs: Recorder) -> None:
    names = ["KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds", "SqsManagedSseEnabled"]
    kms = dict(zip(names, ("testKeyId", "6000", "false"), strict=True))
    for name, attributes in (("a", kms), ("b", {"SqsManagedSseEnabled": "true"})):
        await sqs.create(name)
        await sqs("set_queue_attributes", Attributes=attributes)
        await sqs.note("get_queue_attributes", AttributeNames=names)


async def sse_kms_and_sqs_are_mutually_exclusive(sqs: Recorder) -> None:
    await sqs.create()
    both = {"KmsMasterKeyId": "testKeyId", "SqsManagedSseEnabled": "true"}
    await sqs.note("set_queue_attributes", Attributes=both)


async def list_queues_pagination(sqs: Recorder) -> None:
    for number in range(10):
        await sqs.create(f"p-{number}")
    await sqs.create("other")
    await sqs.note("list_queues", QueueNamePrefix="p-")
    await sqs.note("list_queues", QueueNamePrefix="p-", MaxResults=2)
    token = (await sqs("list_queues", QueueNamePrefix="p-", MaxResults=2))["NextToken"]
    await sqs.note("list_queues", QueueNamePrefix="p-", MaxResults=10, NextToken=token)


async def tag_untag_queue(sqs: Recorder) -> None:
    await sqs.create()
    await sqs("tag_queue", Tags={"tag1": "value1", "tag2": "value2", "tag3": ""})
    await sqs.note("list_queue_tags")
    for keys in (["tag1", "tag3"], ["tag2"]):
        await sqs("untag_queue", TagKeys=keys)
        await sqs.note("list_queue_tags")


async def untag_queue_ignores_non_existing_tag(sqs: Recorder) -> None:
    await sqs.create()
    await sqs("tag_queue", Tags={"tag1": "value1", "tag2": "value2"})
    await sqs("untag_queue", TagKeys=["tag1", "tag3"])
    await sqs.note("list_queue_tags")


async def tag_queue_overwrites_existing_tag(sqs: Recorder) -> None:
    await sqs.create()
    await sqs("tag_queue", Tags={"tag1": "value1", "tag2": "value2"})
    await sqs("tag_queue", Tags={"tag1": "VALUE1", "tag3": "value3"})
    await sqs.note("list_queue_tags")


async def create_queue_with_tags(sqs: Recorder) -> None:
    await sqs("create_queue", QueueName=STANDARD, tags={"tag1": "value1", "tag2": "value2"})
    await sqs.create()
    await sqs.note("list_queue_tags")


async def send_batch_message_size(sqs: Recorder) -> None:
    await sqs.create(MaximumMessageSize="1024")
    entries = [{"Id": str(size), "MessageBody": "a" * size} for size in (1024, 1025)]
    await sqs.note("send_message_batch", Entries=entries)


async def send_message_batch_with_oversized_contents(sqs: Recorder) -> None:
    await sqs.create()
    attribute = {"k": {"DataType": "String", "StringValue": "x"}}
    whole = {"Id": "1", "MessageBody": "a" * (1_048_576 - 8), "MessageAttributes": attribute}
    await sqs.note("send_message_batch", Entries=[whole, {"Id": "2", "MessageBody": "a"}])


async def send_message_batch_with_oversized_contents_with_updated_maximum_message_size(
    sqs: Recorder,
) -> None:
    await sqs.create(MaximumMessageSize="2048")
    attribute = {"k": {"DataType": "String", "StringValue": "x"}}
    whole = {"Id": "1", "MessageBody": "a" * (2048 - 8), "MessageAttributes": attribute}
    await sqs.note("send_message_batch", Entries=[whole, {"Id": "2", "MessageBody": "a"}])


async def send_message_with_updated_maximum_message_size(sqs: Recorder) -> None:
    await sqs.create(MaximumMessageSize="1024")
    attribute = {"k": {"DataType": "String", "StringValue": "x"}}
    await sqs.note("send_message", MessageBody="a" * 1024, MessageAttributes=attribute)


async def too_many_entries_in_batch_request(sqs: Recorder) -> None:
    await sqs.create()
    entries = [{"Id": str(number), "MessageBody": "x"} for number in range(20)]
    await sqs.note("send_message_batch", Entries=entries)


async def change_message_visibility_batch_with_too_large_batch(sqs: Recorder) -> None:
    await sqs.create()
    entry = {"ReceiptHandle": "x", "VisibilityTimeout": 123}
    await sqs.note(
        "change_message_visibility_batch", Entries=[{"Id": str(number), **entry} for number in range(20)]
    )


async def delete_message_batch_invalid_msg_id(sqs: Recorder) -> None:
    await sqs.create()
    await sqs.note("delete_message_batch", Entries=[{"Id": "invalid:id", "ReceiptHandle": "x"}])


async def send_empty_message(sqs: Recorder) -> None:
    await sqs.create()
    await sqs.note("send_message", MessageBody="")


async def send_message_to_standard_queue_with_invalid_message_group_id(sqs: Recorder) -> None:
    await sqs.create()
    await sqs.note("send_message", MessageBody="x", MessageGroupId="")


async def send_message_with_empty_string_attribute(sqs: Recorder) -> None:
    await sqs.create()
    empty = {"ErrorDetails": {"DataType": "String", "StringValue": ""}}
    await sqs.note("send_message", MessageBody="x", MessageAttributes=empty)


async def send_message_with_invalid_string_attributes(sqs: Recorder) -> None:
    await sqs.create()
    good = {"DataType": "String", "StringValue": "Valida"}
    long = {"DataType": "Number." + "L" * 256, "StringValue": "1"}
    for attribute in ({"attr.1øßä": good}, {"Invalid-§-attr": good}, {"Invalid.": good}, {"a": long}):
        try:
            await sqs("send_message", MessageBody="x", MessageAttributes=attribute)
        except ClientError as error:
            sqs.answers.append(error.response["Error"]["Code"][: len("Invalid")])
        else:
            sqs.answers.append("done")


async def send_receive_max_number_of_messages(sqs: Recorder) -> None:
    await sqs.create()
    await sqs.note("receive_message", MaxNumberOfMessages=11)


async def send_receive_wait_time_seconds(sqs: Recorder) -> None:
    await sqs.create()
    for seconds in (21, -1):
        await sqs.note("receive_message", WaitTimeSeconds=seconds)


@pytest.fixture
def anyio_backend() -> str:
    """Asyncio, because the AWS client needs it."""
    return "asyncio"


@asynccontextmanager
async def recorder() -> AsyncIterator[Recorder]:
    """A plain client of the HTTP server for tests, in virtual time."""
    clock = VirtualClock()
    config = AioConfig(parameter_validation=False, retries={"total_max_attempts": 1})
    session = aioboto3.Session("test", "test", region_name="us-east-1")
    async with (
        serve(MemorySqs(clock=clock)) as endpoint,
        session.client("sqs", endpoint_url=endpoint, config=config) as client,
    ):
        yield Recorder(lambda operation, **said: getattr(client, operation)(**said), clock)


@pytest.mark.parametrize("name", RECORDED)
async def test_it_answers_as_aws_did(name: str) -> None:
    """A test that passes here must not fail in production."""
    scenario: Callable[[Recorder], Awaitable[None]] = globals()[name.removeprefix("test_")]

    async with recorder() as sqs:
        await scenario(sqs)

    assert sqs.answers == RECORDED[name]["answers"]


async def test_a_changed_deduplication_scope_holds_after_a_minute() -> None:
    """As SQS's documents say of all attributes; the answers recorded at once still follow the old one."""
    async with recorder() as sqs:
        await sqs.create("q.fifo", FifoQueue="true")
        await sqs("set_queue_attributes", Attributes={"DeduplicationScope": "messageGroup"})
        await sqs.clock.advance(60)
        await sqs.send("x", "1", "same")
        await sqs.send("y", "2", "same")
        await sqs.receive(MaxNumberOfMessages=10)

    assert sqs.answers == [["x", "y"]]
