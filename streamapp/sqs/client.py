"""The interface to SQS: the few calls that everything else is made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from streamapp.errors import Fault, ServiceError
from streamapp.messages import Delivery, Outgoing, Queue
from streamapp.sqs.faults import fault_of, heals_by_itself

BATCH = 10
"""Entries that a batch call may carry, and messages that a receive may return: SQS's own limit."""

SYSTEM_ATTRIBUTES = ("ApproximateReceiveCount", "SentTimestamp", "MessageGroupId", "AWSTraceHeader")
"""What a receive asks SQS to return with each message."""

MAX_ATTRIBUTES = 10
"""Attributes that a message may carry: SQS's own limit."""

MAX_VISIBILITY = 43_200
"""Seconds that a message may stay invisible in all, counted from its receipt: SQS's own limit of 12 h."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why SQS refused one entry of a batch. *sender_fault*: the entry itself is wrong and will never succeed.

    *message* is SQS's own text. It helps to classify the failure; it may quote the entry, so it is never shown.
    *known_fault* is its class where the call as a whole failed, which has one already.
    """

    code: str
    sender_fault: bool = False
    message: str = field(default="", compare=False)
    known_fault: Fault | None = field(default=None, compare=False)

    @property
    def fault(self) -> Fault:
        """The class of this failure."""
        return fault_of(self.code, self.message) if self.known_fault is None else self.known_fault

    @property
    def is_final(self) -> bool:
        """Whether the same entry will never succeed.

        An outage is not final, even if SQS calls it the sender's fault: the key, the rights or the credentials of the
        queue are wrong, or SQS or the key service throttles.
        """
        fault = self.fault
        return fault is Fault.SENDER or (
            self.sender_fault and fault not in _OUTAGES and not heals_by_itself(self.code)
        )

    @property
    def is_refused_right(self) -> bool:
        """Whether the worker's role lacks the right to this call, or to the queue's key."""
        return self.fault is Fault.CONFIGURATION and "Queue" not in self.code


_OUTAGES = frozenset({Fault.CONFIGURATION, Fault.CREDENTIALS, Fault.CAPACITY})


def failure_of(error: ServiceError, *, sender_fault: bool = False) -> Failure:
    """Return the outcome of each entry of a batch whose call failed as a whole with *error*."""
    return Failure(error.code or error.fault.name, sender_fault, known_fault=error.fault)


class Sqs(Protocol):
    """SQS, or something that keeps its rules.

    Every call raises only `ServiceError`. The three batch calls take 1..10 entries and return one outcome an
    entry, in order (None: done). They raise only when the call as a whole failed.
    """

    async def find(self, name: str) -> Queue:
        """Return the queue of this name or URL; a missing queue is a CONFIGURATION fault."""
        ...

    async def receive(
        self, queue: Queue, *, limit: int, wait: float, visibility: int | None = None
    ) -> list[Delivery]:
        """Wait up to *wait* seconds (0..20) for 1..10 messages; return as soon as there is one.

        They are invisible to others for *visibility* seconds (0..43,200), None: as long as the queue says.
        """
        ...

    async def send(self, queue: Queue, messages: Sequence[Outgoing]) -> list[Failure | None]:
        """Send messages."""
        ...

    async def delete(self, queue: Queue, handles: Sequence[str]) -> list[Failure | None]:
        """Delete messages by receipt handle. Success proves nothing: SQS may accept a stale handle and do nothing."""
        ...

    async def change_visibility(
        self, queue: Queue, changes: Sequence[tuple[str, int]]
    ) -> list[Failure | None]:
        """Make the message of each (handle, seconds) visible again that many seconds from now."""
        ...

    async def create(self, name: str, attributes: Mapping[str, str]) -> Queue:
        """Create the queue, or set these attributes (SQS's names) of an existing one."""
        ...

    async def attributes(self, queue: Queue) -> dict[str, str]:
        """Return all attributes of the queue, by SQS's names."""
        ...
