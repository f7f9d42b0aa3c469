"""A message as it is sent, and as SQS stores it."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as BadBase64
from collections.abc import Mapping
from dataclasses import dataclass, field

from streamapp.testing.faults.refusal import Refusal


def utf8(text: str) -> bytes:
    """Return *text* in UTF-8; half of a surrogate pair, which JSON may hold, has its three bytes."""
    return text.encode("utf-8", "surrogatepass")


@dataclass(frozen=True, slots=True)
class MessageAttribute:
    """One message attribute; *kind* is its DataType: String, Number or Binary, perhaps with a custom label."""

    kind: str
    value: str | bytes

    def size_with(self, name: str) -> int:
        """Return how many bytes SQS counts for it: its name, type and value."""
        value = utf8(self.value) if isinstance(self.value, str) else self.value
        return len(utf8(name)) + len(utf8(self.kind)) + len(value)


@dataclass(frozen=True, slots=True)
class MessageContent:
    """What a sender gives. *delay* is in seconds; *trace* is AWSTraceHeader, which does not count in `size`."""

    body: str
    attributes: Mapping[str, MessageAttribute] = field(default_factory=dict[str, MessageAttribute])
    group: str | None = None
    deduplication: str | None = None
    delay: int | None = None
    trace: str | None = None

    @property
    def size(self) -> int:
        """The bytes that count against SQS's limits: the body in UTF-8, and the attributes."""
        attributes = sum(attribute.size_with(name) for name, attribute in self.attributes.items())
        return len(utf8(self.body)) + attributes


@dataclass(slots=True, eq=False)
class StoredMessage:
    """One message in a queue; all times are seconds of one monotonic clock.

    *number* is unique in its queue: a duplicate of a message has the same *message_id* and another number.
    *receipt* counts its receives; on a FIFO queue only the handle of the last one is valid.
    """

    number: int
    message_id: str
    content: MessageContent
    sent_at: float
    visible_at: float
    receives: int = 0
    receipt: int = 0
    received_at: float = 0.0
    first_received_at: float | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True)
class ReceiptHandle:
    """The parts of a receipt handle: which receive of which message of which queue."""

    queue: str
    number: int
    receipt: int
    message_id: str

    @property
    def text(self) -> str:
        """The handle as a consumer gets it."""
        plain = f"{self.queue} {self.number} {self.receipt} {self.message_id}"
        return urlsafe_b64encode(plain.encode()).decode()


def parse_handle(text: str, queue: str) -> ReceiptHandle:
    """Parse a handle of *queue*. Raises `Refusal` ReceiptHandleIsInvalid for any other text."""
    try:
        name, number, receipt, message_id = urlsafe_b64decode(text.encode()).decode().split(" ")
        handle = ReceiptHandle(name, int(number), int(receipt), message_id)
    except (ValueError, BadBase64):
        handle = None
    if handle is None or handle.queue != queue:
        raise Refusal(
            "ReceiptHandleIsInvalid", f'The input receipt handle "{text}" is not a valid receipt handle.'
        )
    return handle
