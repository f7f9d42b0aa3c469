"""Plain data: a queue, a message received from one, and a message to be sent to one."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import msgspec


@dataclass(frozen=True, slots=True)
class Queue:
    """One SQS queue, with its settings at start.

    *name* is its name in SQS. An app names its queues by *streams*: `Config.queue` returns the queue of a stream.
    *visibility* is its visibility timeout in seconds, *max_bytes* its MaximumMessageSize. *dead_letters* is the
    name of its dead-letter queue, *dead_letters_arn* its ARN, *max_receives* its maxReceiveCount; they are from its
    RedrivePolicy.
    """

    name: str
    url: str
    visibility: float = 30.0
    max_bytes: int = 1_048_576
    fifo: bool = False
    dead_letters: str | None = None
    max_receives: int | None = None
    dead_letters_arn: str | None = None


class Typed(msgspec.Struct, frozen=True):
    """A message attribute that is not a plain String: *kind* is its DataType, such as `Number` or `Binary.png`."""

    kind: str
    value: str | bytes


class Delivery(msgspec.Struct, frozen=True):
    """One receipt of one message; *attributes* are those of type String, *typed* all others.

    *handle* is the receipt handle, valid for this receipt only. *receives* is SQS's ApproximateReceiveCount, this
    receipt included. *asked_at* is the monotonic time just before the receive call was sent: the visibility timeout
    is counted from then, because SQS may have started it at any time since. *xray* is the AWSTraceHeader that AWS's
    own services put on a message.
    """

    queue: Queue
    message_id: str
    handle: str
    body: str
    receives: int
    sent_at: datetime
    asked_at: float
    attributes: Mapping[str, str] = {}
    group: str | None = None
    typed: Mapping[str, Typed] = {}
    xray: str | None = None


class Outgoing(msgspec.Struct, frozen=True):
    """One message to be sent. *group* and *deduplication* are ids for FIFO queues; *attributes* are all Strings.

    *typed* are attributes of other types, which streamapp only passes on.
    """

    body: str
    attributes: Mapping[str, str] = {}
    group: str | None = None
    deduplication: str | None = None
    typed: Mapping[str, Typed] = {}

    @property
    def size(self) -> int:
        """What SQS counts against its limits: UTF-8 bytes of the body and of each attribute's name, type and value."""
        attributes = 0
        for name, text in self.attributes.items():
            attributes += len(f"{name}String{text}".encode())
        for name, it in self.typed.items():
            value = it.value if isinstance(it.value, bytes) else it.value.encode()
            attributes += len(f"{name}{it.kind}".encode()) + len(value)
        return attributes + (len(self.body) if self.body.isascii() else len(self.body.encode()))
