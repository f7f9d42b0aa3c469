"""Messages as SQS is given them and as it keeps them."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as BadBase64
from collections.abc import Mapping
from dataclasses import dataclass, field

from streamapp.testing.faults.refusal import Refusal


@dataclass(frozen=True, slots=True)
class Attribute:
    """One message attribute; *kind* is its DataType: String, Number or Binary, perhaps with a label."""

    kind: str
    value: str | bytes

    def size_with(self, name: str) -> int:
        """Return the bytes that SQS counts for it: its name, type and value."""
        value = self.value.encode() if isinstance(self.value, str) else self.value
        return len(name.encode()) + len(self.kind.encode()) + len(value)


@dataclass(frozen=True, slots=True)
class Letter:
    """One message as it is sent. *delay* is in seconds; *trace* is AWSTraceHeader, which costs no bytes."""

    body: str
    attributes: Mapping[str, Attribute] = field(default_factory=dict[str, Attribute])
    group: str | None = None
    deduplication: str | None = None
    delay: int | None = None
    trace: str | None = None

    @property
    def size(self) -> int:
        """What counts against the limits: the UTF-8 bytes of the body and of the attributes."""
        attributes = sum(attribute.size_with(name) for name, attribute in self.attributes.items())
        return len(self.body.encode("utf-8", "surrogatepass")) + attributes


@dataclass(slots=True, eq=False)
class Message:
    """One message as it is kept; all times are seconds of the same monotonic clock.

    *number* is its place in its queue: two deliveries of one message from two replicas have the same
    *message_id* and different numbers. *receipt* counts its receipts; the last one's handle is good.
    """

    number: int
    message_id: str
    letter: Letter
    sent_at: float
    visible_at: float
    receives: int = 0
    receipt: int = 0
    received_at: float = 0.0
    first_received_at: float | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Handle:
    """What a receipt handle says: which receipt of which message of which queue."""

    queue: str
    number: int
    receipt: int
    message_id: str

    @property
    def text(self) -> str:
        """The handle as consumers see it."""
        plain = f"{self.queue} {self.number} {self.receipt} {self.message_id}"
        return urlsafe_b64encode(plain.encode()).decode()


def parse_handle(text: str, queue: str) -> Handle:
    """Return what this handle says; ReceiptHandleIsInvalid if it is none, or one of another queue."""
    try:
        name, number, receipt, message_id = urlsafe_b64decode(text.encode()).decode().split(" ")
        handle = Handle(name, int(number), int(receipt), message_id)
    except (ValueError, BadBase64):
        handle = None
    if handle is None or handle.queue != queue:
        raise Refusal(
            "ReceiptHandleIsInvalid", f'The input receipt handle "{text}" is not a valid receipt handle.'
        )
    return handle
