"""What a request of SQS's JSON protocol may hold: the names and types of its members."""

from typing import Any, TypedDict

import msgspec

from streamapp.testing.faults.refusal import Refusal

JsonObject = dict[str, Any]
"""A decoded JSON object."""


def checked(request: object) -> JsonObject:
    """Return the members of *request* that SQS knows, binary values decoded.

    Raises `Refusal` if it is no JSON object, or a member anywhere in it has a wrong type.
    """
    try:
        return dict(msgspec.convert(request, _Request))
    except (msgspec.ValidationError, RecursionError) as error:
        raise malformed(str(error)) from None


def malformed(why: str) -> Refusal:
    """Return the refusal of a request that cannot be read."""
    return Refusal("SerializationException", f"The request cannot be read: {why}")


class _Value(TypedDict, total=False):
    DataType: str
    StringValue: str | None
    BinaryValue: bytes | None


class _Message(TypedDict, total=False):
    """What a message, a delete and a visibility change may say, alone or as an entry of a batch."""

    MessageBody: str | None
    DelaySeconds: int | None
    MessageGroupId: str | None
    MessageDeduplicationId: str | None
    MessageAttributes: dict[str, _Value] | None
    MessageSystemAttributes: dict[str, _Value] | None
    ReceiptHandle: str | None
    VisibilityTimeout: int | None


class _Entry(_Message, total=False):
    Id: str | None


class _Request(_Message, total=False):
    """All operations in one: a name means the same in each of them."""

    QueueUrl: str | None
    QueueName: str | None
    QueueNamePrefix: str | None
    QueueOwnerAWSAccountId: str | None
    Entries: list[_Entry] | None
    Attributes: dict[str, str] | None
    AttributeNames: list[str] | None
    MessageSystemAttributeNames: list[str] | None
    MessageAttributeNames: list[str] | None
    MaxNumberOfMessages: int | None
    WaitTimeSeconds: int | None
    MaxResults: int | None
    NextToken: str | None
    Tags: dict[str, str] | None
    TagKeys: list[str] | None
    tags: dict[str, str] | None
