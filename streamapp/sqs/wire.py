"""The four calls that move messages, in SQS's JSON protocol: requests are written here, and responses read.

The AWS client's responses have the same members, so they are read here too.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from streamapp.messages import Delivery, Outgoing, Queue, Typed
from streamapp.sqs.client import SYSTEM_ATTRIBUTES, Failure


class _Member(msgspec.Struct, rename="pascal", gc=False):
    """Part of a response, with SQS's names. What may be absent may also be null: some emulators write it so."""


class _SystemAttributes(_Member):
    approximate_receive_count: int | None = None
    sent_timestamp: int | None = None
    message_group_id: str | None = None
    trace_header: str | None = msgspec.field(name="AWSTraceHeader", default=None)


class _Attribute(_Member):
    data_type: str
    string_value: str | None = None
    binary_value: bytes | None = None

    @property
    def text(self) -> str:
        """Its value, if that is a text."""
        return self.string_value or ""

    def typed(self) -> Typed:
        """Return it with its type."""
        return Typed(self.data_type, self.text if self.binary_value is None else self.binary_value)


class _Message(_Member):
    message_id: str
    receipt_handle: str
    body: str | None = None
    attributes: _SystemAttributes | None = None
    message_attributes: dict[str, _Attribute] | None = None


class ReceiveResponse(_Member):
    """The response to a receive."""

    messages: list[_Message] | None = None


class _Successful(_Member):
    id: str


class _Failed(_Member):
    id: str
    code: str | None = None
    sender_fault: bool | None = None
    message: str | None = None


class BatchResponse(_Member):
    """The response to a batch: an outcome an entry, by its id."""

    successful: list[_Successful] | None = None
    failed: list[_Failed] | None = None


class _ErrorResponse(msgspec.Struct):
    kind: str | None = msgspec.field(name="__type", default=None)
    message: str | None = None
    other: str | None = msgspec.field(name="Message", default=None)


_encode = msgspec.json.Encoder().encode
_decode_error = msgspec.json.Decoder(_ErrorResponse).decode

# SQS writes the numbers of a message as strings, which a strict decoder refuses.
decode_receive = msgspec.json.Decoder(ReceiveResponse, strict=False).decode
"""Reads the body of the response to a receive. Raises one of `UNREADABLE`."""

decode_batch = msgspec.json.Decoder(BatchResponse).decode
"""Reads the body of the response to a batch. Raises one of `UNREADABLE`."""

_MISSING = Failure("MissingFromAnswer")
_NO_SYSTEM_ATTRIBUTES = _SystemAttributes()

UNREADABLE = (msgspec.MsgspecError, ValueError, RecursionError, OverflowError)
"""What reading may raise when a response is not one of SQS's."""


def receive(queue: Queue, limit: int, wait: float, visibility: int | None) -> bytes:
    """Return the request for 1..10 messages."""
    members: dict[str, Any] = {
        "QueueUrl": queue.url,
        "MaxNumberOfMessages": limit,
        "WaitTimeSeconds": int(wait),
        "MessageAttributeNames": ["All"],
        "MessageSystemAttributeNames": SYSTEM_ATTRIBUTES,
    }
    if visibility is not None:
        members["VisibilityTimeout"] = visibility
    return _encode(members)


def send(queue: Queue, messages: Sequence[Outgoing]) -> bytes:
    """Return the request to send messages."""
    return _batch(queue, [entry(message) for message in messages])


def delete(queue: Queue, handles: Sequence[str]) -> bytes:
    """Return the request to delete messages."""
    return _batch(queue, [{"ReceiptHandle": handle} for handle in handles])


def change_visibility(queue: Queue, changes: Sequence[tuple[str, int]]) -> bytes:
    """Return the request to make messages visible again later."""
    return _batch(
        queue, [{"ReceiptHandle": handle, "VisibilityTimeout": seconds} for handle, seconds in changes]
    )


def convert_receive(response: Mapping[str, Any]) -> ReceiveResponse:
    """Read what the AWS client returns for a receive. Raises one of `UNREADABLE`."""
    return msgspec.convert(response, ReceiveResponse, strict=False)


def convert_batch(response: Mapping[str, Any]) -> BatchResponse:
    """Read what the AWS client returns for a batch. Raises one of `UNREADABLE`."""
    return msgspec.convert(response, BatchResponse)


def deliveries(queue: Queue, response: ReceiveResponse, asked_at: float) -> list[Delivery]:
    """Return the messages of *response*. Raises one of `UNREADABLE`."""
    return [
        Delivery(
            queue=queue,
            message_id=message.message_id,
            handle=message.receipt_handle,
            body=message.body or "",
            receives=system.approximate_receive_count or 1,
            sent_at=datetime.fromtimestamp((system.sent_timestamp or 0) / 1000, UTC),
            asked_at=asked_at,
            attributes=_texts(message.message_attributes) if message.message_attributes else {},
            group=system.message_group_id,
            typed=_typed(message.message_attributes) if message.message_attributes else {},
            xray=system.trace_header,
        )
        for message in response.messages or ()
        for system in (message.attributes or _NO_SYSTEM_ATTRIBUTES,)
    ]


def _texts(attributes: Mapping[str, _Attribute]) -> dict[str, str]:
    return {name: it.text for name, it in attributes.items() if it.data_type == "String"}


def _typed(attributes: Mapping[str, _Attribute]) -> dict[str, Typed]:
    return {name: it.typed() for name, it in attributes.items() if it.data_type != "String"}


def outcomes(entries: int, response: BatchResponse) -> list[Failure | None]:
    """Return the outcome of each of so many *entries*; one whose exact id is not in *response* was not done."""
    found: dict[str, Failure | None] = {done.id: None for done in response.successful or ()}
    for failed in response.failed or ():
        found[failed.id] = Failure(failed.code or "Unknown", bool(failed.sender_fault), failed.message or "")
    return [found.get(str(n), _MISSING) for n in range(entries)]


def refusal(status: int, body: bytes) -> tuple[str, str]:
    """Read why a call as a whole was refused: SQS's code and text, or the HTTP status if there are none."""
    try:
        response = _decode_error(body)
    except UNREADABLE:
        return str(status), ""
    code = (response.kind or "").partition(":")[0].rpartition("#")[2]
    return code or str(status), response.message or response.other or ""


def entry(message: Outgoing) -> dict[str, Any]:
    """Return *message* as the entry of a batch, without its id."""
    members: dict[str, Any] = {"MessageBody": message.body}
    if message.attributes:
        members["MessageAttributes"] = {
            name: {"DataType": "String", "StringValue": value} for name, value in message.attributes.items()
        }
    if message.typed:
        members["MessageAttributes"] = members.get("MessageAttributes", {}) | {
            name: {
                "DataType": it.kind,
                "StringValue" if isinstance(it.value, str) else "BinaryValue": it.value,
            }
            for name, it in message.typed.items()
        }
    if message.group is not None:
        members["MessageGroupId"] = message.group
    if message.deduplication is not None:
        members["MessageDeduplicationId"] = message.deduplication
    return members


def numbered(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give each of *entries* its position as its id.

    A message's own id may be in one batch twice, and then SQS refuses the whole batch.
    """
    for position, each in enumerate(entries):
        each["Id"] = str(position)
    return entries


def _batch(queue: Queue, entries: list[dict[str, Any]]) -> bytes:
    return _encode({"QueueUrl": queue.url, "Entries": numbered(entries)})
