"""Messages as SQS's JSON protocol spells them."""

from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from hashlib import md5
from typing import Any

from streamapp.testing.sqs.attributes import ACCOUNT
from streamapp.testing.sqs.message import Attribute, Letter
from streamapp.testing.sqs.queue import Receipt, Sent

Fields = dict[str, Any]
"""One object of JSON."""


def letter_from(entry: Mapping[str, Any]) -> Letter:
    """Return the message that a send, or one entry of a batch of sends, asks for."""
    attributes: Mapping[str, Mapping[str, Any]] = entry.get("MessageAttributes") or {}
    system: Mapping[str, Mapping[str, Any]] = entry.get("MessageSystemAttributes") or {}
    delay = entry.get("DelaySeconds")
    return Letter(
        body=str(entry.get("MessageBody") or ""),
        attributes={name: _attribute(value) for name, value in attributes.items()},
        group=entry.get("MessageGroupId"),
        deduplication=entry.get("MessageDeduplicationId"),
        delay=None if delay is None else int(delay),
        trace=system.get("AWSTraceHeader", {}).get("StringValue"),
    )


def sent_to(sent: Sent, letter: Letter) -> Fields:
    """Return what SQS says of a message that it took."""
    answer: Fields = {"MessageId": sent.message_id, "MD5OfMessageBody": _md5(letter.body.encode())}
    if letter.attributes:
        answer["MD5OfMessageAttributes"] = _md5_of(letter.attributes)
    if letter.trace:
        answer["MD5OfMessageSystemAttributes"] = _md5_of(
            {"AWSTraceHeader": Attribute("String", letter.trace)}
        )
    if sent.sequence:
        answer["SequenceNumber"] = sent.sequence
    return answer


def receipt_to(receipt: Receipt, *, epoch: float, system: Sequence[str], names: Sequence[str]) -> Fields:
    """Return a received message with the attributes that were asked for, by name."""
    letter = receipt.letter
    answer: Fields = {
        "MessageId": receipt.message_id,
        "ReceiptHandle": receipt.handle,
        "MD5OfBody": _md5(letter.body.encode()),
        "Body": letter.body,
    }
    said = _system_attributes(receipt, epoch)
    if wanted := {name: value for name, value in said.items() if "All" in system or name in system}:
        answer["Attributes"] = wanted
    is_wanted = _wanted(names)
    if chosen := {name: value for name, value in letter.attributes.items() if is_wanted(name)}:
        answer["MessageAttributes"] = {name: _spell(value) for name, value in chosen.items()}
        answer["MD5OfMessageAttributes"] = _md5_of(chosen)
    return answer


def _attribute(value: Mapping[str, Any]) -> Attribute:
    if "BinaryValue" in value:
        return Attribute(str(value.get("DataType")), b64decode(value["BinaryValue"]))
    return Attribute(str(value.get("DataType")), str(value.get("StringValue") or ""))


def _spell(attribute: Attribute) -> Fields:
    if isinstance(attribute.value, bytes):
        return {"DataType": attribute.kind, "BinaryValue": b64encode(attribute.value).decode()}
    return {"DataType": attribute.kind, "StringValue": attribute.value}


def _system_attributes(receipt: Receipt, epoch: float) -> dict[str, str]:
    letter = receipt.letter
    known = {
        "SenderId": ACCOUNT,
        "SentTimestamp": _milliseconds(epoch + receipt.sent_at),
        "ApproximateReceiveCount": str(receipt.receives),
        "ApproximateFirstReceiveTimestamp": _milliseconds(epoch + receipt.first_received_at),
        "MessageGroupId": letter.group,
        "MessageDeduplicationId": receipt.deduplication,
        "SequenceNumber": receipt.sequence,
        "AWSTraceHeader": letter.trace,
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


def _md5_of(attributes: Mapping[str, Attribute]) -> str:
    parts: list[bytes] = []
    for name, attribute in sorted(attributes.items()):
        is_text = isinstance(attribute.value, str)
        value = attribute.value.encode() if isinstance(attribute.value, str) else attribute.value
        parts += [
            _sized(name.encode()),
            _sized(attribute.kind.encode()),
            b"\1" if is_text else b"\2",
            _sized(value),
        ]
    return _md5(b"".join(parts))


def _sized(content: bytes) -> bytes:
    return len(content).to_bytes(4, "big") + content
