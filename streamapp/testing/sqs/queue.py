"""One queue's rules: what a send, a receive, a delete and a visibility change do to it."""

from dataclasses import dataclass, replace
from hashlib import sha256
from random import Random

from streamapp.testing.faults.ledger import Ledger
from streamapp.testing.faults.refusal import Refusal
from streamapp.testing.sqs.attributes import Redrive, parse_redrive
from streamapp.testing.sqs.contents import Stock
from streamapp.testing.sqs.message import Handle, Letter, Message, parse_handle
from streamapp.testing.sqs.order import FifoLine, StandardLine
from streamapp.testing.sqs.rules import check_letter, check_visibility, handle_expired, lease_lost

DEDUPLICATION = 300.0
"""Seconds for which a FIFO queue remembers what was sent: SQS's own interval."""

IN_FLIGHT = 120_000
"""Messages that may be in flight at once: SQS's own limit."""


@dataclass(frozen=True, slots=True)
class Sent:
    """SQS took a message; *sequence* is a FIFO queue's; *repeated*: it was there before."""

    message_id: str
    number: int
    letter: Letter
    sequence: str | None = None
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Receipt:
    """One receipt of one message. *sent_at* and *first_received_at* are monotonic times."""

    message_id: str
    number: int
    handle: str
    letter: Letter
    receives: int
    sent_at: float
    first_received_at: float
    sequence: str | None = None
    deduplication: str | None = None
    source: str | None = None


class StoredQueue:
    """One queue, under an explicit *now*. It tells the ledger what it did; it waits for nothing."""

    def __init__(
        self, name: str, attributes: dict[str, str], now: float, ledger: Ledger, chance: Random
    ) -> None:
        self.name = name
        self.attributes = attributes
        self.fifo = attributes.get("FifoQueue") == "true"
        self.in_flight_limit = IN_FLIGHT
        self.created_at = self.changed_at = now
        self.purged_at: float | None = None
        self.stock = Stock(FifoLine() if self.fifo else StandardLine())
        self._ledger = ledger
        self._chance = chance
        self._numbers = 0
        self._seen: dict[str, tuple[float, Sent]] = {}

    @property
    def redrive(self) -> Redrive | None:
        """Where messages go that were received too often."""
        policy = self.attributes.get("RedrivePolicy")
        return parse_redrive(policy) if policy else None

    def setting(self, name: str) -> int:
        """Return a numeric attribute."""
        return int(self.attributes[name])

    def settle(self, now: float) -> bool:
        """Bring the queue up to *now*; answer whether messages became visible."""
        visible = len(self.stock.line)
        for message in self.stock.settle(now):
            self._note(message.visible_at, "return", "done", message)
        for message in self.stock.expire(now - self.setting("MessageRetentionPeriod")):
            self._note(now, "expire", "done", message)
        return len(self.stock.line) > visible

    def send(self, letter: Letter, now: float, *, delay: float = 0.0) -> Sent:
        """Take *letter*, or refuse it; *delay* is seconds on top of its own."""
        by_content = self.attributes.get("ContentBasedDeduplication") == "true"
        check_letter(letter, limit=self.setting("MaximumMessageSize"), fifo=self.fifo, by_content=by_content)
        key = self._deduplication_key(letter) if self.fifo else ""
        if self.fifo and (before := self._sent_before(key, now)):
            self._ledger.note(now, "send", self.name, "repeated", before.message_id)
            return before
        own_delay = self.setting("DelaySeconds") if letter.delay is None else letter.delay
        message = self._put(letter, self._new_id(), now, now, now + own_delay + delay)
        sent = Sent(message.message_id, message.number, letter, self._sequence(message))
        if self.fifo:
            self._seen[key] = (now, replace(sent, repeated=True))
        self._ledger.note(now, "send", self.name, "done", sent.message_id)
        return sent

    def echo(self, number: int, now: float, delay: float) -> None:
        """Keep a second copy of a message, as a replica does that will not hear of its delete."""
        message = self.stock.get(number)
        if message is not None:
            self._copy(message, message.sent_at, now, now + delay).source = message.source
            self._ledger.note(now, "duplicate", self.name, "done", message.message_id)

    def adopt(self, message: Message, source: str, now: float) -> None:
        """Keep a message that a redrive policy sends here; on a standard queue it keeps its age."""
        self._copy(message, now if self.fifo else message.sent_at, now, now).source = source

    def receive(self, message: Message, now: float, visibility: int) -> Receipt:
        """Give *message* away for *visibility* seconds, under a new handle."""
        message.receives += 1
        message.receipt += 1
        message.received_at = now
        if message.first_received_at is None:
            message.first_received_at = now
        if visibility > 0:
            self.stock.hide(message, now + visibility)
        self._note(now, "receive", "done", message)
        if visibility == 0:
            self._note(now, "return", "done", message)
        return Receipt(
            message.message_id,
            message.number,
            self._handle(message),
            message.letter,
            message.receives,
            message.sent_at,
            message.first_received_at,
            self._sequence(message),
            _identity(message.letter) if self.fifo else None,
            message.source,
        )

    def delete(self, handle: str, now: float) -> None:
        """Delete the message of *handle*: an old handle does nothing, and only a FIFO queue says so."""
        said, message = self._find(handle)
        is_good = message is not None and said.receipt == message.receipt
        if message is not None and self.fifo and not (is_good and message.number in self.stock.in_flight):
            raise handle_expired(handle)
        if message is None or not is_good:
            self._ledger.note(now, "delete", self.name, "stale", said.message_id, handle)
            return
        self.stock.remove(message)
        self._note(now, "delete", "done", message)

    def change(self, handle: str, seconds: int, now: float) -> None:
        """Let the message of *handle* come back *seconds* from now."""
        check_visibility(seconds)
        said, message = self._find(handle)
        if message is None or said.receipt != message.receipt:
            raise lease_lost(handle)
        if message.number not in self.stock.in_flight:
            raise Refusal("MessageNotInflight", "The specified message isn't in flight.")
        check_visibility(seconds, held=now - message.received_at)
        sooner = now + seconds < message.visible_at
        if seconds == 0:
            self.stock.show(message, now)
        else:
            self.stock.hide(message, now + seconds)
        self._note(now, "change_visibility", "released" if sooner else "extended", message)

    def purge(self, now: float) -> None:
        """Forget all messages."""
        for message in list(self.stock):
            self.stock.remove(message)
            self._note(now, "purge", "done", message)
        self.purged_at = now

    def drop(self, message: Message, now: float) -> None:
        """Let go a message that a redrive policy sends away."""
        self.stock.remove(message)
        self._note(now, "redrive", "done", message)

    def _put(self, letter: Letter, message_id: str, sent_at: float, now: float, visible_at: float) -> Message:
        self._numbers += 1
        message = Message(self._numbers, message_id, letter, sent_at, visible_at)
        self.stock.put(message, now)
        return message

    def _copy(self, message: Message, sent_at: float, now: float, visible_at: float) -> Message:
        copy = self._put(message.letter, message.message_id, sent_at, now, visible_at)
        copy.receives, copy.first_received_at = message.receives, message.first_received_at
        return copy

    def _find(self, handle: str) -> tuple[Handle, Message | None]:
        said = parse_handle(handle, self.name)
        return said, self.stock.get(said.number)

    def _deduplication_key(self, letter: Letter) -> str:
        scope = letter.group if self.attributes["DeduplicationScope"] == "messageGroup" else ""
        return f"{scope} {_identity(letter)}"

    def _sent_before(self, key: str, now: float) -> Sent | None:
        while self._seen:
            oldest, (at, _) = next(iter(self._seen.items()))
            if at > now - DEDUPLICATION:
                break
            del self._seen[oldest]
        return self._seen[key][1] if key in self._seen else None

    def _sequence(self, message: Message) -> str | None:
        return f"{18_870_000_000_000_000_000 + message.number}" if self.fifo else None

    def _handle(self, message: Message) -> str:
        return Handle(self.name, message.number, message.receipt, message.message_id).text

    def _new_id(self) -> str:
        digits = f"{self._chance.getrandbits(128):032x}"
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))

    def _note(self, at: float, operation: str, outcome: str, message: Message) -> None:
        self._ledger.note(at, operation, self.name, outcome, message.message_id, self._handle(message))


def _identity(letter: Letter) -> str:
    return letter.deduplication or sha256(letter.body.encode("utf-8", "surrogatepass")).hexdigest()
