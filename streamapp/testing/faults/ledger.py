"""The ledger: everything that happened to an SQS or a store for tests, in order."""

from collections import Counter
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened, at the clock's *at*.

    Without *message_id* it is a call, with one it is what the call did to one message; *call* is the number of the
    call in both. *operation* is a verb of `Sqs`, or what SQS did by itself: "return" (the visibility timeout ran
    out), "redrive", "expire" (retention), "purge", "duplicate".

    *outcome* is "done" or SQS's code. Some verbs have more outcomes: a visibility change is "released" (the message
    comes back sooner) or "extended"; it or a delete may be "stale" (it succeeded and did nothing); where it was made by
    an old handle, the receipt that was in flight is "overtaken"; a send may be "repeated" (FIFO deduplication), a
    receive "empty", and a call "lost": its response never arrived.
    """

    at: float
    operation: str
    queue: str
    outcome: str
    call: int
    message_id: str | None = None
    handle: str | None = None


class Ledger:
    """An append-only log of calls. In most methods, a *queue* of None means all queues.

    assert len(sqs.ledger.received("orders")) == len(sqs.ledger.deleted("orders"))
    assert not sqs.ledger.in_flight()
    """

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self._call = 0

    def begin(self) -> int:
        """Begin a call and return its number; what is noted until the next one begins belongs to it."""
        self._call += 1
        return self._call

    def note(
        self,
        at: float,
        operation: str,
        queue: str,
        outcome: str,
        message_id: str | None = None,
        handle: str | None = None,
        *,
        call: int | None = None,
    ) -> None:
        """Append one entry."""
        number = self._call if call is None else call
        self.entries.append(Entry(at, operation, queue, outcome, number, message_id, handle))

    def calls(self, operation: str | None = None, queue: str | None = None) -> list[Entry]:
        """Return the calls, in the order of their responses."""
        return [
            entry
            for entry in self.entries
            if entry.message_id is None
            and operation in {None, entry.operation}
            and queue in {None, entry.queue}
        ]

    def of(self, message_id: str) -> list[Entry]:
        """Return all that happened to one message."""
        return [entry for entry in self.entries if entry.message_id == message_id]

    def sent(self, queue: str | None = None) -> list[Entry]:
        """Return the messages that SQS accepted."""
        return self._messages("send", "done", queue)

    def received(self, queue: str | None = None) -> list[Entry]:
        """Return one entry for each time that a message was received."""
        return self._messages("receive", "done", queue)

    def deleted(self, queue: str | None = None) -> list[Entry]:
        """Return the deletes that deleted something."""
        return self._messages("delete", "done", queue)

    def released(self, queue: str | None = None) -> list[Entry]:
        """Return the visibility changes by which a message came back sooner."""
        return self._messages("change_visibility", "released", queue)

    def extended(self, queue: str | None = None) -> list[Entry]:
        """Return the visibility changes by which a message stayed hidden longer."""
        return self._messages("change_visibility", "extended", queue)

    def redriven(self, queue: str | None = None) -> list[Entry]:
        """Return the messages that SQS moved to a dead-letter queue; *queue* is the one they left."""
        return self._messages("redrive", "done", queue)

    def in_flight(self, queue: str | None = None) -> list[Entry]:
        """Return the receives whose message is neither deleted nor back; one released with a delay counts as back."""
        over: set[str | None] = set()
        for entry in self.entries:
            if (entry.operation, entry.outcome) in _ENDS:
                over.add(entry.handle)
            elif (entry.operation, entry.outcome) == _HIDDEN:
                # A message of a standard queue may be hidden again after it came back.
                over.discard(entry.handle)
        return [entry for entry in self.received(queue) if entry.handle not in over]

    def receives(self, queue: str | None = None) -> Counter[str]:
        """Return how often each message was received."""
        return Counter(entry.message_id for entry in self.received(queue) if entry.message_id)

    def lost(self, operation: str | None = None) -> list[Entry]:
        """Return what took effect in calls whose responses never arrived."""
        calls = {entry.call for entry in self.entries if entry.outcome == "lost"}
        return [
            entry
            for entry in self.entries
            if entry.message_id is not None
            and entry.call in calls
            and operation in {None, entry.operation}
            and entry.outcome in _EFFECTS
        ]

    def _messages(self, operation: str, outcome: str, queue: str | None) -> list[Entry]:
        return [
            entry
            for entry in self.entries
            if entry.message_id is not None
            and (entry.operation, entry.outcome) == (operation, outcome)
            and queue in {None, entry.queue}
        ]


_ENDS = {
    ("delete", "done"),
    ("delete", "overtaken"),
    ("change_visibility", "released"),
    ("change_visibility", "overtaken"),
    ("return", "done"),
    ("redrive", "done"),
    ("expire", "done"),
    ("purge", "done"),
}
_HIDDEN = ("change_visibility", "extended")
_EFFECTS = {"done", "released", "extended", "repeated"}
