"""A queue's attributes: what they may be, and what they mean."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from streamapp.sqs.names import name_in_arn, parse_arn
from streamapp.testing.faults.refusal import Refusal
from streamapp.testing.sqs.rules import invalid

ACCOUNT = "000000000000"
REGION = "us-east-1"

_MAX_NAME = 80
_NAME = re.compile(r"[A-Za-z0-9_-]+")
_MAX_RECEIVES = 1_000
_RANGES = {
    "VisibilityTimeout": (0, 43_200, 30),
    "MaximumMessageSize": (1_024, 1_048_576, 1_048_576),
    "MessageRetentionPeriod": (60, 1_209_600, 345_600),
    "DelaySeconds": (0, 900, 0),
    "ReceiveMessageWaitTimeSeconds": (0, 20, 0),
}
_MAX_DIGITS = 9
_BOOLEAN = ("true", "false")
_CHOICES = {
    "ContentBasedDeduplication": _BOOLEAN,
    "DeduplicationScope": ("queue", "messageGroup"),
    "FifoThroughputLimit": ("perQueue", "perMessageGroupId"),
    "SqsManagedSseEnabled": _BOOLEAN,
}
_FIFO_DEFAULTS = {
    "FifoQueue": "true",
    "ContentBasedDeduplication": "false",
    "DeduplicationScope": "queue",
    "FifoThroughputLimit": "perQueue",
}
# Kept and returned, without effect here.
_OTHERS = {
    "Policy",
    "RedriveAllowPolicy",
    "KmsMasterKeyId",
    "KmsDataKeyReusePeriodSeconds",
}

KNOWN = {*_RANGES, *_CHOICES, *_FIFO_DEFAULTS, *_OTHERS, "RedrivePolicy"}
"""Attributes that a queue may have; asking for one that is not set is no error."""


@dataclass(frozen=True, slots=True)
class Redrive:
    """Where messages go that were received more than *max_receives* times; *target* is the key of the queue of *arn*."""

    target: str
    max_receives: int
    arn: str


def check_attributes(attributes: Mapping[str, str], *, fifo: bool) -> dict[str, str]:
    """Return these attributes as SQS stores them. Raises `Refusal` for a wrong name or value."""
    checked: dict[str, str] = {}
    for name, value in attributes.items():
        if name in _RANGES:
            checked[name] = _number(name, value)
        elif name == "RedrivePolicy":
            if value:
                parse_redrive(value)
            checked[name] = value
        elif name in _CHOICES:
            checked[name] = _choice(name, value, fifo=fifo)
        elif name == "FifoQueue":
            _check_type(value, fifo=fifo)
        elif name in _OTHERS:
            checked[name] = value
        else:
            raise Refusal("InvalidAttributeName", f"Unknown Attribute {name}.")
    return _one_encryption(checked)


def without_empty(attributes: Mapping[str, str]) -> dict[str, str]:
    """Return these attributes without those of an empty value, which is how a policy or a key is removed."""
    return {name: value for name, value in attributes.items() if value}


def shown(attributes: Mapping[str, str]) -> dict[str, str]:
    """Return the attributes of a queue that SQS shows: without a key there is no time for which to reuse it."""
    has_key = "KmsMasterKeyId" in attributes
    return {k: v for k, v in attributes.items() if has_key or k != "KmsDataKeyReusePeriodSeconds"}


def is_true(value: str) -> bool:
    """Whether SQS takes this value of an attribute for true."""
    return value.lower() == "true"


def defaults(*, fifo: bool) -> dict[str, str]:
    """Return the attributes of a queue that was created without any."""
    numbers = {name: str(default) for name, (_, _, default) in _RANGES.items()}
    return numbers | {"SqsManagedSseEnabled": "true"} | (_FIFO_DEFAULTS if fifo else {})


def check_name(name: str, attributes: Mapping[str, str]) -> None:
    """Raise `Refusal` for a name that no queue may have."""
    fifo = is_true(attributes.get("FifoQueue", ""))
    stem = name.removesuffix(".fifo") if fifo else name
    if len(name) > _MAX_NAME or not _NAME.fullmatch(stem):
        raise invalid("Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length")
    if fifo and not name.endswith(".fifo"):
        raise invalid(
            "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, "
            "must end with .fifo suffix and be 1 to 80 in length."
        )


def key_of(account: str, name: str) -> str:
    """Return what all queues are kept by: the name of one of ours, account and name of one of another account."""
    # Policies that are written by hand have `0` for the account of an emulator.
    return f"{account}/{name}" if account.strip("0") else name


def key_in_arn(arn: str) -> str:
    """Return the key of the queue of this ARN; that of another region is none of ours."""
    parts = parse_arn(arn)
    if parts is None:
        return name_in_arn(arn)
    return key_of(parts.account, parts.name) if parts.region == REGION else arn


def path_of(key: str) -> str:
    """Return account and name of the queue of this key, as its URL ends with them."""
    return key if "/" in key else f"{ACCOUNT}/{key}"


def arn_of(key: str) -> str:
    """Return the ARN of the queue of this key."""
    account, _, name = path_of(key).partition("/")
    return f"arn:aws:sqs:{REGION}:{account}:{name}"


def parse_redrive(policy: str) -> Redrive:
    """Parse a RedrivePolicy. Raises `Refusal`."""
    try:
        fields = json.loads(policy)
        target, most = str(fields["deadLetterTargetArn"]), int(fields["maxReceiveCount"])
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        raise _policy(
            policy, "Amazon SQS can't create the redrive policy, as it's in an unsupported format."
        ) from None
    if not 1 <= most <= _MAX_RECEIVES:
        raise _policy(policy, "Invalid value for maxReceiveCount: it must be between 1 and 1000.")
    return Redrive(key_in_arn(target), most, target)


def no_such_target(policy: str) -> Refusal:
    """Return the refusal of a RedrivePolicy whose dead-letter queue does not exist."""
    return _policy(policy, "Dead letter target does not exist.")


def wrong_target(policy: str) -> Refusal:
    """Return the refusal of a RedrivePolicy that pairs a standard and a FIFO queue."""
    return _policy(policy, "Dead-letter queue must be same type of queue as the source.")


def _policy(policy: str, reason: str) -> Refusal:
    return invalid(f"Value {policy} for parameter RedrivePolicy is invalid. Reason: {reason}")


def _number(name: str, value: str) -> str:
    least, most, _ = _RANGES[name]
    if not value.isdecimal() or len(value) > _MAX_DIGITS or not least <= int(value) <= most:
        raise _bad_value(name)
    return str(int(value))


def _choice(name: str, value: str, *, fifo: bool) -> str:
    if name in _FIFO_DEFAULTS and not fifo:
        raise _only_for_fifo(name)
    # Of booleans SQS takes "True" as well.
    value = value.lower() if _CHOICES[name] is _BOOLEAN else value
    if value not in _CHOICES[name]:
        raise _bad_value(name)
    return value


def _one_encryption(attributes: dict[str, str]) -> dict[str, str]:
    if not attributes.get("KmsMasterKeyId"):
        return attributes
    if attributes.get("SqsManagedSseEnabled") == "true":
        raise Refusal(
            "InvalidAttributeName",
            "You can use one type of server-side encryption (SSE) at one time. "
            "You can either enable KMS SSE or SQS SSE.",
        )
    return attributes | {"SqsManagedSseEnabled": "false"}


def _only_for_fifo(name: str) -> Refusal:
    if _CHOICES[name] is _BOOLEAN:
        return Refusal("InvalidAttributeName", f"Unknown Attribute {name}.")
    return Refusal("InvalidAttributeName", f"You can specify the {name} only when FifoQueue is set to true.")


def _check_type(value: str, *, fifo: bool) -> None:
    if is_true(value) and fifo:
        return
    if not fifo:
        raise Refusal("InvalidAttributeName", "Unknown Attribute FifoQueue.")
    raise _bad_value("FifoQueue", " Reason: Modifying queue type is not supported.")


def _bad_value(name: str, reason: str = "") -> Refusal:
    return Refusal("InvalidAttributeValue", f"Invalid value for the parameter {name}.{reason}")
