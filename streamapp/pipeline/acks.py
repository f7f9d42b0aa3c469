"""Tell SQS what became of deliveries, ten at a time: deleted, or given back; what fails goes again."""

import logging
from collections.abc import Sequence

from anyio import Event, current_time, move_on_after, sleep

from streamapp.errors import Fault, ServiceError
from streamapp.flow.backoff import Backoff
from streamapp.flow.batcher import Batcher
from streamapp.messages import Queue
from streamapp.observe.counters import Counters
from streamapp.observe.quiet_log import QuietLog
from streamapp.pipeline.handoff import Handoff
from streamapp.pipeline.leases import Lease, Leases
from streamapp.sqs.client import BATCH, MAX_VISIBILITY, Failure, Sqs, failure_of

logger = logging.getLogger(__name__)

LINGER = 0.02
"""Seconds that deletes and releases wait for company; nobody waits for them."""

AGAIN = Backoff(first=0.2, longest=1.0)
"""Before each further try of a delete or a release that failed."""

TRIES = 4
"""How often a delete or a release is tried in a row: for about a second. A delete is then tried less often; what cannot be
given back is brought again by SQS when its visibility timeout ends."""

LATER = Backoff(first=1.0, longest=10.0)
"""Before each try of a delete after these."""


class Acks:
    """The deletes and releases of one queue; nobody waits for them.

    When a delivery ends here, its lease ends too. What waits behind it in its group then goes on, or is given back as well.
    """

    def __init__(self, sqs: Sqs, queue: Queue, leases: Leases, handoff: Handoff, counters: Counters) -> None:
        # On a FIFO queue the next of the group waits for the delete, so that does not wait for company.
        self.deletes: Batcher[Lease, None] = Batcher(
            self._delete,
            name=f"delete {queue.name}",
            limit=BATCH,
            linger=0.0 if queue.fifo else LINGER,
            expected_items=leases.held,
            parallel=4,
        )
        self.releases: Batcher[tuple[Lease, float], None] = Batcher(
            self._release, name=f"release {queue.name}", limit=BATCH, linger=LINGER, parallel=4
        )
        self._sqs = sqs
        self._queue = queue
        self._leases = leases
        self._handoff = handoff
        self._counters = counters
        self._quiet_log = QuietLog(logger)
        self._hurried = Event()

    def hurry(self) -> None:
        """Wait no longer for the right to delete: the worker drains."""
        self._hurried.set()
        self._leases.rights.hurry()

    @property
    def places(self) -> int:
        """How many messages may be in hand at most."""
        return self._leases.places

    def delete(self, lease: Lease) -> None:
        """Delete the message, with others in one call. If its lease is lost from here on, its agent is not cancelled any more."""
        self._leases.finish(lease)
        self.deletes.post(lease)

    def release(self, lease: Lease, after: float = 0.0) -> None:
        """Give the message back; it and those behind it in its group come again after *after* seconds."""
        if not lease.is_lost:
            self._counters.add(self._queue.name, "released")
        self.give_back(lease, after)

    def give_back(self, lease: Lease, after: float) -> None:
        """Do what `release` does, for a message that is counted as something else, such as a retry."""
        if not lease.is_lost:
            self._leases.note_attempts(lease)
            # First, or a heartbeat could overwrite the pause.
            self._leases.end(lease)
            self.releases.post((lease, after))
        for follower in self._handoff.give_up(lease):
            self.release(follower, after)

    async def _delete(self, leases: list[Lease]) -> Sequence[None]:
        """Delete the messages. One whose delete fails keeps its lease, and is deleted when that works, until the worker drains.

        To end the lease would bring it again for nothing, until SQS dead-letters what is done. If its queue is gone, no
        later try would do.
        """
        waiting, failures = leases, 0
        while waiting:
            if failures:
                await self._pause(failures)
            handles = [lease.handle for lease in waiting]
            outcomes = await self._try_delete(handles)
            waiting, hopeless = self._end_deleted(waiting, handles, outcomes)
            rights = self._leases.rights
            is_refused = bool(any(outcomes) or rights.refused) and rights.note("DeleteMessage", outcomes)
            if is_refused and waiting and not self._hurried.is_set():
                await rights.change()
                lost = [lease for lease in waiting if lease.is_lost]
            else:
                failures += 1
                is_over = failures >= TRIES
                lost = [
                    lease
                    for lease in waiting
                    if is_over and (lease.is_lost or lease in hopeless or self._hurried.is_set())
                ]
            if lost:
                self._give_up(lost)
                waiting = [lease for lease in waiting if lease not in lost]
            if failures == TRIES:
                for lease in waiting:
                    self._warn("a delete fails; it is tried until it works", lease)
        return [None] * len(leases)

    def _end_deleted(
        self, leases: Sequence[Lease], handles: Sequence[str], outcomes: Sequence[Failure | None]
    ) -> tuple[list[Lease], set[Lease]]:
        """End what is deleted or never will be. Return what is to be tried again, and those of it whose queue is gone."""
        again: list[Lease] = []
        hopeless: set[Lease] = set()
        for lease, handle, failure in zip(leases, handles, outcomes, strict=True):
            # One that came again meanwhile is there still: the delete of an old handle does nothing.
            if _may_heal(failure) or lease.handle != handle:
                again.append(lease)
                if failure is not None and failure.fault is Fault.CONFIGURATION:
                    hopeless.add(lease)
            else:
                if failure is not None and failure.fault is not Fault.LEASE_LOST:
                    self._leases.remember(lease)
                self._end(lease, is_gone=failure is None)
        return again, hopeless

    async def _pause(self, failures: int) -> None:
        """Wait before the next try; no longer once the worker drains."""
        if failures < TRIES:
            await sleep(AGAIN.pause(failures))
        else:
            with move_on_after(LATER.pause(failures - TRIES + 1)):
                await self._hurried.wait()

    def _give_up(self, leases: Sequence[Lease]) -> None:
        """End leases whose messages are done and yet not deleted."""
        for lease in leases:
            self._warn("a delete failed", lease)
            self._leases.remember(lease)
            self._end(lease, is_gone=False)

    def _end(self, lease: Lease, *, is_gone: bool) -> None:
        """End the lease. The next of its group follows, unless the message of *lease* comes again before it."""
        if is_gone:
            self._leases.forget_attempts(lease)
        self._leases.end(lease)
        for left in self._handoff.done(lease) if is_gone else self._handoff.give_up(lease):
            self.release(left)

    async def _try_delete(self, handles: list[str]) -> list[Failure | None]:
        try:
            return await self._sqs.delete(self._queue, handles)
        except ServiceError as error:
            return [failure_of(error)] * len(handles)
        except Exception as error:
            # A bug, of a client's or ours: the leases must end all the same, or they are extended for hours.
            logger.exception("a delete broke", extra={"queue": self._queue.name})
            return [Failure(type(error).__name__, sender_fault=True)] * len(handles)

    async def _release(self, releases: list[tuple[Lease, float]]) -> Sequence[None]:
        for lease, _ in releases:
            # An extension that reaches SQS after the release would hide the message again.
            await self._leases.out_of_beat(lease)
        waiting = releases
        for failures in range(1, TRIES + 1):
            outcomes = await self._try_release(waiting)
            self._leases.rights.note("ChangeMessageVisibility", outcomes)
            waiting = [each for each, failure in zip(waiting, outcomes, strict=True) if _may_heal(failure)]
            if not waiting or failures == TRIES:
                break
            await sleep(AGAIN.pause(failures))
        for lease, _ in waiting:
            # Nothing is lost: it comes back when its visibility timeout ends.
            self._warn("a message could not be given back", lease)
        return [None] * len(releases)

    def _warn(self, sentence: str, lease: Lease) -> None:
        # Under load an outage of SQS is a hundred such messages a second.
        about = {"queue": self._queue.name, "message_id": lease.delivery.message_id}
        self._quiet_log.log(logging.WARNING, sentence, self._queue.name, **about)

    async def _try_release(self, releases: list[tuple[Lease, float]]) -> list[Failure | None]:
        now = current_time()
        changes = [(lease.handle, _hidden_for(lease, after, now)) for lease, after in releases]
        try:
            return await self._sqs.change_visibility(self._queue, changes)
        except ServiceError as error:
            return [failure_of(error)] * len(releases)


def _hidden_for(lease: Lease, after: float, now: float) -> int:
    """Return *after* in the form that SQS accepts: whole seconds, and at most 12 h since the receipt."""
    longest = MAX_VISIBILITY - 5 - (now - lease.delivery.asked_at)
    return round(max(0.0, min(longest, after)))


def _may_heal(failure: Failure | None) -> bool:
    return failure is not None and not failure.is_final and failure.fault is not Fault.LEASE_LOST
