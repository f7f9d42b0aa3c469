"""What streamapp asks of SQS: the few calls that everything else is made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from streamapp.errors import Fault
from streamapp.messages import Delivery, Outgoing, Queue
from streamapp.sqs.faults import fault_of

BATCH = 10
"""Entries a batch call may carry, and messages a receive may bring: SQS's own limit."""

SYSTEM_ATTRIBUTES = ("ApproximateReceiveCount", "SentTimestamp", "MessageGroupId", "AWSTraceHeader")
"""What a receive asks SQS to tell of each message."""

MAX_ATTRIBUTES = 10
"""Attributes that a message may carry: SQS's own limit."""

MAX_VISIBILITY = 43_200
"""Seconds that a message may stay invisible in all, counted from its receipt: SQS's own limit of 12 h."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why SQS refused one entry of a batch. *sender_fault*: the entry itself is wrong and will never succeed.

    *message* is SQS's own text, which may quote the entry: it helps to classify, and is never shown.
    """

    code: str
    sender_fault: bool = False
    message: str = field(default="", compare=False)

    @property
    def fault(self) -> Fault:
        """The class of this failure."""
        return fault_of(self.code, self.message)

    @property
    def is_final(self) -> bool:
        """Whether the same entry will never succeed; to be throttled is no fault of it, whatever the answer says."""
        fault = self.fault
        return fault is Fault.SENDER or (self.sender_fault and "Throttl" not in self.code)


class Sqs(Protocol):
    """SQS, or something that keeps its rules.

    Every call raises only `ServiceError`. The three batch calls take 1..10 entries, answer one outcome an
    entry, in order (None: done), and raise only when the call as a whole failed.
    """

    async def find(self, name: str) -> Queue:
        """Return the queue of this name or URL; a missing one is a CONFIGURATION fault."""
        ...

    async def receive(self, queue: Queue, *, limit: int, wait: float) -> list[Delivery]:
        """Long-poll for 1..10 messages for *wait* seconds (0..20); answer as soon as there is one."""
        ...

    async def send(self, queue: Queue, messages: Sequence[Outgoing]) -> list[Failure | None]:
        """Send messages."""
        ...

    async def delete(self, queue: Queue, handles: Sequence[str]) -> list[Failure | None]:
        """Delete messages by receipt handle. Success is no proof: a stale handle may succeed and do nothing."""
        ...

    async def change_visibility(
        self, queue: Queue, changes: Sequence[tuple[str, int]]
    ) -> list[Failure | None]:
        """Let each message of (handle, seconds) come back that many seconds from now."""
        ...

    async def create(self, name: str, attributes: Mapping[str, str]) -> Queue:
        """Create the queue, or set these attributes (SQS's names) of one that is there."""
        ...

    async def attributes(self, queue: Queue) -> dict[str, str]:
        """Return all queue attributes, by SQS's names."""
        ...
