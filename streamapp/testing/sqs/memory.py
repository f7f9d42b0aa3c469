"""SQS in memory: an implementation of `streamapp.sqs.client.Sqs` without a network."""

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TypeVar

from anyio import current_time

from streamapp.errors import Fault, ServiceError
from streamapp.messages import Delivery, Outgoing, Queue, Typed
from streamapp.sqs.client import Failure
from streamapp.sqs.faults import fault_of, reason_of
from streamapp.sqs.names import parse_arn, queue_name
from streamapp.testing.clocks.clock import Clock
from streamapp.testing.faults.call import ResponseLost
from streamapp.testing.faults.ledger import Ledger
from streamapp.testing.faults.plan import Faults
from streamapp.testing.faults.refusal import Refusal
from streamapp.testing.sqs.attributes import ACCOUNT, key_in_arn, key_of, path_of
from streamapp.testing.sqs.message import MessageAttribute, MessageContent
from streamapp.testing.sqs.queue import IN_FLIGHT, Receipt, StoredQueue
from streamapp.testing.sqs.simulator import SqsSimulator

T = TypeVar("T")

ROOT = "http://sqs.test/"

URL = f"{ROOT}{ACCOUNT}/"
"""The beginning of the URLs of queues in memory."""


class MemorySqs:
    """An SQS that follows SQS's rules, fails on command, and records every call in a ledger.

    *clock* is its time, the real one by default; *seed* fixes its ids and the random choices of its faults.

        sqs = MemorySqs(clock=VirtualClock())
        orders = await sqs.create("orders", {"VisibilityTimeout": "30"})
        await sqs.send(orders, [Outgoing("{}")])
        sqs.faults.add("delete", Lose(), times=1)
        ...
        assert len(sqs.ledger.received("orders")) == len(sqs.ledger.deleted("orders"))
    """

    def __init__(self, *, clock: Clock | None = None, seed: int = 0) -> None:
        self.simulator = SqsSimulator(clock, seed)

    @property
    def clock(self) -> Clock:
        """The clock it runs on."""
        return self.simulator.clock

    @property
    def faults(self) -> Faults:
        """The faults to make happen."""
        return self.simulator.faults

    @property
    def ledger(self) -> Ledger:
        """Everything that has happened, up to now."""
        self.simulator.catch_up()
        return self.simulator.ledger

    async def find(self, name: str) -> Queue:
        """Return the queue of this name, URL or ARN; a missing one is a CONFIGURATION fault."""
        bare = key_in_arn(name) if parse_arn(name) else self.simulator.broker.key_in_url(name)
        with _service_errors(bare):
            return await self.simulator.call(
                "find", bare, lambda now: _queue(self.simulator.broker.stored(bare, now))
            )

    async def receive(
        self, queue: Queue, *, limit: int, wait: float, visibility: int | None = None
    ) -> list[Delivery]:
        """Long-poll for 1..10 messages for *wait* seconds (0..20); return as soon as there is one.

        They are invisible to others for *visibility* seconds, None: as long as the queue says.
        """
        # The event loop's time, whatever the clock: leases are counted in it.
        asked_at = current_time()
        with _service_errors(queue.name):
            receipts = await self.simulator.receive(
                _key(queue), limit=limit, wait=wait, visibility=visibility
            )
        return [self._delivery(queue, receipt, asked_at) for receipt in receipts]

    async def send(self, queue: Queue, messages: Sequence[Outgoing]) -> list[Failure | None]:
        """Send messages."""
        contents = [_content(message) for message in messages]
        with _service_errors(queue.name):
            outcomes = await self.simulator.send(_key(queue), contents, _ids(contents))
        return [_failure(outcome) for outcome in outcomes]

    async def delete(self, queue: Queue, handles: Sequence[str]) -> list[Failure | None]:
        """Delete messages by receipt handle. It succeeds for a message that is gone already, and does nothing."""
        with _service_errors(queue.name):
            outcomes = await self.simulator.delete(_key(queue), handles, _ids(handles))
        return [_failure(outcome) for outcome in outcomes]

    async def change_visibility(
        self, queue: Queue, changes: Sequence[tuple[str, int]]
    ) -> list[Failure | None]:
        """Make each message of (handle, seconds) visible again that many seconds from now."""
        with _service_errors(queue.name):
            outcomes = await self.simulator.change_visibility(_key(queue), changes, _ids(changes))
        return [_failure(outcome) for outcome in outcomes]

    async def create(self, name: str, attributes: Mapping[str, str], *, account: str = ACCOUNT) -> Queue:
        """Create the queue, or set these attributes (SQS's names) of one that exists; *account* is its owner."""
        broker, key = self.simulator.broker, key_of(account, name)

        def act(now: float) -> Queue:
            if key in broker.names():
                broker.set_attributes(key, attributes, now)
                return _queue(broker.stored(key, now))
            return _queue(broker.create(name, attributes, now, account=account))

        with _service_errors(name):
            return await self.simulator.call("create", name, act)

    async def attributes(self, queue: Queue) -> dict[str, str]:
        """Return all queue attributes, by SQS's names."""
        broker, epoch = self.simulator.broker, self.simulator.epoch
        with _service_errors(queue.name):
            return await self.simulator.call(
                "attributes", _key(queue), lambda now: broker.attributes(_key(queue), now, epoch=epoch)
            )

    def limit_in_flight(self, queue: Queue, most: int = IN_FLIGHT) -> None:
        """Allow only *most* messages of this queue in flight, so that a test need not send 120,000."""
        self.simulator.broker.stored(_key(queue), self.clock.now()).in_flight_limit = most

    def bodies(self, queue: Queue) -> list[str]:
        """Return the bodies of all messages of the queue, oldest first, without receiving them."""
        stored = self.simulator.broker.stored(_key(queue), self.clock.now())
        return [message.content.body for message in stored.messages]

    def _delivery(self, queue: Queue, receipt: Receipt, asked_at: float) -> Delivery:
        return Delivery(
            queue=queue,
            message_id=receipt.message_id,
            handle=receipt.handle,
            body=receipt.content.body,
            receives=receipt.receives,
            sent_at=datetime.fromtimestamp(self.simulator.epoch + receipt.sent_at, UTC),
            asked_at=asked_at,
            attributes={
                name: attribute.value
                for name, attribute in receipt.content.attributes.items()
                if attribute.kind == "String" and isinstance(attribute.value, str)
            },
            group=receipt.content.group,
            typed={
                name: Typed(attribute.kind, attribute.value)
                for name, attribute in receipt.content.attributes.items()
                if attribute.kind != "String"
            },
            xray=receipt.content.trace,
        )


@contextmanager
def _service_errors(subject: str) -> Generator[None]:
    try:
        yield
    except Refusal as refusal:
        fault = fault_of(refusal.code, refusal.message)
        detail = f"{subject}: {reason_of(refusal.code)}"
        raise ServiceError("SQS", fault, detail, refusal.code) from refusal
    except ResponseLost as lost:
        raise ServiceError("SQS", Fault.TRANSIENT, f"{subject}: {lost.effect!r}") from lost


def _key(queue: Queue) -> str:
    """Return what the broker keeps *queue* by."""
    if queue.url.startswith(URL) or not queue.url.startswith(ROOT):
        return queue.name
    return queue.url.removeprefix(ROOT)


def _queue(stored: StoredQueue) -> Queue:
    redrive = stored.redrive
    return Queue(
        name=queue_name(stored.name),
        url=ROOT + path_of(stored.name),
        visibility=float(stored.setting("VisibilityTimeout")),
        max_bytes=stored.setting("MaximumMessageSize"),
        fifo=stored.fifo,
        dead_letters=queue_name(redrive.target) if redrive else None,
        max_receives=redrive.max_receives if redrive else None,
        dead_letters_arn=redrive.arn if redrive else None,
    )


def _content(message: Outgoing) -> MessageContent:
    attributes = {name: MessageAttribute("String", value) for name, value in message.attributes.items()}
    attributes |= {name: MessageAttribute(it.kind, it.value) for name, it in message.typed.items()}
    return MessageContent(message.body, attributes, message.group, message.deduplication)


def _ids(entries: Sequence[object]) -> list[str]:
    return [str(position) for position in range(len(entries))]


def _failure(outcome: object) -> Failure | None:
    return (
        Failure(outcome.code, outcome.sender_fault, outcome.message) if isinstance(outcome, Refusal) else None
    )
