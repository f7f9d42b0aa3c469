"""One queue's rules: what a send, a receive, a delete and a visibility change do."""

from dataclasses import dataclass, replace
from hashlib import sha256
from random import Random

from streamapp.testing.faults.ledger import Ledger
from streamapp.testing.faults.refusal import Refusal
from streamapp.testing.sqs.attributes import Redrive, parse_redrive
from streamapp.testing.sqs.delivery_order import FifoOrder, StandardOrder
from streamapp.testing.sqs.message import MessageContent, ReceiptHandle, StoredMessage, parse_handle
from streamapp.testing.sqs.rules import check_content, check_visibility, handle_expired, lease_lost
from streamapp.testing.sqs.stored_messages import StoredMessages

DEDUPLICATION = 300.0
"""Seconds in which a FIFO queue drops a repeated message: SQS's own deduplication interval."""

IN_FLIGHT = 120_000
"""Messages that may be in flight at once: SQS's own limit."""


@dataclass(frozen=True, slots=True)
class SendResult:
    """SQS accepted a message; *sequence* is set on FIFO queues; *repeated* marks a duplicate that was dropped."""

    message_id: str
    number: int
    content: MessageContent
    sequence: str | None = None
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Receipt:
    """One message as one receive returned it. *sent_at* and *first_received_at* are monotonic times."""

    message_id: str
    number: int
    handle: str
    content: MessageContent
    receives: int
    sent_at: float
    first_received_at: float
    sequence: str | None = None
    deduplication: str | None = None
    source: str | None = None


class StoredQueue:
    """One queue; each method takes *now*, and writes what it did into the ledger. Nothing here waits."""

    def __init__(
        self, name: str, attributes: dict[str, str], now: float, ledger: Ledger, chance: Random
    ) -> None:
        self.name = name
        self.attributes = attributes
        self.fifo = attributes.get("FifoQueue") == "true"
        self.in_flight_limit = IN_FLIGHT
        self.created_at = self.changed_at = now
        self.purged_at: float | None = None
        self.messages = StoredMessages(FifoOrder() if self.fifo else StandardOrder())
        self._ledger = ledger
        self._chance = chance
        self._numbers = 0
        self._sent: dict[str, tuple[float, SendResult]] = {}

    @property
    def redrive(self) -> Redrive | None:
        """The parsed RedrivePolicy."""
        policy = self.attributes.get("RedrivePolicy")
        return parse_redrive(policy) if policy else None

    def setting(self, name: str) -> int:
        """Return a numeric attribute."""
        return int(self.attributes[name])

    def catch_up(self, now: float) -> bool:
        """Do what is due by *now*; return whether messages became visible."""
        visible = len(self.messages.visible)
        for message in self.messages.catch_up(now):
            self._note(message.visible_at, "return", "done", message)
        for message in self.messages.expire(now - self.setting("MessageRetentionPeriod")):
            self._note(now, "expire", "done", message)
        return len(self.messages.visible) > visible

    def send(self, content: MessageContent, now: float, *, delay: float = 0.0) -> SendResult:
        """Store *content*; *delay* is in seconds, added to its own. Raises `Refusal`."""
        by_content = self.attributes.get("ContentBasedDeduplication") == "true"
        check_content(
            content, limit=self.setting("MaximumMessageSize"), fifo=self.fifo, by_content=by_content
        )
        key = self._deduplication_key(content) if self.fifo else ""
        if self.fifo and (before := self._sent_before(key, now)):
            self._ledger.note(now, "send", self.name, "repeated", before.message_id)
            return before
        own_delay = self.setting("DelaySeconds") if content.delay is None else content.delay
        message = self._put(content, self._new_id(), now, now, now + own_delay + delay)
        sent = SendResult(message.message_id, message.number, content, self._sequence(message))
        if self.fifo:
            self._sent[key] = (now, replace(sent, repeated=True))
        self._ledger.note(now, "send", self.name, "done", sent.message_id)
        return sent

    def duplicate(self, number: int, now: float, delay: float) -> None:
        """Store a second copy of a message, as when one of SQS's servers misses a delete."""
        message = self.messages.get(number)
        if message is not None:
            self._copy(message, message.sent_at, now, now + delay).source = message.source
            self._ledger.note(now, "duplicate", self.name, "done", message.message_id)

    def add_redriven(self, message: StoredMessage, source: str, now: float) -> None:
        """Store a message that a redrive policy moves here; on a standard queue it keeps its age."""
        self._copy(message, now if self.fifo else message.sent_at, now, now).source = source

    def receive(self, message: StoredMessage, now: float, visibility: int) -> Receipt:
        """Hide *message* for *visibility* seconds, and return it with a new handle."""
        message.receives += 1
        message.receipt += 1
        message.received_at = now
        if message.first_received_at is None:
            message.first_received_at = now
        if visibility > 0:
            self.messages.hide(message, now + visibility)
        self._note(now, "receive", "done", message)
        if visibility == 0:
            self._note(now, "return", "done", message)
        return Receipt(
            message.message_id,
            message.number,
            self._handle(message),
            message.content,
            message.receives,
            message.sent_at,
            message.first_received_at,
            self._sequence(message),
            _identity(message.content) if self.fifo else None,
            message.source,
        )

    def delete(self, handle: str, now: float) -> None:
        """Delete the message of *handle*. An old handle does nothing; only a FIFO queue raises `Refusal` for it."""
        parsed, message = self._find(handle)
        is_good = message is not None and parsed.receipt == message.receipt
        if message is not None and self.fifo and not (is_good and message.number in self.messages.in_flight):
            raise handle_expired(handle)
        if message is None or not is_good:
            self._ledger.note(now, "delete", self.name, "stale", parsed.message_id, handle)
            return
        self.messages.remove(message)
        self._note(now, "delete", "done", message)

    def change(self, handle: str, seconds: int, now: float) -> None:
        """Make the message of *handle* visible again *seconds* from now. Raises `Refusal`."""
        check_visibility(seconds)
        parsed, message = self._find(handle)
        if message is None or parsed.receipt != message.receipt:
            raise lease_lost(handle)
        if message.number not in self.messages.in_flight:
            raise Refusal("MessageNotInflight", "The specified message isn't in flight.")
        check_visibility(seconds, held=now - message.received_at)
        sooner = now + seconds < message.visible_at
        if seconds == 0:
            self.messages.show(message, now)
        else:
            self.messages.hide(message, now + seconds)
        self._note(now, "change_visibility", "released" if sooner else "extended", message)

    def purge(self, now: float) -> None:
        """Delete all messages."""
        for message in list(self.messages):
            self.messages.remove(message)
            self._note(now, "purge", "done", message)
        self.purged_at = now

    def remove_redriven(self, message: StoredMessage, now: float) -> None:
        """Remove a message that a redrive policy moves to another queue."""
        self.messages.remove(message)
        self._note(now, "redrive", "done", message)

    def _put(
        self, content: MessageContent, message_id: str, sent_at: float, now: float, visible_at: float
    ) -> StoredMessage:
        self._numbers += 1
        message = StoredMessage(self._numbers, message_id, content, sent_at, visible_at)
        self.messages.put(message, now)
        return message

    def _copy(self, message: StoredMessage, sent_at: float, now: float, visible_at: float) -> StoredMessage:
        copy = self._put(message.content, message.message_id, sent_at, now, visible_at)
        copy.receives, copy.first_received_at = message.receives, message.first_received_at
        return copy

    def _find(self, handle: str) -> tuple[ReceiptHandle, StoredMessage | None]:
        parsed = parse_handle(handle, self.name)
        return parsed, self.messages.get(parsed.number)

    def _deduplication_key(self, content: MessageContent) -> str:
        scope = content.group if self.attributes["DeduplicationScope"] == "messageGroup" else ""
        return f"{scope} {_identity(content)}"

    def _sent_before(self, key: str, now: float) -> SendResult | None:
        while self._sent:
            oldest, (at, _) = next(iter(self._sent.items()))
            if at > now - DEDUPLICATION:
                break
            del self._sent[oldest]
        return self._sent[key][1] if key in self._sent else None

    def _sequence(self, message: StoredMessage) -> str | None:
        return f"{18_870_000_000_000_000_000 + message.number}" if self.fifo else None

    def _handle(self, message: StoredMessage) -> str:
        return ReceiptHandle(self.name, message.number, message.receipt, message.message_id).text

    def _new_id(self) -> str:
        digits = f"{self._chance.getrandbits(128):032x}"
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))

    def _note(self, at: float, operation: str, outcome: str, message: StoredMessage) -> None:
        self._ledger.note(at, operation, self.name, outcome, message.message_id, self._handle(message))


def _identity(content: MessageContent) -> str:
    return content.deduplication or sha256(content.body.encode("utf-8", "surrogatepass")).hexdigest()
