"""SQS's rules for all its queues, as plain functions of a given time: nothing here waits."""

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import TypeVar

from streamapp.sqs.names import queue_name
from streamapp.testing.faults.ledger import Ledger
from streamapp.testing.faults.refusal import Refusal
from streamapp.testing.sqs.attributes import (
    ACCOUNT,
    arn_of,
    check_attributes,
    check_name,
    defaults,
    is_true,
    key_of,
    no_such_target,
    parse_redrive,
    shown,
    without_empty,
    wrong_target,
)
from streamapp.testing.sqs.message import MessageContent, StoredMessage
from streamapp.testing.sqs.queue import Receipt, SendResult, StoredQueue
from streamapp.testing.sqs.rules import check_receive, check_visibility

T = TypeVar("T")
R = TypeVar("R")

COOLDOWN = 60.0
"""Seconds between two purges of a queue, and between a queue's deletion and its next creation."""


class Broker:
    """All queues; each method takes *now*, in monotonic seconds.

    SQS's errors are raised as `Refusal`. *touched* collects the names of queues in which a message may have
    become receivable since the set was last cleared. *chance* makes the message ids, so that a seed repeats them.
    """

    def __init__(self, ledger: Ledger, chance: Random) -> None:
        self.touched: set[str] = set()
        self._queues: dict[str, StoredQueue] = {}
        self._deleted_at: dict[str, float] = {}
        self._ledger = ledger
        self._chance = chance
        self._recorded: dict[str, list[MessageContent]] | None = None

    def record_sent(self) -> dict[str, list[MessageContent]]:
        """Record what is sent from now on, by queue. It grows without bound, so a test has to ask for it."""
        self._recorded = {}
        return self._recorded

    def stored(self, name: str, now: float) -> StoredQueue:
        """Return this queue as it is at *now*."""
        stored = self._queues.get(name)
        if stored is None:
            raise Refusal("QueueDoesNotExist", "The specified queue does not exist.")
        if stored.catch_up(now):
            self.touched.add(name)
        return stored

    def catch_up(self, now: float) -> None:
        """Do in all queues what is due by *now*."""
        for name in self._queues:
            self.stored(name, now)

    def key_in_url(self, url: str) -> str:
        """Return the key of the queue of this URL: if that names no other account's queue, it is ours."""
        path = "/".join(url.rstrip("/").rsplit("/", 2)[-2:])
        return path if path in self._queues else queue_name(url)

    def create(
        self,
        name: str,
        attributes: Mapping[str, str],
        now: float,
        *,
        account: str = ACCOUNT,
        tags: Mapping[str, str] | None = None,
    ) -> StoredQueue:
        """Create a queue, of another account if need be; one that exists already must have these attributes."""
        check_name(name, attributes)
        name = key_of(account, name)
        fifo = is_true(attributes.get("FifoQueue", ""))
        checked = check_attributes(attributes, fifo=fifo)
        stored = self._queues.get(name)
        if stored is not None:
            _check_same(stored, checked)
            return stored
        if now - self._deleted_at.get(name, -COOLDOWN) < COOLDOWN:
            raise Refusal(
                "QueueDeletedRecently",
                "You must wait 60 seconds after deleting a queue before you can create another with the same "
                "name.",
            )
        self._check_redrive(checked, fifo=fifo)
        whole = without_empty(defaults(fifo=fifo) | checked)
        stored = StoredQueue(name, whole, now, self._ledger, self._chance)
        stored.tags.update(tags or {})
        self._queues[name] = stored
        return stored

    def set_attributes(self, name: str, attributes: Mapping[str, str], now: float) -> None:
        """Change a queue's attributes."""
        stored = self.stored(name, now)
        checked = check_attributes(attributes, fifo=stored.fifo)
        self._check_redrive(checked, fifo=stored.fifo)
        stored.change_attributes(without_empty(stored.attributes | checked), now)
        self.touched.add(name)

    def delete_queue(self, name: str, now: float) -> None:
        """Delete a queue and all its messages."""
        self.stored(name, now)
        del self._queues[name]
        self._deleted_at[name] = now
        self.touched.add(name)

    def purge(self, name: str, now: float) -> None:
        """Delete all messages of a queue."""
        stored = self.stored(name, now)
        if stored.purged_at is not None and now - stored.purged_at < COOLDOWN:
            raise Refusal(
                "PurgeQueueInProgress",
                f"Only one PurgeQueue operation on {name} is allowed every 60 seconds.",
            )
        stored.purge(now)

    def names(self, prefix: str = "") -> list[str]:
        """Return the names of all queues that begin with *prefix*."""
        return sorted(name for name in self._queues if name.startswith(prefix))

    def sources(self, name: str, now: float) -> list[str]:
        """Return the names of the queues whose dead-letter queue this is."""
        self.stored(name, now)
        return sorted(
            other
            for other, stored in self._queues.items()
            if stored.redrive and stored.redrive.target == name
        )

    def attributes(self, name: str, now: float, *, epoch: float) -> dict[str, str]:
        """Return a queue's attributes; *epoch* is the Unix time, in seconds, at which the clock was at zero."""
        stored = self.stored(name, now)
        return shown(stored.attributes) | {
            "QueueArn": arn_of(name),
            "ApproximateNumberOfMessages": str(len(stored.messages.visible)),
            "ApproximateNumberOfMessagesNotVisible": str(len(stored.messages.in_flight)),
            "ApproximateNumberOfMessagesDelayed": str(len(stored.messages.delayed)),
            "CreatedTimestamp": str(int(epoch + stored.created_at)),
            "LastModifiedTimestamp": str(int(epoch + stored.changed_at)),
        }

    def send(
        self,
        name: str,
        contents: Sequence[MessageContent],
        now: float,
        *,
        delay: float = 0.0,
        is_batch: bool = False,
    ) -> list[SendResult | Refusal]:
        """Accept or refuse each message; *delay* is in seconds, added to the delay of each."""
        stored = self.stored(name, now)
        self.touched.add(name)
        outcomes = each(contents, lambda content: stored.send(content, now, delay=delay, is_batch=is_batch))
        if self._recorded is not None:
            new = [sent.content for sent in outcomes if isinstance(sent, SendResult) and not sent.repeated]
            self._recorded.setdefault(name, []).extend(new)
        return outcomes

    def receive(
        self,
        name: str,
        limit: int,
        now: float,
        *,
        visibility: int | None = None,
        chance: Random | None = None,
    ) -> list[Receipt]:
        """Receive up to *limit* messages; those received too often go to the dead-letter queue instead."""
        check_receive(limit, 0)
        stored = self.stored(name, now)
        seconds = stored.setting("VisibilityTimeout") if visibility is None else visibility
        check_visibility(seconds)
        free = stored.in_flight_limit - len(stored.messages.in_flight)
        if free <= 0:
            raise Refusal("OverLimit", "Too many messages are in flight in this queue.")
        taken = self._take(stored, min(limit, free), now, chance)
        return [stored.receive(message, now, seconds) for message in taken]

    def delete(self, name: str, handles: Sequence[str], now: float) -> list[Refusal | None]:
        """Delete messages, each with its own outcome."""
        stored = self.stored(name, now)
        self.touched.add(name)
        return each(handles, lambda handle: stored.delete(handle, now))

    def change(self, name: str, changes: Sequence[tuple[str, int]], now: float) -> list[Refusal | None]:
        """Change the visibility of messages by (handle, seconds), each with its own outcome."""
        stored = self.stored(name, now)
        self.touched.add(name)
        return each(changes, lambda change: stored.change(*change, now))

    def next_wake(self, name: str, now: float) -> float | None:
        """Return when the next hidden message of this queue becomes visible, None if none is hidden."""
        return self.stored(name, now).messages.next_wake()

    def _take(
        self, stored: StoredQueue, limit: int, now: float, chance: Random | None
    ) -> list[StoredMessage]:
        redrive = stored.redrive
        target = self._queues.get(redrive.target) if redrive else None
        taken = stored.messages.take(limit, chance)
        while redrive and target and (spent := [m for m in taken if m.receives >= redrive.max_receives]):
            for message in spent:
                stored.remove_redriven(message, now)
                target.add_redriven(message, arn_of(stored.name), now)
            self.touched.add(target.name)
            taken = stored.messages.take(limit, chance)
        return taken

    def _check_redrive(self, attributes: Mapping[str, str], *, fifo: bool) -> None:
        policy = attributes.get("RedrivePolicy")
        if not policy:
            return
        target = self._queues.get(parse_redrive(policy).target)
        if target is None:
            raise no_such_target(policy)
        if target.fifo != fifo:
            raise wrong_target(policy)


def each(items: Sequence[T], act: Callable[[T], R]) -> list[R | Refusal]:
    """Return the result of *act* for each item, or its `Refusal`."""
    outcomes: list[R | Refusal] = []
    for item in items:
        try:
            outcomes.append(act(item))
        except Refusal as refusal:
            outcomes.append(refusal)
    return outcomes


def _check_same(stored: StoredQueue, attributes: Mapping[str, str]) -> None:
    for name, value in attributes.items():
        if stored.attributes.get(name, "") != value:
            raise Refusal(
                "QueueNameExists",
                f"A queue already exists with the same name and a different value for attribute {name}",
            )
