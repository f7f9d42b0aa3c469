"""The straight line after the agent: announce, confirm, delete - or give back, or dead-letter."""

import logging
import random
from collections.abc import Callable
from typing import Literal

from streamapp.errors import Crowded, Refused, Reject, Retry, ServiceError
from streamapp.messages import Queue
from streamapp.observe.counters import Counters
from streamapp.observe.quiet_log import QuietLog
from streamapp.observe.shown import ShowBody
from streamapp.observe.tap_record import Outcome
from streamapp.observe.tap_writer import Tap, no_tap
from streamapp.outbox.sender import Sender
from streamapp.pipeline.acks import Acks
from streamapp.pipeline.attempt import Attempt
from streamapp.pipeline.dead_letter import NO_REASON, Why, letter
from streamapp.pipeline.fifo import FifoGroups
from streamapp.pipeline.leases import Lease, Leases
from streamapp.pipeline.work import InHand
from streamapp.sqs.client import Sqs
from streamapp_codecs import DecodeError

logger = logging.getLogger(__name__)

LONGEST_BACKOFF = 900.0
"""Seconds: the longest that a failing message waits for its next try."""

EndWord = Literal["ok", "duplicate", "skipped", "dead", "invalid"]
DeadWord = Literal["dead", "invalid"]
BackWord = Literal["retry", "released"]
"""How a delivery may end, by what is then done with its message."""


class Settler:
    """Ends deliveries of one queue: each is deleted, given back or dead-lettered, and its lease ends."""

    def __init__(
        self,
        sqs: Sqs,
        queue: Queue,
        leases: Leases,
        letters: Sender | None,
        counters: Counters,
        *,
        max_attempts: int,
        backoff: float,
        tap: Tap | None = None,
        shows: ShowBody | None = None,
    ) -> None:
        self.acks = Acks(sqs, queue, leases, self._take_note)
        self.queue = queue
        self._leases = leases
        self._letters = letters
        self._counters = counters
        self._max_attempts = max_attempts
        self._backoff = backoff
        self._tap = no_tap() if tap is None else tap
        self._shows = shows
        self._quiet_log = QuietLog(logger)
        self.groups = FifoGroups()
        """Order within the groups of a FIFO queue; on others nobody waits."""
        self.on_next: Callable[[Lease], None] = lambda _: None
        """Takes the next message of a group when the one before it is done."""

    async def succeed(self, work: InHand) -> None:
        """Send what *work* owes, then delete its messages.

        Dead-lettered instead are a body with a bad part, and a message that owed what SQS refuses for good.

        Each delivery leaves *work* as it ends, so that whoever is cut off here still has the others in hand.
        """
        if work.owed:
            await self.announce(work)
        while work.leases:
            lease, flaw = next(iter(work.leases.items()))
            if flaw is None:
                self.delete(lease, _word(work), work=work)
            else:
                await self.refuse(lease, flaw, work)
            del work.leases[lease]

    async def announce(self, work: InHand) -> None:
        """Send what *work* owes; the messages that owed what SQS refuses for good end as its fault."""
        refused = await work.runtime.announcer.announce(list(work.owed.values()))
        work.owed.clear()
        for lease, error in (work.blamed(refused) if refused else {}).items():
            await self.fail(lease, error, work)
            del work.leases[lease]

    async def refuse(self, lease: Lease, error: DecodeError, work: InHand | None = None) -> None:
        """Dead-letter a message that, or a part of which, can never be decoded."""
        await self.bury(lease, Why(error.reason, error.detail), work, word="invalid")

    async def fail(self, lease: Lease, error: Exception, work: InHand | None = None) -> None:
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
        self, lease: Lease, why: Why, work: InHand | None = None, *, word: DeadWord = "dead"
    ) -> None:
        """Send the message to the dead-letter queue, then delete it; without such a queue give it back."""
        dead = letter(lease, why)
        if self._letters is None or dead.size > self._letters.queue.max_bytes:
            self.give_back(lease, self._delay(lease), "retry", why, work)
            return
        try:
            await self._letters.batcher.submit(dead)
        except Refused as error:
            about = {"queue": self._letters.queue.name, "reason": error.code}
            self._quiet_log.log(logging.ERROR, "a message could not be dead-lettered", error.code, **about)
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

    def delete(self, lease: Lease, word: EndWord, why: Why = NO_REASON, work: InHand | None = None) -> None:
        """Let the message be deleted with others; it counts as *word*."""
        if lease.is_lost:
            # Not ours to delete; those behind it in its group must not wait for it here.
            self.give_back(lease, 0, "released")
        else:
            self._counters.add(self.queue.name, word)
            self._tap.note(_attempt(lease, self._shows, word, why, work))
            # The agent is done with it: from here on a lost lease is none of the agent's business.
            lease.scope = None
            self.acks.deletes.post(lease)

    def give_back(
        self,
        lease: Lease,
        after: float,
        word: BackWord,
        why: Why = NO_REASON,
        work: InHand | None = None,
    ) -> None:
        """Let the message come again after *after* seconds, and with it those that wait behind it in its group."""
        if not lease.is_lost:
            self._counters.add(self.queue.name, word)
            if word == "retry":
                self._tap.note(_attempt(lease, self._shows, word, why, work, delay=after))
            # First, or a heartbeat could overwrite the backoff.
            self._leases.end(lease)
            self.acks.releases.post((lease, after))
        self._abandon(lease, after)

    def _delay(self, lease: Lease) -> float:
        return backoff(lease.delivery.receives, self._backoff)

    def _take_note(self, lease: Lease, is_gone: bool) -> None:  # noqa: FBT001 - the shape that `Acks` asks for
        """Give the next of its group its turn, unless *lease* will come again before it."""
        if not is_gone:
            self._abandon(lease, 0)
        elif following := self.groups.leave(lease):
            self.on_next(following)

    def _abandon(self, lease: Lease, after: float) -> None:
        for follower in self.groups.abandon(lease):
            self.give_back(follower, after, "released")


def backoff(attempt: int, base: float, longest: float = LONGEST_BACKOFF) -> float:
    """Return the seconds before the try after the *attempt*-th (1..): full jitter under a doubling limit."""
    return random.uniform(0, min(longest, base * 2 ** min(attempt - 1, 30)))  # noqa: S311 - jitter, not a secret


def _attempt(
    lease: Lease,
    shows: ShowBody | None,
    outcome: Outcome,
    why: Why,
    work: InHand | None,
    delay: float | None = None,
) -> Attempt:
    done = work.updates if work is not None else ()
    is_shared = work is not None and work.is_batch
    return Attempt(lease, shows, outcome, why.reason, why.detail, delay, done, is_shared)


def _why(error: Exception) -> Why:
    """Return what viewers are told of *error*: the text of errors that are not ours may quote the message."""
    if isinstance(error, (ServiceError, Crowded)):
        return Why(type(error).__name__, str(error))
    return Why(type(error).__name__, None)


def _word(work: InHand) -> EndWord:
    if work.is_skipped and not work.updates:
        return "skipped"
    return "duplicate" if work.updates and not work.changes else "ok"


def _counts(error: Exception) -> bool:
    """Whether *error* counts against its message: what SQS or Redis lacks never does."""
    return not isinstance(error, (ServiceError, Crowded))
