"""The straight line after the agent: announce, confirm, delete - or give back, or dead-letter."""

import logging
import random
from collections.abc import Sequence

import msgspec
from anyio import sleep
from streamapp_codecs import DecodeError

from streamapp.announce import Outbox
from streamapp.batch import Batcher
from streamapp.delivery import Outgoing, Queue
from streamapp.errors import Crowded, Fault, Refused, Reject, Retry, ServiceError
from streamapp.leases import Lease, Leases
from streamapp.sqs import BATCH, Failure, Sqs, fault_of
from streamapp.tally import Tally, Word
from streamapp.work import Work

logger = logging.getLogger(__name__)

LINGER = 0.02
"""Seconds that deletes and releases wait for company; nobody waits for them."""

DELETE_PAUSES = (0.1, 0.25, 0.5)
"""Seconds before each further try of a delete that failed."""

LONGEST_BACKOFF = 900.0
"""Seconds: the longest that a failing message waits for its next try."""

MAX_ATTRIBUTES = 10
"""Attributes that SQS lets a message carry."""


class Settler:
    """Ends deliveries of one queue: each is deleted, given back or dead-lettered, and its lease ends."""

    def __init__(  # noqa: PLR0913 - the parts it works through
        self,
        sqs: Sqs,
        queue: Queue,
        leases: Leases,
        letters: Outbox | None,
        tally: Tally,
        *,
        max_attempts: int,
        backoff: float,
    ) -> None:
        self.deletes: Batcher[Lease, None] = Batcher(
            self._delete, name=f"delete {queue.name}", limit=BATCH, linger=LINGER, parallel=4
        )
        self.releases: Batcher[tuple[Lease, float], None] = Batcher(
            self._release, name=f"release {queue.name}", limit=BATCH, linger=LINGER, parallel=4
        )
        self._sqs = sqs
        self._queue = queue
        self._leases = leases
        self._letters = letters
        self._tally = tally
        self._max_attempts = max_attempts
        self._backoff = backoff

    async def succeed(self, work: Work) -> None:
        """Send what *work* owes, then delete its messages; a body with a bad part is dead-lettered instead."""
        if work.owed:
            await work.runtime.announcer.announce(work.owed.values())
        word: Word = "duplicate" if work.updates and not work.changes else "ok"
        for lease, error in work.leases.items():
            if error is None:
                self.delete(lease, word)
            else:
                await self.refuse(lease, error)

    async def refuse(self, lease: Lease, error: DecodeError) -> None:
        """Dead-letter a message that, or a part of which, can never be decoded."""
        await self.bury(lease, error.reason, error.detail, word="invalid")

    async def fail(self, lease: Lease, error: Exception) -> None:
        """End a delivery whose processing raised *error*: given back with backoff, dead-lettered at its last try."""
        if isinstance(error, Reject):
            await self.bury(lease, error.reason, error.detail)
        elif isinstance(error, Refused):
            await self.bury(lease, "attempts_exhausted", str(error))
        elif not _counts(error) or lease.delivery.receives < self._max_attempts:
            after = error.after if isinstance(error, Retry) else None
            self.give_back(lease, self._delay(lease) if after is None else after, "retry")
        else:
            await self.bury(lease, "attempts_exhausted", type(error).__name__)

    async def bury(self, lease: Lease, reason: str, detail: str, *, word: Word = "dead") -> None:
        """Send the message to the dead-letter queue, then delete it; without such a queue give it back."""
        letter = _letter(lease, reason, detail)
        if self._letters is None or letter.size > self._letters.queue.max_bytes:
            self.give_back(lease, self._delay(lease), "retry")
            return
        try:
            await self._letters.batcher.submit(letter)
        except Refused:
            self.give_back(lease, self._delay(lease), "retry")
            return
        logger.error(
            "a message was dead-lettered",
            extra={
                "queue": self._queue.name,
                "message_id": lease.delivery.message_id,
                "reason": reason,
                "detail": detail,
            },
        )
        self.delete(lease, word)

    def delete(self, lease: Lease, word: Word) -> None:
        """Let the message be deleted with others; it counts as *word*."""
        if not lease.is_lost:
            self._tally.add(self._queue.name, word)
            self.deletes.post(lease)

    def give_back(self, lease: Lease, after: float, word: Word) -> None:
        """Let the message come again after *after* seconds."""
        if not lease.is_lost:
            self._tally.add(self._queue.name, word)
            # First, or a heartbeat could overwrite the backoff.
            self._leases.end(lease)
            self.releases.post((lease, after))

    def _delay(self, lease: Lease) -> float:
        return backoff(lease.delivery.receives, self._backoff)

    async def _delete(self, leases: list[Lease]) -> Sequence[None]:
        waiting = leases
        for pause in (*DELETE_PAUSES, None):
            outcomes = await self._try_delete(waiting)
            waiting = [lease for lease, failure in zip(waiting, outcomes, strict=True) if _may_heal(failure)]
            if not waiting or pause is None:
                break
            await sleep(pause)
        for lease in waiting:
            logger.warning(
                "a delete failed", extra={"queue": self._queue.name, "message_id": lease.delivery.message_id}
            )
            self._leases.remember(lease)
        for lease in leases:
            self._leases.end(lease)
        return [None] * len(leases)

    async def _try_delete(self, leases: list[Lease]) -> list[Failure | None]:
        try:
            return await self._sqs.delete(self._queue, [lease.handle for lease in leases])
        except ServiceError as error:
            return [Failure(error.detail)] * len(leases)

    async def _release(self, releases: list[tuple[Lease, float]]) -> Sequence[None]:
        changes = [(lease.handle, max(0, round(after))) for lease, after in releases]
        try:
            await self._sqs.change_visibility(self._queue, changes)
        except ServiceError as error:
            # Nothing is lost: each comes back when its visibility timeout ends.
            logger.warning(
                "messages could not be given back", extra={"queue": self._queue.name, "reason": error.detail}
            )
        return [None] * len(releases)


def backoff(attempt: int, base: float, longest: float = LONGEST_BACKOFF) -> float:
    """Answer the seconds before the try after the *attempt*-th (1..): full jitter under a doubling limit."""
    return random.uniform(0, min(longest, base * 2 ** min(attempt - 1, 30)))  # noqa: S311 - jitter, not a secret


def _counts(error: Exception) -> bool:
    """Whether *error* counts against its message: what SQS or Redis lacks never does."""
    return not isinstance(error, (ServiceError, Crowded))


def _may_heal(failure: Failure | None) -> bool:
    return failure is not None and not failure.sender_fault and fault_of(failure.code) is not Fault.LEASE_LOST


def _letter(lease: Lease, reason: str, detail: str) -> Outgoing:
    delivery = lease.delivery
    ours = {
        "streamapp-reason": reason,
        "streamapp-detail": detail,
        "streamapp-source": msgspec.json.encode(
            {
                "queue": delivery.queue.name,
                "message_id": delivery.message_id,
                "receive_count": delivery.receives,
            }
        ).decode(),
    }
    theirs = [(name, value) for name, value in delivery.attributes.items() if name not in ours]
    attributes = dict(theirs[: MAX_ATTRIBUTES - len(ours)]) | ours
    return Outgoing(delivery.body, attributes, group=delivery.group, deduplication=delivery.message_id)
