"""Messages in SQS's JSON protocol."""

from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from hashlib import md5
from typing import Any

from streamapp.testing.sqs.attributes import ACCOUNT
from streamapp.testing.sqs.json_request import JsonObject
from streamapp.testing.sqs.message import MessageAttribute, MessageContent, utf8
from streamapp.testing.sqs.queue import Receipt, SendResult


def content_from_json(entry: Mapping[str, Any]) -> MessageContent:
    """Return the message of a send, or of one entry of a batch."""
    attributes: Mapping[str, Mapping[str, Any]] = entry.get("MessageAttributes") or {}
    system: Mapping[str, Mapping[str, Any]] = entry.get("MessageSystemAttributes") or {}
    delay = entry.get("DelaySeconds")
    return MessageContent(
        body=str(entry.get("MessageBody") or ""),
        attributes={name: _attribute(value) for name, value in attributes.items()},
        group=entry.get("MessageGroupId"),
        deduplication=entry.get("MessageDeduplicationId"),
        delay=None if delay is None else int(delay),
        trace=system.get("AWSTraceHeader", {}).get("StringValue"),
    )


def result_to_json(sent: SendResult, content: MessageContent) -> JsonObject:
    """Return SQS's response for a message that it accepted."""
    response: JsonObject = {"MessageId": sent.message_id, "MD5OfMessageBody": _md5(utf8(content.body))}
    if content.attributes:
        response["MD5OfMessageAttributes"] = _md5_of(content.attributes)
    if content.trace:
        response["MD5OfMessageSystemAttributes"] = _md5_of(
            {"AWSTraceHeader": MessageAttribute("String", content.trace)}
        )
    if sent.sequence:
        response["SequenceNumber"] = sent.sequence
    return response


def receipt_to_json(
    receipt: Receipt, *, epoch: float, system: Sequence[str], names: Sequence[str]
) -> JsonObject:
    """Return a received message, with the system and message attributes that were asked for."""
    content = receipt.content
    response: JsonObject = {
        "MessageId": receipt.message_id,
        "ReceiptHandle": receipt.handle,
        "MD5OfBody": _md5(utf8(content.body)),
        "Body": content.body,
    }
    attributes_by_name = _system_attributes(receipt, epoch)
    if wanted := {
        name: value for name, value in attributes_by_name.items() if "All" in system or name in system
    }:
        response["Attributes"] = wanted
    is_wanted = _wanted(names)
    if chosen := {name: value for name, value in content.attributes.items() if is_wanted(name)}:
        response["MessageAttributes"] = {name: _spell(value) for name, value in chosen.items()}
        response["MD5OfMessageAttributes"] = _md5_of(chosen)
    return response


def _attribute(value: Mapping[str, Any]) -> MessageAttribute:
    if (binary := value.get("BinaryValue")) is not None:
        return MessageAttribute(str(value.get("DataType")), binary)
    return MessageAttribute(str(value.get("DataType")), str(value.get("StringValue") or ""))


def _spell(attribute: MessageAttribute) -> JsonObject:
    if isinstance(attribute.value, bytes):
        return {"DataType": attribute.kind, "BinaryValue": b64encode(attribute.value).decode()}
    return {"DataType": attribute.kind, "StringValue": attribute.value}


def _system_attributes(receipt: Receipt, epoch: float) -> dict[str, str]:
    content = receipt.content
    known = {
        "SenderId": ACCOUNT,
        "SentTimestamp": _milliseconds(epoch + receipt.sent_at),
        "ApproximateReceiveCount": str(receipt.receives),
        "ApproximateFirstReceiveTimestamp": _milliseconds(epoch + receipt.first_received_at),
        "MessageGroupId": content.group,
        "MessageDeduplicationId": receipt.deduplication,
        "SequenceNumber": receipt.sequence,
        "AWSTraceHeader": content.trace,
        "DeadLetterQueueSourceArn": receipt.source,
    }
    return {name: value for name, value in known.items() if value is not None}


def _wanted(names: Sequence[str]) -> Callable[[str], bool]:
    # "Hel.*" asks for Hello: the dot is no part of the prefix.
    prefixes = tuple(name.removesuffix(".*") for name in names if name.endswith(".*"))
    everything = not {"All", "*"}.isdisjoint(names)
    return lambda name: everything or name in names or name.startswith(prefixes)


def _milliseconds(seconds: float) -> str:
    return str(round(seconds * 1000))


def _md5(content: bytes) -> str:
    return md5(content, usedforsecurity=False).hexdigest()


def _md5_of(attributes: Mapping[str, MessageAttribute]) -> str:
    parts: list[bytes] = []
    for name, attribute in sorted(attributes.items()):
        is_text = isinstance(attribute.value, str)
        value = utf8(attribute.value) if isinstance(attribute.value, str) else attribute.value
        parts += [
            _sized(utf8(name)),
            _sized(utf8(attribute.kind)),
            b"\1" if is_text else b"\2",
            _sized(value),
        ]
    return _md5(b"".join(parts))


def _sized(content: bytes) -> bytes:
    return len(content).to_bytes(4, "big") + content
