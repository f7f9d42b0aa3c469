"""The four calls that messages take, as SQS's JSON protocol spells them."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from streamapp.messages import Delivery, Outgoing, Queue, Typed
from streamapp.sqs.client import SYSTEM_ATTRIBUTES, Failure


class _Spelled(msgspec.Struct, rename="pascal", gc=False):
    """Named as SQS names it. What may be absent may be null as well: so emulators say it."""


class _System(_Spelled):
    approximate_receive_count: int | None = None
    sent_timestamp: int | None = None
    message_group_id: str | None = None
    trace_header: str | None = msgspec.field(name="AWSTraceHeader", default=None)


class _Attribute(_Spelled):
    data_type: str
    string_value: str | None = None
    binary_value: bytes | None = None

    @property
    def text(self) -> str:
        """Its value, where that is a text."""
        return self.string_value or ""

    def typed(self) -> Typed:
        """Return it as what is passed on."""
        return Typed(self.data_type, self.text if self.binary_value is None else self.binary_value)


class _Message(_Spelled):
    message_id: str
    receipt_handle: str
    body: str | None = None
    attributes: _System | None = None
    message_attributes: dict[str, _Attribute] | None = None


class _Received(_Spelled):
    messages: list[_Message] | None = None


class _Done(_Spelled):
    id: str


class _Failed(_Spelled):
    id: str
    code: str | None = None
    sender_fault: bool | None = None
    message: str | None = None


class _Outcomes(_Spelled):
    successful: list[_Done] | None = None
    failed: list[_Failed] | None = None


class _Refusal(msgspec.Struct):
    kind: str | None = msgspec.field(name="__type", default=None)
    message: str | None = None
    other: str | None = msgspec.field(name="Message", default=None)


_encode = msgspec.json.Encoder().encode
# SQS spells the numbers of a message as texts.
_received = msgspec.json.Decoder(_Received, strict=False)
_outcomes = msgspec.json.Decoder(_Outcomes)
_refusal = msgspec.json.Decoder(_Refusal)

_MISSING = Failure("MissingFromAnswer")
_NOTHING_KNOWN = _System()

UNREADABLE = (msgspec.MsgspecError, ValueError, RecursionError, OverflowError)
"""What reading an answer that is none of SQS's may raise."""


def receive(queue: Queue, limit: int, wait: float) -> bytes:
    """Return the request for 1..10 messages."""
    return _encode(
        {
            "QueueUrl": queue.url,
            "MaxNumberOfMessages": limit,
            "WaitTimeSeconds": int(wait),
            "MessageAttributeNames": ["All"],
            "MessageSystemAttributeNames": SYSTEM_ATTRIBUTES,
        }
    )


def send(queue: Queue, messages: Sequence[Outgoing]) -> bytes:
    """Return the request to send messages."""
    return _batch(queue, [entry(message) for message in messages])


def delete(queue: Queue, handles: Sequence[str]) -> bytes:
    """Return the request to delete messages."""
    return _batch(queue, [{"ReceiptHandle": handle} for handle in handles])


def change_visibility(queue: Queue, changes: Sequence[tuple[str, int]]) -> bytes:
    """Return the request to let messages come back later."""
    return _batch(
        queue, [{"ReceiptHandle": handle, "VisibilityTimeout": seconds} for handle, seconds in changes]
    )


def deliveries(queue: Queue, body: bytes, asked_at: float) -> list[Delivery]:
    """Read the answer to a receive. Raises one of `UNREADABLE`."""
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
        for message in _received.decode(body).messages or ()
        for system in (message.attributes or _NOTHING_KNOWN,)
    ]


def _texts(attributes: Mapping[str, _Attribute]) -> dict[str, str]:
    return {name: it.text for name, it in attributes.items() if it.data_type == "String"}


def _typed(attributes: Mapping[str, _Attribute]) -> dict[str, Typed]:
    return {name: it.typed() for name, it in attributes.items() if it.data_type != "String"}


def outcomes(entries: int, body: bytes) -> list[Failure | None]:
    """Read the answer to a batch; an entry that it does not name, by the very id it had, was not done.

    Raises one of `UNREADABLE`.
    """
    answer = _outcomes.decode(body)
    found: dict[str, Failure | None] = {done.id: None for done in answer.successful or ()}
    for failed in answer.failed or ():
        found[failed.id] = Failure(failed.code or "Unknown", bool(failed.sender_fault), failed.message or "")
    return [found.get(str(n), _MISSING) for n in range(entries)]


def refusal(status: int, body: bytes) -> tuple[str, str]:
    """Read why a call as a whole was refused: SQS's code and text, or the status where there are none."""
    try:
        answer = _refusal.decode(body)
    except UNREADABLE:
        return str(status), ""
    code = (answer.kind or "").partition(":")[0].rpartition("#")[2]
    return code or str(status), answer.message or answer.other or ""


def entry(message: Outgoing) -> dict[str, Any]:
    """Return what a message is in a batch; it has no id yet."""
    spelled: dict[str, Any] = {"MessageBody": message.body}
    if message.attributes:
        spelled["MessageAttributes"] = {
            name: {"DataType": "String", "StringValue": value} for name, value in message.attributes.items()
        }
    if message.typed:
        spelled["MessageAttributes"] = spelled.get("MessageAttributes", {}) | {
            name: {
                "DataType": it.kind,
                "StringValue" if isinstance(it.value, str) else "BinaryValue": it.value,
            }
            for name, it in message.typed.items()
        }
    if message.group is not None:
        spelled["MessageGroupId"] = message.group
    if message.deduplication is not None:
        spelled["MessageDeduplicationId"] = message.deduplication
    return spelled


def numbered(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give each of *entries* its position for an id.

    An id of the message's own could stand twice in one batch, which SQS refuses whole.
    """
    for position, each in enumerate(entries):
        each["Id"] = str(position)
    return entries


def _batch(queue: Queue, entries: list[dict[str, Any]]) -> bytes:
    return _encode({"QueueUrl": queue.url, "Entries": numbered(entries)})
