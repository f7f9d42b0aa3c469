"""Deliveries in hand, and the one heartbeat that keeps them invisible to others."""

import logging
import time
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from anyio import (
    TASK_STATUS_IGNORED,
    CancelScope,
    CapacityLimiter,
    Event,
    create_task_group,
    current_time,
    move_on_after,
    sleep,
)
from anyio.abc import TaskStatus

from streamapp.errors import Fault, ServiceError
from streamapp.flow.expected_items import ExpectedItems
from streamapp.flow.wakeup import Wakeup
from streamapp.messages import Delivery, Queue
from streamapp.observe.counters import Counters
from streamapp.observe.quiet_log import QuietLog
from streamapp.pipeline.rights import Rights
from streamapp.pipeline.tokens import Tokens
from streamapp.sqs.client import BATCH, MAX_VISIBILITY, Failure, Sqs, failure_of
from streamapp.sqs.queue_flaws import lease_of
from streamapp_codecs import Decoded

logger = logging.getLogger(__name__)

REMEMBERED = 10_000
"""Messages remembered as done though their delete failed, so that a redelivery is only deleted. As many are remembered
with the attempts that were made on them."""

MARGIN = 60.0
"""Seconds before SQS's limit of 12 h at which a message is let go."""

PARALLEL = 16
"""Heartbeat calls under way at once: half of the client's connections, so that deletes find some free."""


@dataclass(slots=True, eq=False)
class Lease:
    """One delivery that this worker keeps invisible to others; *handle* is the newest one of its message.

    *scope* is what to cancel if the lease is lost while an agent works on the message. *was_processed*: the message was
    processed before, and only its delete failed. *awaits_delete* once nothing is left but its delete. *decoded* is what
    the codec made of its body; *received_at* and *begun_at*, when an agent took it, are Unix times for people.

    *attempts* counts the attempts that an agent has begun on the message alone. With *is_assumed* some of them are only
    assumed: receives of which this process does not know what became of them. *is_lent*: its token is lent to others
    while it waits for another message of its group, or for its next attempt.
    """

    delivery: Delivery
    handle: str
    expires_at: float
    scope: CancelScope | None = field(default=None)
    is_lost: bool = False
    was_processed: bool = False
    awaits_delete: bool = False
    decoded: Decoded[object] | None = None
    received_at: float = field(default_factory=time.time)
    begun_at: float | None = None
    attempts: int = 0
    is_assumed: bool = False
    is_lent: bool = False


class Leases:
    """All deliveries of one queue from their receipt to their end, also those that wait for an agent.

    Each is leased for *seconds*, from its receipt and at each extension, whatever the queue's visibility timeout is by
    then. *unfinished* counts the deliveries of all queues of a worker that may still have something to send.
    """

    def __init__(
        self,
        sqs: Sqs,
        queue: Queue,
        tokens: Tokens,
        counters: Counters,
        unfinished: ExpectedItems | None = None,
        *,
        seconds: int | None = None,
    ) -> None:
        self._sqs = sqs
        self._queue = queue
        self.rights = Rights(sqs, queue)
        self.seconds = lease_of(queue) if seconds is None else seconds
        self._tokens = tokens
        self._counters = counters
        self._held: dict[str, Lease] = {}
        self._unfinished = unfinished or ExpectedItems(0)
        self.held = ExpectedItems(0)
        """How many deliveries are in hand, for batches of their ends."""
        self._done: OrderedDict[str, None] = OrderedDict()
        self._tried: OrderedDict[str, tuple[int, int]] = OrderedDict()
        self._calls = CapacityLimiter(PARALLEL)
        self._flying: dict[Lease, Event] = {}
        self._is_failing = False
        self._quiet_log = QuietLog(logger)
        self._progress = Wakeup()

    def __len__(self) -> int:
        """How many deliveries are in hand."""
        return len(self._held)

    @property
    def has_unfinished(self) -> bool:
        """Whether there is more to do for one of them than its delete."""
        return any(not it.awaits_delete for it in self._held.values())

    @property
    def places(self) -> int:
        """How many deliveries may be in hand at most."""
        return self._tokens.total

    def oldest(self) -> float | None:
        """Return the Unix time at which the oldest message in hand was sent."""
        return min((it.delivery.sent_at.timestamp() for it in self._held.values()), default=None)

    def take(self, delivery: Delivery) -> Lease | None:
        """Return a new lease. If the message is in hand already, give its lease the new handle, and return None."""
        expires_at = delivery.asked_at + self.seconds
        held = self._held.get(delivery.message_id)
        if held is not None:
            held.handle, held.expires_at = delivery.handle, expires_at
            return None
        lease = Lease(delivery, delivery.handle, expires_at, was_processed=delivery.message_id in self._done)
        if delivery.receives > 1:
            attempts, receives = self._tried.get(delivery.message_id, (0, 0))
            # What others received may have been an attempt: after a crash the receive count is all that is known.
            assumed = max(0, delivery.receives - receives - 1)
            lease.attempts, lease.is_assumed = attempts + assumed, assumed > 0
        self._held[delivery.message_id] = lease
        self.held.expected += 1
        self._unfinished.expected += 1
        return lease

    def finish(self, lease: Lease) -> None:
        """Note that only the delete is left to do; if the lease is lost now, no agent is cancelled."""
        lease.scope = None
        if not lease.awaits_delete:
            lease.awaits_delete = True
            self._unfinished.expected -= 1

    def end(self, lease: Lease) -> None:
        """Stop extending and return the token: the message is deleted, or about to be given back."""
        self.finish(lease)
        if self._held.get(lease.delivery.message_id) is lease:
            del self._held[lease.delivery.message_id]
            self.held.expected -= 1
            if not lease.is_lent:
                self._tokens.give()
            if self._is_failing:
                self._progress.ring()

    def note_attempts(self, lease: Lease) -> None:
        """Remember how many attempts were made on a message that comes again."""
        self._tried[lease.delivery.message_id] = (lease.attempts, lease.delivery.receives)
        if len(self._tried) > REMEMBERED:
            self._tried.popitem(last=False)

    def forget_attempts(self, lease: Lease) -> None:
        """Forget the attempts on a message that is deleted."""
        if self._tried:
            self._tried.pop(lease.delivery.message_id, None)

    async def out_of_beat(self, lease: Lease) -> None:
        """Return when no call of the heartbeat that is under way contains *lease*, which has ended."""
        if lease in self._flying:
            await self._flying[lease].wait()

    async def on_time(self, within: float) -> None:
        """Return once no lease will end within so many seconds because extensions fail.

        A poll that is open at that time would receive the message again, which counts as one more receive.
        """
        while self._is_failing and self._ends_before(current_time() + within):
            await self._progress.wait()

    def _ends_before(self, when: float) -> bool:
        return any(lease.expires_at <= when for lease in self._held.values())

    def remember(self, lease: Lease) -> None:
        """Note that this message was processed although its delete failed."""
        self._done[lease.delivery.message_id] = None
        if len(self._done) > REMEMBERED:
            self._done.popitem(last=False)

    async def run(self, *, task_status: TaskStatus[None] = TASK_STATUS_IGNORED) -> None:
        """Extend each lease when at most half of it is left; until cancelled."""
        async with create_task_group() as beats:
            task_status.started()
            while True:
                # A tenth of it leaves five tries before a lease ends.
                await sleep(min(max(self.seconds / 10, 0.25), 5.0))
                # A call that hangs keeps no other lease waiting.
                beats.start_soon(self.beat, name=f"beat {self._queue.name}")

    async def beat(self) -> None:
        """Extend the leases that are due now, except those in a call that is under way."""
        due = self._due(current_time())
        async with create_task_group() as calls:
            for start in range(0, len(due), BATCH):
                some, over = due[start : start + BATCH], Event()
                self._flying.update(dict.fromkeys(some, over))
                calls.start_soon(self._fly, some, over, name=f"extend {self._queue.name}")

    def _due(self, now: float) -> list[Lease]:
        half = self.seconds / 2
        return [
            lease
            for lease in self._held.values()
            if lease.expires_at - now <= half and lease not in self._flying
        ]

    async def _fly(self, leases: list[Lease], over: Event) -> None:
        try:
            async with self._calls:
                await self._extend([it for it in leases if self._held.get(it.delivery.message_id) is it])
        finally:
            for lease in leases:
                del self._flying[lease]
            over.set()

    async def _extend(self, leases: list[Lease]) -> None:
        now = current_time()
        changes = [(lease.handle, seconds_left(lease, self.seconds, now)) for lease in leases]
        self._let_go(lease for lease, (_, seconds) in zip(leases, changes, strict=True) if seconds <= 0)
        leases = [lease for lease, (_, seconds) in zip(leases, changes, strict=True) if seconds > 0]
        changes = [change for change in changes if change[1] > 0]
        if not changes:
            return
        outcomes = await self._change(changes)
        # Without outcomes the next beat tries again; a handle stays good until somebody else receives.
        for lease, (handle, seconds), outcome in zip(leases, changes, outcomes, strict=bool(outcomes)):
            self._extended(lease, handle, now + seconds, outcome)

    async def _change(self, changes: list[tuple[str, int]]) -> Sequence[Failure | None]:
        """Change visibility, and return each outcome; nothing if the whole call failed."""
        # A sixth of the lease, so that a call that hangs leaves time for two more.
        with move_on_after(max(self.seconds / 6, 1.0)):
            try:
                outcomes = await self._sqs.change_visibility(self._queue, changes)
            except ServiceError as error:
                self.rights.note("ChangeMessageVisibility", [failure_of(error)])
                self._note(error.detail, is_failing=error.heals)
                return []
            self.rights.note("ChangeMessageVisibility", outcomes)
            self._note(None, is_failing=False)
            return outcomes
        self._note("no response", is_failing=True)
        return []

    def _note(self, failure: str | None, *, is_failing: bool) -> None:
        self._is_failing = is_failing
        self._progress.ring()
        if failure is not None:
            about = self._about(failure)
            self._quiet_log.log(logging.WARNING, "leases could not be extended", failure, **about)

    def _extended(self, lease: Lease, handle: str, until: float, outcome: Failure | None) -> None:
        if outcome is None:
            if lease.handle == handle:
                lease.expires_at = until
        elif (outcome.fault is Fault.LEASE_LOST or outcome.is_final) and lease.handle == handle:
            self._let_go([lease])

    def _let_go(self, leases: Iterable[Lease]) -> None:
        for lease in list(leases):
            if self._held.get(lease.delivery.message_id) is not lease:
                continue
            lease.is_lost = True
            self.note_attempts(lease)
            self._counters.add(self._queue.name, "lost")
            about = self._about(lease.delivery.message_id)
            self._quiet_log.log(logging.INFO, "a lease was lost", "", **about)
            if lease.scope is not None:
                lease.scope.cancel("the lease of its message was lost")
            self.end(lease)

    def _about(self, detail: str) -> dict[str, object]:
        return {"queue": self._queue.name, "detail": detail}


def seconds_left(lease: Lease, seconds: float, now: float) -> int:
    """Return for how many seconds a lease may be extended; 0 or less when SQS's limit of 12 h is near."""
    age = now - lease.delivery.asked_at
    if age > MAX_VISIBILITY - MARGIN:
        return 0
    return max(1, int(min(seconds, MAX_VISIBILITY - age - 5)))
