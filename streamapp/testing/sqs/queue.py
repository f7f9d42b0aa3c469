"""One queue's rules: what a send, a receive, a delete and a visibility change do."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from random import Random

from streamapp.testing.faults.ledger import Ledger
from streamapp.testing.faults.refusal import Refusal
from streamapp.testing.sqs.attributes import Redrive, parse_redrive
from streamapp.testing.sqs.delivery_order import FifoOrder, StandardOrder
from streamapp.testing.sqs.message import MessageContent, ReceiptHandle, StoredMessage, parse_handle, utf8
from streamapp.testing.sqs.rules import (
    check_content,
    check_fifo_batch,
    check_visibility,
    handle_expired,
    lease_lost,
)
from streamapp.testing.sqs.stored_messages import StoredMessages

DEDUPLICATION = 300.0
"""Seconds in which a FIFO queue drops a repeated message: SQS's own deduplication interval."""

IN_FLIGHT = 120_000
"""Messages that may be in flight at once: SQS's own limit."""

PROPAGATION = 60.0
"""Seconds until a changed DeduplicationScope holds: SQS's documents say that a change takes up to a minute."""


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
        self.tags: dict[str, str] = {}
        self.messages = StoredMessages(FifoOrder() if self.fifo else StandardOrder())
        self._ledger = ledger
        self._chance = chance
        self._numbers = 0
        self._sent: dict[str, tuple[float, SendResult]] = {}
        self._scopes = [(now, attributes.get("DeduplicationScope", ""))]

    @property
    def redrive(self) -> Redrive | None:
        """The parsed RedrivePolicy."""
        policy = self.attributes.get("RedrivePolicy")
        return parse_redrive(policy) if policy else None

    @property
    def by_content(self) -> bool:
        """Whether a message without a deduplication id is identified by its body."""
        return self.attributes.get("ContentBasedDeduplication") == "true"

    def setting(self, name: str) -> int:
        """Return a numeric attribute."""
        return int(self.attributes[name])

    def change_attributes(self, attributes: dict[str, str], now: float) -> None:
        """Set the attributes."""
        scope = attributes.get("DeduplicationScope", "")
        if scope != self._scopes[-1][1]:
            self._scopes.append((now + PROPAGATION, scope))
        self.attributes, self.changed_at = attributes, now

    def untag(self, keys: Sequence[str]) -> None:
        """Remove the tags of these keys; one that is not there is no error."""
        for key in keys:
            self.tags.pop(key, None)

    def catch_up(self, now: float) -> bool:
        """Do what is due by *now*; return whether messages became visible."""
        visible = len(self.messages.visible)
        for message in self.messages.catch_up(now):
            self._note(message.visible_at, "return", "done", message)
        for message in self.messages.expire(now - self.setting("MessageRetentionPeriod")):
            self._note(now, "expire", "done", message)
        return len(self.messages.visible) > visible

    def check_batch(self, contents: Sequence[MessageContent]) -> None:
        """Raise `Refusal` for a batch that is refused whole: a FIFO queue wants all groups and identities."""
        if self.fifo:
            check_fifo_batch(contents, by_content=self.by_content)

    def send(
        self, content: MessageContent, now: float, *, delay: float = 0.0, is_batch: bool = False
    ) -> SendResult:
        """Store *content*; *delay* is in seconds, added to its own. Raises `Refusal`."""
        check_content(
            content,
            limit=self.setting("MaximumMessageSize"),
            fifo=self.fifo,
            by_content=self.by_content,
            is_batch=is_batch,
        )
        key = self._deduplication_key(content, now) if self.fifo else ""
        if self.fifo and (before := self._sent_before(key, now)):
            self._ledger.note(now, "send", self.name, "repeated", before.message_id)
            return before
        # A message of a FIFO queue has no delay of its own: it may say 0, and that is ignored.
        own_delay = self.setting("DelaySeconds") if content.delay is None or self.fifo else content.delay
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
        """Delete the message of *handle*, which on a standard queue may be of any of its receives.

        A FIFO queue raises `Refusal` for a handle that has expired. If there is no message any more, nothing happens.
        """
        parsed, message = self._find(handle)
        if message is not None and self.fifo and not self._is_held(message, parsed):
            raise handle_expired(handle)
        if message is None:
            self._ledger.note(now, "delete", self.name, "stale", parsed.message_id, handle)
            return
        self._note_end(now, "delete", "done", message, handle)
        self.messages.remove(message)

    def change(self, handle: str, seconds: int, now: float) -> None:
        """Make the message of *handle* visible again *seconds* from now. Raises `Refusal`.

        On a standard queue the handle may be of any of its receives, and the message may be visible: SQS answers 200,
        and here it is hidden again.
        """
        check_visibility(seconds)
        parsed, message = self._find(handle)
        if message is None:
            raise lease_lost(handle)
        if self.fifo and parsed.receipt != message.receipt:
            raise lease_lost(handle)
        is_in_flight = message.number in self.messages.in_flight
        if self.fifo and not is_in_flight:
            raise Refusal("MessageNotInflight", "The specified message isn't in flight.")
        check_visibility(seconds, held=now - message.received_at)
        if seconds == 0 and not is_in_flight:
            self._note(now, "change_visibility", "stale", message)
            return
        if now + seconds < message.visible_at:
            self._note_end(now, "change_visibility", "released", message, handle)
        else:
            self._note(now, "change_visibility", "extended", message)
        if seconds == 0:
            self.messages.show(message, now)
        else:
            self.messages.hide(message, now + seconds)

    def purge(self, now: float) -> None:
        """Delete all messages."""
        for message in list(self.messages):
            self.messages.remove(message)
            self._note(now, "purge", "done", message)
        self._sent.clear()
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

    def _is_held(self, message: StoredMessage, handle: ReceiptHandle) -> bool:
        return handle.receipt == message.receipt and message.number in self.messages.in_flight

    def _deduplication_key(self, content: MessageContent, now: float) -> str:
        while len(self._scopes) > 1 and self._scopes[1][0] <= now:
            del self._scopes[0]
        group = content.group if self._scopes[0][1] == "messageGroup" else ""
        return f"{group} {_identity(content)}"

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

    def _note_end(self, at: float, operation: str, outcome: str, message: StoredMessage, handle: str) -> None:
        self._ledger.note(at, operation, self.name, outcome, message.message_id, handle)
        if handle != self._handle(message) and message.number in self.messages.in_flight:
            self._note(at, operation, "overtaken", message)

    def _note(self, at: float, operation: str, outcome: str, message: StoredMessage) -> None:
        self._ledger.note(at, operation, self.name, outcome, message.message_id, self._handle(message))


def _identity(content: MessageContent) -> str:
    return content.deduplication or sha256(utf8(content.body)).hexdigest()
