"""The straight line after the agent: announce, confirm, delete - or give back, or dead-letter."""

import logging
import random
import re
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

import msgspec
from anyio import current_time, sleep

from streamapp.announce import Outbox
from streamapp.attempt import Attempt, Shows
from streamapp.batch import Batcher
from streamapp.delivery import Outgoing, Queue
from streamapp.errors import Crowded, Fault, Refused, Reject, Retry, ServiceError
from streamapp.groups import Groups
from streamapp.leases import Lease, Leases
from streamapp.seldom import Seldom
from streamapp.sqs import BATCH, MAX_ATTRIBUTES, MAX_VISIBILITY, Failure, Sqs
from streamapp.tally import Tally
from streamapp.tap import Tap, off
from streamapp.tap_record import Outcome
from streamapp.work import Work
from streamapp_codecs import DecodeError

logger = logging.getLogger(__name__)

LINGER = 0.02
"""Seconds that deletes and releases wait for company; nobody waits for them."""

PAUSES = (0.1, 0.25, 0.5)
"""Seconds before each further try of a delete or a release that failed."""

LONGEST_BACKOFF = 900.0
"""Seconds: the longest that a failing message waits for its next try."""

_ILLEGAL = re.compile("[^\\t\\n\\r\\x20-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")
"""Characters that SQS takes in no message: it would refuse the dead letter."""


EndWord = Literal["ok", "duplicate", "skipped", "dead", "invalid"]
DeadWord = Literal["dead", "invalid"]
BackWord = Literal["retry", "released"]
"""How a delivery may end, by what is then done with its message."""


class Why(NamedTuple):
    """Why a message did not succeed: one word, and more about it, which never holds a value of the message."""

    reason: str | None
    detail: str | None


NO_REASON = Why(None, None)


class Settler:
    """Ends deliveries of one queue: each is deleted, given back or dead-lettered, and its lease ends."""

    def __init__(
        self,
        sqs: Sqs,
        queue: Queue,
        leases: Leases,
        letters: Outbox | None,
        tally: Tally,
        *,
        max_attempts: int,
        backoff: float,
        tap: Tap | None = None,
        shows: Shows | None = None,
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
        self.queue = queue
        self._leases = leases
        self._letters = letters
        self._tally = tally
        self._max_attempts = max_attempts
        self._backoff = backoff
        self._seldom = Seldom(logger)
        self._tap = off() if tap is None else tap
        self._shows = shows
        self.groups = Groups()
        """Order within the groups of a FIFO queue; on others nobody waits."""
        self.on_next: Callable[[Lease], None] = lambda _: None
        """Takes the next message of a group when the one before it is done."""

    async def succeed(self, work: Work) -> None:
        """Send what *work* owes, then delete its messages.

        Dead-lettered instead are a body with a bad part, and a message that owed what SQS refuses for good.

        Each delivery leaves *work* as it ends, so that whoever is cut off here still has the others in hand.
        """
        if work.owed:
            refused = await work.runtime.announcer.announce(list(work.owed.values()))
            work.owed.clear()
            for lease, error in work.blamed(refused).items():
                await self.fail(lease, error, work)
                del work.leases[lease]
        while work.leases:
            lease, flaw = next(iter(work.leases.items()))
            if flaw is None:
                self.delete(lease, _word(work), work=work)
            else:
                await self.refuse(lease, flaw, work)
            del work.leases[lease]

    async def refuse(self, lease: Lease, error: DecodeError, work: Work | None = None) -> None:
        """Dead-letter a message that, or a part of which, can never be decoded."""
        await self.bury(lease, Why(error.reason, error.detail), work, word="invalid")

    async def fail(self, lease: Lease, error: Exception, work: Work | None = None) -> None:
        """End a delivery whose processing raised *error*: given back with backoff, dead-lettered at its last try."""
        if isinstance(error, Reject):
            await self.bury(lease, Why(error.reason, error.detail), work)
        elif isinstance(error, Refused):
            await self.bury(lease, Why("attempts_exhausted", str(error)), work)
        elif not _counts(error) or lease.delivery.receives < self._max_attempts:
            after = error.after if isinstance(error, Retry) else None
            delay = self._delay(lease) if after is None else after
            self.give_back(lease, delay, "retry", _why(error), work)
        else:
            await self.bury(lease, Why("attempts_exhausted", type(error).__name__), work)

    async def bury(
        self, lease: Lease, why: Why, work: Work | None = None, *, word: DeadWord = "dead"
    ) -> None:
        """Send the message to the dead-letter queue, then delete it; without such a queue give it back."""
        letter = _letter(lease, why)
        if self._letters is None or letter.size > self._letters.queue.max_bytes:
            self.give_back(lease, self._delay(lease), "retry", why, work)
            return
        try:
            await self._letters.batcher.submit(letter)
        except Refused:
            self.give_back(lease, self._delay(lease), "retry", why, work)
            return
        logger.error(
            "a message was dead-lettered",
            extra={
                "queue": self.queue.name,
                "message_id": lease.delivery.message_id,
                "reason": why.reason,
                "detail": why.detail,
            },
        )
        self.delete(lease, word, why, work)

    def delete(self, lease: Lease, word: EndWord, why: Why = NO_REASON, work: Work | None = None) -> None:
        """Let the message be deleted with others; it counts as *word*."""
        if lease.is_lost:
            # Not ours to delete; those behind it in its group must not wait for it here.
            self.give_back(lease, 0, "released")
        else:
            self._tally.add(self.queue.name, word)
            self._tap.note(_attempt(lease, self._shows, word, why, work))
            # The agent is done with it: from here on a lost lease is none of the agent's business.
            lease.scope = None
            self.deletes.post(lease)

    def give_back(
        self,
        lease: Lease,
        after: float,
        word: BackWord,
        why: Why = NO_REASON,
        work: Work | None = None,
    ) -> None:
        """Let the message come again after *after* seconds, and with it those that wait behind it in its group."""
        if not lease.is_lost:
            self._tally.add(self.queue.name, word)
            if word == "retry":
                self._tap.note(_attempt(lease, self._shows, word, why, work, delay=after))
            # First, or a heartbeat could overwrite the backoff.
            self._leases.end(lease)
            self.releases.post((lease, after))
        self._abandon(lease, after)

    def _delay(self, lease: Lease) -> float:
        return backoff(lease.delivery.receives, self._backoff)

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
                    self._end_deleted(lease, is_deleted=failure is None)
            waiting = again
            if not waiting or pause is None:
                break
            await sleep(pause)
        for lease in waiting:
            self._warn("a delete failed", lease)
            self._leases.remember(lease)
            self._end_deleted(lease, is_deleted=False)
        return [None] * len(leases)

    def _end_deleted(self, lease: Lease, *, is_deleted: bool) -> None:
        """End the lease; the next of its group has its turn, unless *lease* will come again before it."""
        self._leases.end(lease)
        if not is_deleted:
            self._abandon(lease, 0)
        elif following := self.groups.leave(lease):
            self.on_next(following)

    def _abandon(self, lease: Lease, after: float) -> None:
        for follower in self.groups.abandon(lease):
            self.give_back(follower, after, "released")

    async def _try_delete(self, handles: list[str]) -> list[Failure | None]:
        try:
            return await self._sqs.delete(self.queue, handles)
        except ServiceError as error:
            return [Failure(error.detail)] * len(handles)

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
        about = {"queue": self.queue.name, "message_id": lease.delivery.message_id}
        self._seldom.log(logging.WARNING, sentence, self.queue.name, **about)

    async def _try_release(self, releases: list[tuple[Lease, float]]) -> list[Failure | None]:
        now = current_time()
        changes = [(lease.handle, _hidden_for(lease, after, now)) for lease, after in releases]
        try:
            return await self._sqs.change_visibility(self.queue, changes)
        except ServiceError as error:
            return [Failure(error.detail)] * len(releases)


def backoff(attempt: int, base: float, longest: float = LONGEST_BACKOFF) -> float:
    """Answer the seconds before the try after the *attempt*-th (1..): full jitter under a doubling limit."""
    return random.uniform(0, min(longest, base * 2 ** min(attempt - 1, 30)))  # noqa: S311 - jitter, not a secret


def _hidden_for(lease: Lease, after: float, now: float) -> int:
    """Answer *after* as SQS takes it: whole seconds, and at most 12 h since the receipt."""
    longest = MAX_VISIBILITY - 5 - (now - lease.delivery.asked_at)
    return round(max(0.0, min(longest, after)))


def _attempt(
    lease: Lease,
    shows: Shows | None,
    outcome: Outcome,
    why: Why,
    work: Work | None,
    delay: float | None = None,
) -> Attempt:
    done = work.updates if work is not None else ()
    is_shared = work is not None and work.is_batch
    return Attempt(lease, shows, outcome, why.reason, why.detail, delay, done, is_shared)


def _why(error: Exception) -> Why:
    """Answer what viewers are told of *error*: the text of errors that are not ours may quote the message."""
    if isinstance(error, (ServiceError, Crowded)):
        return Why(type(error).__name__, str(error))
    return Why(type(error).__name__, None)


def _word(work: Work) -> EndWord:
    if work.is_skipped and not work.updates:
        return "skipped"
    return "duplicate" if work.updates and not work.changes else "ok"


def _counts(error: Exception) -> bool:
    """Whether *error* counts against its message: what SQS or Redis lacks never does."""
    return not isinstance(error, (ServiceError, Crowded))


def _may_heal(failure: Failure | None) -> bool:
    return failure is not None and not failure.sender_fault and failure.fault is not Fault.LEASE_LOST


def _letter(lease: Lease, why: Why) -> Outgoing:
    delivery = lease.delivery
    ours = {
        "streamapp-reason": _legal(why.reason or ""),
        "streamapp-detail": _legal(why.detail or ""),
        "streamapp-source": msgspec.json.encode(
            {
                "queue": delivery.queue.name,
                "message_id": delivery.message_id,
                "receive_count": delivery.receives,
            }
        ).decode(),
    }
    theirs = [(name, value) for name, value in delivery.attributes.items() if name not in ours]
    room = MAX_ATTRIBUTES - len(ours)
    return Outgoing(
        delivery.body,
        dict(theirs[:room]) | ours,
        group=delivery.group,
        deduplication=delivery.message_id,
        typed=dict(list(delivery.typed.items())[: max(0, room - len(theirs))]),
    )


def _legal(text: str) -> str:
    """Answer *text* as SQS takes it for an attribute: not empty, no control characters, not long."""
    return _ILLEGAL.sub("?", text)[:1024] or "-"
