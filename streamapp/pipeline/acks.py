"""Tell SQS what became of deliveries, ten at a time: deleted, or given back; what fails goes again."""

import logging
from collections.abc import Callable, Sequence

from anyio import current_time, sleep

from streamapp.errors import Fault, ServiceError
from streamapp.flow.batcher import Batcher
from streamapp.messages import Queue
from streamapp.observe.quiet_log import QuietLog
from streamapp.pipeline.leases import Lease, Leases
from streamapp.sqs.client import BATCH, MAX_VISIBILITY, Failure, Sqs

logger = logging.getLogger(__name__)

LINGER = 0.02
"""Seconds that deletes and releases wait for company; nobody waits for them."""

PAUSES = (0.1, 0.25, 0.5)
"""Seconds before each further try of a delete or a release that failed."""


class Acks:
    """The deletes and releases of one queue; nobody waits for them.

    *deleted* is called once a delete is over and the lease has ended, with whether the message is gone; if not, it
    comes again.
    """

    def __init__(
        self, sqs: Sqs, queue: Queue, leases: Leases, deleted: Callable[[Lease, bool], None]
    ) -> None:
        # On a FIFO queue the next of the group waits for the delete, so that does not wait for company.
        self.deletes: Batcher[Lease, None] = Batcher(
            self._delete,
            name=f"delete {queue.name}",
            limit=BATCH,
            linger=0.0 if queue.fifo else LINGER,
            in_hand=lambda: len(leases),
            parallel=4,
        )
        self.releases: Batcher[tuple[Lease, float], None] = Batcher(
            self._release, name=f"release {queue.name}", limit=BATCH, linger=LINGER, parallel=4
        )
        self._sqs = sqs
        self._queue = queue
        self._leases = leases
        self._deleted = deleted
        self._quiet_log = QuietLog(logger)

    async def _delete(self, leases: list[Lease]) -> Sequence[None]:
        waiting = leases
        for pause in (*PAUSES, None):
            handles = [lease.handle for lease in waiting]
            outcomes = await self._try_delete(handles)
            again: list[Lease] = []
            for lease, handle, failure in zip(waiting, handles, outcomes, strict=True):
                # One that came again meanwhile is there still: the delete of an old handle does nothing.
                if _may_heal(failure) or lease.handle != handle:
                    again.append(lease)
                else:
                    self._end(lease, is_gone=failure is None)
            waiting = again
            if not waiting or pause is None:
                break
            await sleep(pause)
        for lease in waiting:
            self._warn("a delete failed", lease)
            self._leases.remember(lease)
            self._end(lease, is_gone=False)
        return [None] * len(leases)

    def _end(self, lease: Lease, *, is_gone: bool) -> None:
        self._leases.end(lease)
        self._deleted(lease, is_gone)

    async def _try_delete(self, handles: list[str]) -> list[Failure | None]:
        try:
            return await self._sqs.delete(self._queue, handles)
        except ServiceError as error:
            return [Failure(error.detail)] * len(handles)
        except Exception as error:
            # A bug, of a client's or ours: the leases must end all the same, or they are extended for hours.
            logger.exception("a delete broke", extra={"queue": self._queue.name})
            return [Failure(type(error).__name__)] * len(handles)

    async def _release(self, releases: list[tuple[Lease, float]]) -> Sequence[None]:
        for lease, _ in releases:
            # An extension that SQS hears after the release would hide the message again.
            await self._leases.out_of_beat(lease)
        waiting = releases
        for pause in (*PAUSES, None):
            outcomes = await self._try_release(waiting)
            waiting = [each for each, failure in zip(waiting, outcomes, strict=True) if _may_heal(failure)]
            if not waiting or pause is None:
                break
            await sleep(pause)
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
            return [Failure(error.detail)] * len(releases)


def _hidden_for(lease: Lease, after: float, now: float) -> int:
    """Return *after* as SQS takes it: whole seconds, and at most 12 h since the receipt."""
    longest = MAX_VISIBILITY - 5 - (now - lease.delivery.asked_at)
    return round(max(0.0, min(longest, after)))


def _may_heal(failure: Failure | None) -> bool:
    return failure is not None and not failure.is_final and failure.fault is not Fault.LEASE_LOST
