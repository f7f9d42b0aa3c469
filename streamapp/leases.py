"""Deliveries in hand, and the one heartbeat that keeps them invisible to others."""

import logging
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field

from anyio import TASK_STATUS_IGNORED, CancelScope, Event, current_time, sleep
from anyio.abc import TaskStatus

from streamapp.delivery import Delivery, Queue
from streamapp.errors import Fault, ServiceError
from streamapp.sqs import BATCH, MAX_VISIBILITY, Failure, Sqs
from streamapp.tally import Tally

logger = logging.getLogger(__name__)

REMEMBERED = 10_000
"""Messages remembered as done though their delete failed, so that a redelivery is only deleted."""

MARGIN = 60.0
"""Seconds before SQS's limit of 12 h at which a message is let go."""


class Tokens:
    """Permissions for messages in hand; whoever polls takes first and gives back what it did not use."""

    def __init__(self, total: int) -> None:
        self.total = total
        self._free = total
        self._given = Event()

    async def take(self, most: int) -> int:
        """Answer how many of 1..*most* were taken; waits for the first."""
        while self._free <= 0:
            if self._given.is_set():  # else others wait for it already
                self._given = Event()
            await self._given.wait()
        taken = min(self._free, most)
        self._free -= taken
        return taken

    def give(self, number: int = 1) -> None:
        """Give *number* back."""
        self._free += number
        self._given.set()


@dataclass(slots=True, eq=False)
class Lease:
    """Our promise to keep one delivery invisible; *handle* is the newest one of its message.

    *scope* is what to cancel should the lease be lost while an agent works on the message.
    """

    delivery: Delivery
    handle: str
    expires_at: float
    scope: CancelScope | None = field(default=None)
    is_lost: bool = False


class Leases:
    """All deliveries of one queue from receipt to settle, buffered ones included."""

    def __init__(self, sqs: Sqs, queue: Queue, tokens: Tokens, tally: Tally) -> None:
        self._sqs = sqs
        self._queue = queue
        self._tokens = tokens
        self._tally = tally
        self._held: dict[str, Lease] = {}
        self._done: OrderedDict[str, None] = OrderedDict()
        self._beat: frozenset[Lease] = frozenset()
        self._beat_is_over = Event()

    def __len__(self) -> int:
        """How many deliveries are in hand."""
        return len(self._held)

    def take(self, delivery: Delivery) -> Lease | None:
        """Answer a new lease, or None where this message is in hand already: it then keeps the newest handle."""
        expires_at = delivery.asked_at + self._queue.visibility
        held = self._held.get(delivery.message_id)
        if held is not None:
            held.handle, held.expires_at = delivery.handle, expires_at
            return None
        lease = Lease(delivery, delivery.handle, expires_at)
        self._held[delivery.message_id] = lease
        return lease

    def end(self, lease: Lease) -> None:
        """Stop extending and return the token: the message is settled, or about to be given back."""
        lease.scope = None
        if self._held.get(lease.delivery.message_id) is lease:
            del self._held[lease.delivery.message_id]
            self._tokens.give()

    async def out_of_beat(self, lease: Lease) -> None:
        """Return when no call of the heartbeat that is under way speaks of *lease*, which has ended."""
        while lease in self._beat:
            await self._beat_is_over.wait()

    def remember(self, lease: Lease) -> None:
        """Note that this message is done although its delete failed."""
        self._done[lease.delivery.message_id] = None
        if len(self._done) > REMEMBERED:
            self._done.popitem(last=False)

    def is_done(self, delivery: Delivery) -> bool:
        """Whether this message was done before, so that only its delete is missing."""
        return delivery.message_id in self._done

    async def run(self, *, task_status: TaskStatus[None] = TASK_STATUS_IGNORED) -> None:
        """Extend what is in hand, for ever: each lease when at most half of the visibility timeout is left."""
        task_status.started()
        while True:
            # A tenth of the timeout leaves five tries before a lease ends.
            await sleep(min(max(self._queue.visibility / 10, 0.25), 5.0))
            await self.beat()

    async def beat(self) -> None:
        """Extend what is due now."""
        due = self._due(current_time())
        for start in range(0, len(due), BATCH):
            await self._extend(due[start : start + BATCH])

    def _due(self, now: float) -> list[Lease]:
        half = self._queue.visibility / 2
        return [lease for lease in self._held.values() if lease.expires_at - now <= half]

    async def _extend(self, leases: list[Lease]) -> None:
        now = current_time()
        changes = [(lease.handle, seconds_left(lease, self._queue.visibility, now)) for lease in leases]
        self._let_go(lease for lease, (_, seconds) in zip(leases, changes, strict=True) if seconds <= 0)
        leases = [lease for lease, (_, seconds) in zip(leases, changes, strict=True) if seconds > 0]
        changes = [change for change in changes if change[1] > 0]
        if not changes:
            return
        self._beat, self._beat_is_over = frozenset(leases), Event()
        try:
            outcomes = await self._sqs.change_visibility(self._queue, changes)
        except ServiceError as error:
            # The next beat tries again; a handle stays good, past its expiry too, until somebody else receives.
            logger.warning("leases could not be extended", extra=self._about(error.detail))
            return
        finally:
            self._beat = frozenset()
            self._beat_is_over.set()
        for lease, (handle, seconds), outcome in zip(leases, changes, outcomes, strict=True):
            self._extended(lease, handle, now + seconds, outcome)

    def _extended(self, lease: Lease, handle: str, until: float, outcome: Failure | None) -> None:
        if outcome is None:
            if lease.handle == handle:
                lease.expires_at = until
        elif (outcome.fault is Fault.LEASE_LOST or outcome.sender_fault) and lease.handle == handle:
            self._let_go([lease])

    def _let_go(self, leases: Iterable[Lease]) -> None:
        for lease in list(leases):
            if self._held.get(lease.delivery.message_id) is not lease:
                continue
            lease.is_lost = True
            self._tally.add(self._queue.name, "lost")
            logger.info("a lease was lost", extra=self._about(lease.delivery.message_id))
            if lease.scope is not None:
                lease.scope.cancel("the lease of its message was lost")
            self.end(lease)

    def _about(self, detail: str) -> dict[str, object]:
        return {"queue": self._queue.name, "detail": detail}


def seconds_left(lease: Lease, visibility: float, now: float) -> int:
    """Answer for how many seconds a lease may be extended; 0 or less when SQS's limit of 12 h is near."""
    age = now - lease.delivery.asked_at
    if age > MAX_VISIBILITY - MARGIN:
        return 0
    return max(1, int(min(visibility, MAX_VISIBILITY - age - 5)))
