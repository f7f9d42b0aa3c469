"""SQS in memory: what `streamapp.sqs.client.Sqs` asks for, without a network."""

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TypeVar

from anyio import current_time

from streamapp.errors import Fault, ServiceError
from streamapp.messages import Delivery, Outgoing, Queue, Typed
from streamapp.sqs.client import Failure
from streamapp.sqs.faults import fault_of, reason_of
from streamapp.sqs.names import queue_name
from streamapp.testing.clocks.clock import Clock
from streamapp.testing.faults.call import AnswerLost
from streamapp.testing.faults.ledger import Ledger
from streamapp.testing.faults.plan import Faults
from streamapp.testing.faults.refusal import Refusal
from streamapp.testing.sqs.message import Attribute, Letter
from streamapp.testing.sqs.queue import IN_FLIGHT, Receipt, StoredQueue
from streamapp.testing.sqs.service import Service

T = TypeVar("T")

URL = "http://sqs.test/000000000000/"
"""What the URLs of queues in memory begin with."""


class MemorySqs:
    """An SQS that keeps SQS's rules, can be told to fail, and writes down everything.

    *clock* is its time, the real one by default; *seed* makes its ids and what its faults leave to chance.

        sqs = MemorySqs(clock=VirtualClock())
        orders = await sqs.create("orders", {"VisibilityTimeout": "30"})
        await sqs.send(orders, [Outgoing("{}")])
        sqs.faults.add("delete", Lose(), times=1)
        ...
        assert len(sqs.ledger.received("orders")) == len(sqs.ledger.deleted("orders"))
    """

    def __init__(self, *, clock: Clock | None = None, seed: int = 0) -> None:
        self.service = Service(clock, seed)

    @property
    def clock(self) -> Clock:
        """Its time."""
        return self.service.clock

    @property
    def faults(self) -> Faults:
        """What shall go wrong."""
        return self.service.faults

    @property
    def ledger(self) -> Ledger:
        """Everything that has happened, up to now."""
        self.service.settle()
        return self.service.ledger

    async def find(self, name: str) -> Queue:
        """Return the queue of this name or URL; a missing one is a CONFIGURATION fault."""
        bare = queue_name(name)
        with _ours(bare):
            return await self.service.call(
                "find", bare, lambda now: _queue(self.service.broker.stored(bare, now))
            )

    async def receive(self, queue: Queue, *, limit: int, wait: float) -> list[Delivery]:
        """Long-poll for 1..10 messages for *wait* seconds (0..20); answer as soon as there is one."""
        # The loop's time, whatever the clock: those who hold a delivery reckon in it.
        asked_at = current_time()
        with _ours(queue.name):
            receipts = await self.service.receive(queue.name, limit=limit, wait=wait)
        return [self._delivery(queue, receipt, asked_at) for receipt in receipts]

    async def send(self, queue: Queue, messages: Sequence[Outgoing]) -> list[Failure | None]:
        """Send messages."""
        letters = [_letter(message) for message in messages]
        with _ours(queue.name):
            outcomes = await self.service.send(queue.name, letters, _ids(letters))
        return [_failure(outcome) for outcome in outcomes]

    async def delete(self, queue: Queue, handles: Sequence[str]) -> list[Failure | None]:
        """Delete messages by receipt handle. A stale handle succeeds and does nothing."""
        with _ours(queue.name):
            outcomes = await self.service.delete(queue.name, handles, _ids(handles))
        return [_failure(outcome) for outcome in outcomes]

    async def change_visibility(
        self, queue: Queue, changes: Sequence[tuple[str, int]]
    ) -> list[Failure | None]:
        """Let each message of (handle, seconds) come back that many seconds from now."""
        with _ours(queue.name):
            outcomes = await self.service.change_visibility(queue.name, changes, _ids(changes))
        return [_failure(outcome) for outcome in outcomes]

    async def create(self, name: str, attributes: Mapping[str, str]) -> Queue:
        """Create the queue, or set these attributes (SQS's names) of one that is there."""
        broker = self.service.broker

        def act(now: float) -> Queue:
            if name in broker.names():
                broker.set_attributes(name, attributes, now)
                return _queue(broker.stored(name, now))
            return _queue(broker.create(name, attributes, now))

        with _ours(name):
            return await self.service.call("create", name, act)

    async def attributes(self, queue: Queue) -> dict[str, str]:
        """Return all queue attributes, by SQS's names."""
        broker, epoch = self.service.broker, self.service.epoch
        with _ours(queue.name):
            return await self.service.call(
                "attributes", queue.name, lambda now: broker.attributes(queue.name, now, epoch=epoch)
            )

    def limit_in_flight(self, queue: Queue, most: int = IN_FLIGHT) -> None:
        """Let only *most* messages of this queue be in flight, so that a test need not send 120,000."""
        self.service.broker.stored(queue.name, self.clock.now()).in_flight_limit = most

    def bodies(self, queue: Queue) -> list[str]:
        """Return the bodies of all messages that the queue holds, oldest first; nobody notices."""
        stored = self.service.broker.stored(queue.name, self.clock.now())
        return [message.letter.body for message in stored.stock]

    def _delivery(self, queue: Queue, receipt: Receipt, asked_at: float) -> Delivery:
        return Delivery(
            queue=queue,
            message_id=receipt.message_id,
            handle=receipt.handle,
            body=receipt.letter.body,
            receives=receipt.receives,
            sent_at=datetime.fromtimestamp(self.service.epoch + receipt.sent_at, UTC),
            asked_at=asked_at,
            attributes={
                name: attribute.value
                for name, attribute in receipt.letter.attributes.items()
                if attribute.kind == "String" and isinstance(attribute.value, str)
            },
            group=receipt.letter.group,
            typed={
                name: Typed(attribute.kind, attribute.value)
                for name, attribute in receipt.letter.attributes.items()
                if attribute.kind != "String"
            },
            xray=receipt.letter.trace,
        )


@contextmanager
def _ours(subject: str) -> Generator[None]:
    try:
        yield
    except Refusal as refusal:
        fault = fault_of(refusal.code, refusal.message)
        raise ServiceError("SQS", fault, f"{subject}: {reason_of(refusal.code)}") from refusal
    except AnswerLost as lost:
        raise ServiceError("SQS", Fault.TRANSIENT, f"{subject}: {lost.effect!r}") from lost


def _queue(stored: StoredQueue) -> Queue:
    redrive = stored.redrive
    return Queue(
        name=stored.name,
        url=URL + stored.name,
        visibility=float(stored.setting("VisibilityTimeout")),
        max_bytes=stored.setting("MaximumMessageSize"),
        fifo=stored.fifo,
        dead_letters=redrive.target if redrive else None,
        max_receives=redrive.max_receives if redrive else None,
    )


def _letter(message: Outgoing) -> Letter:
    attributes = {name: Attribute("String", value) for name, value in message.attributes.items()}
    attributes |= {name: Attribute(it.kind, it.value) for name, it in message.typed.items()}
    return Letter(message.body, attributes, message.group, message.deduplication)


def _ids(entries: Sequence[object]) -> list[str]:
    return [str(position) for position in range(len(entries))]


def _failure(outcome: object) -> Failure | None:
    return (
        Failure(outcome.code, outcome.sender_fault, outcome.message) if isinstance(outcome, Refusal) else None
    )
