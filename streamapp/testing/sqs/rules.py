"""SQS's checks of messages and batches. Each raises `Refusal` with SQS's code and text."""

import re
from collections.abc import Mapping, Sequence

from streamapp.testing.faults.refusal import Refusal
from streamapp.testing.sqs.message import MessageAttribute, MessageContent

MAX_ENTRIES = 10
MAX_BATCH_BYTES = 1_048_576
MAX_VISIBILITY = 43_200
MAX_DELAY = 900
MAX_WAIT = 20
MAX_ATTRIBUTES = 10
MAX_RESULTS = 1_000

_LEGAL = "#x9 | #xA | #xD | [#x20 to #xD7FF] | [#xE000 to #xFFFD] | [#x10000 to #x10FFFF]"
_ILLEGAL = re.compile("[^\\t\\n\\r\\x20-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")
_ENTRY_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")
_TOKEN = re.compile(r"[!-~]{1,128}")
# Letters and digits of any script: AWS takes "attr.1øßä".
_ATTRIBUTE_NAME = re.compile(r"(?!(?i:aws\.|amazon\.)|\.)[\w.-]{1,256}(?<!\.)")
_KIND = re.compile(r"(?=.{1,256}\Z)(String|Number|Binary)(\..+)?", re.DOTALL)


def check_entries(ids: Sequence[str]) -> None:
    """Check the number of a batch's entries, and their ids."""
    if not ids:
        raise Refusal("EmptyBatchRequest", "There should be at least one entry in the request.")
    if len(ids) > MAX_ENTRIES:
        raise Refusal(
            "TooManyEntriesInBatchRequest",
            f"Maximum number of entries per request are {MAX_ENTRIES}. You have sent {len(ids)}.",
        )
    if not all(_ENTRY_ID.fullmatch(entry) for entry in ids):
        raise Refusal(
            "InvalidBatchEntryId",
            "A batch entry id can only contain alphanumeric characters, hyphens and underscores. "
            "It can be at most 80 letters long.",
        )
    for position, entry in enumerate(ids):
        if entry in ids[:position]:
            raise Refusal("BatchEntryIdsNotDistinct", f"Id {entry} repeated.")


def check_batch_size(contents: Sequence[MessageContent]) -> None:
    """Check the size of a whole batch."""
    size = sum(content.size for content in contents)
    if size > MAX_BATCH_BYTES:
        raise Refusal(
            "BatchRequestTooLong",
            f"Batch requests cannot be longer than {MAX_BATCH_BYTES} bytes. You have sent {size} bytes.",
        )


def check_fifo_batch(contents: Sequence[MessageContent], *, by_content: bool) -> None:
    """Check that each message of a FIFO queue's batch has its group and its identity."""
    for content in contents:
        if content.group is None:
            # A single message without one is a MissingParameter.
            raise invalid(_NO_GROUP)
        _check_identity(content, by_content=by_content)


def check_content(
    content: MessageContent, *, limit: int, fifo: bool, by_content: bool, is_batch: bool = False
) -> None:
    """Check a message for this kind of queue; *limit* is the queue's, in bytes."""
    if not content.body:
        raise Refusal("MissingParameter", "The request must contain the parameter MessageBody.")
    if content.size > limit:
        are = "cannot be validated" if is_batch else "are invalid"
        raise invalid(f"One or more parameters {are}. Reason: Message must be shorter than {limit} bytes.")
    if wrong := _ILLEGAL.search(content.body):
        raise Refusal("InvalidMessageContents", _illegal(wrong.group(), "body"))
    _check_attributes(content.attributes)
    _check_token("MessageGroupId", content.group)
    _check_token("MessageDeduplicationId", content.deduplication)
    if fifo:
        _check_fifo(content, by_content=by_content)
        return
    if content.delay is not None and not 0 <= content.delay <= MAX_DELAY:
        raise _value(content.delay, "DelaySeconds", "DelaySeconds must be >= 0 and <= 900.")
    if content.deduplication is not None:
        raise _value(content.deduplication, "MessageDeduplicationId", _NOT_FOR_TYPE)


def check_visibility(seconds: int, *, held: float = 0.0) -> None:
    """Check a visibility timeout: in range, and not over 12 h together with the seconds it was *held* already."""
    if not 0 <= seconds <= MAX_VISIBILITY:
        raise _value(seconds, "VisibilityTimeout", "Must be between 0 and 43200, if provided.")
    if held + seconds > MAX_VISIBILITY:
        why = f"Total VisibilityTimeout for the message is beyond the limit [{MAX_VISIBILITY} seconds]"
        raise _value(seconds, "VisibilityTimeout", why)


def check_receive(limit: int, wait: float) -> None:
    """Check the number of messages and the wait of a receive."""
    if not 1 <= limit <= MAX_ENTRIES:
        raise _value(limit, "MaxNumberOfMessages", "Must be between 1 and 10, if provided.")
    if not 0 <= wait <= MAX_WAIT:
        raise _value(wait, "WaitTimeSeconds", "Must be >= 0 and <= 20, if provided.")


def check_page(limit: int | None) -> None:
    """Check how many results of a list are wanted, if that is said."""
    if limit is not None and not 1 <= limit <= MAX_RESULTS:
        raise _value(limit, "MaxResults", "Must be between 1 and 1000, if provided.")


def invalid(message: str) -> Refusal:
    """Return the refusal of a parameter's value, with this text."""
    return Refusal("InvalidParameterValue", message)


def lease_lost(handle: str) -> Refusal:
    """Return the refusal to extend a message that is deleted, or that another consumer has received since."""
    return _value(
        handle, "ReceiptHandle", "Message does not exist or is not available for visibility timeout change."
    )


def handle_expired(handle: str) -> Refusal:
    """Return a FIFO queue's refusal to delete by a handle that is not valid any more."""
    return _value(handle, "ReceiptHandle", "The receipt handle has expired.")


_NO_GROUP = "The request must contain the parameter MessageGroupId."
_NOT_FOR_TYPE = "The request include parameter that is not valid for this queue type."


def _check_fifo(content: MessageContent, *, by_content: bool) -> None:
    if content.group is None:
        raise Refusal("MissingParameter", _NO_GROUP)
    if content.delay:
        raise _value(content.delay, "DelaySeconds", _NOT_FOR_TYPE)
    _check_identity(content, by_content=by_content)


def _check_identity(content: MessageContent, *, by_content: bool) -> None:
    if content.deduplication is None and not by_content:
        raise invalid(
            "The queue should either have ContentBasedDeduplication enabled or "
            "MessageDeduplicationId provided explicitly"
        )


def _check_attributes(attributes: Mapping[str, MessageAttribute]) -> None:
    if len(attributes) > MAX_ATTRIBUTES:
        raise invalid(
            f"Number of message attributes [{len(attributes)}] exceeds the allowed maximum "
            f"[{MAX_ATTRIBUTES}]."
        )
    for name, attribute in attributes.items():
        if not _ATTRIBUTE_NAME.fullmatch(name) or ".." in name:
            raise invalid(f"Message (user) attribute name '{name}' is invalid.")
        kind = _KIND.fullmatch(attribute.kind)
        if kind is None:
            raise invalid(
                f"The message attribute '{name}' has an invalid message attribute type, the set of supported "
                "type prefixes is Binary, Number, and String."
            )
        if not attribute.value:
            raise invalid(
                f"Message (user) attribute '{name}' must contain a non-empty value of type '{kind.group(1)}'."
            )
        if isinstance(attribute.value, str) and (wrong := _ILLEGAL.search(attribute.value)):
            raise invalid(_illegal(wrong.group(), f"attribute '{name}' value"))


def _check_token(name: str, token: str | None) -> None:
    if token is not None and not _TOKEN.fullmatch(token):
        raise _value(
            token,
            name,
            f"{name} can only include alphanumeric and punctuation characters. 1 to 128 in length.",
        )


def _value(value: object, name: str, reason: str) -> Refusal:
    return invalid(f"Value {value} for parameter {name} is invalid. Reason: {reason}")


def _illegal(character: str, where: str) -> str:
    return (
        f"Invalid binary character '#x{ord(character):X}' was found in the message {where}, "
        f"the set of allowed characters is {_LEGAL}"
    )
