"""How deliveries end: announce, confirm, delete - or give back, or dead-letter."""

import logging
from collections.abc import Sequence
from typing import Literal

from streamapp.errors import Refused, Reject, Retry, ServiceError, Skip, TimedOut, kind_of, own_text
from streamapp.flow.backoff import Backoff
from streamapp.messages import Queue
from streamapp.observe.counters import Counters
from streamapp.observe.quiet_log import QuietLog
from streamapp.observe.shown import ShowBody
from streamapp.observe.tap_record import Outcome
from streamapp.observe.tap_writer import Tap, no_tap
from streamapp.outbox.announcer import Announcer
from streamapp.outbox.sender import Sender
from streamapp.pipeline.acks import Acks
from streamapp.pipeline.attempt import Attempt
from streamapp.pipeline.dead_letter import NO_REASON, Why, letter
from streamapp.pipeline.handoff import Handoff
from streamapp.pipeline.in_hand import InHand
from streamapp.pipeline.leases import Lease
from streamapp.pipeline.raised import plain
from streamapp.state.update import Update
from streamapp_codecs import DecodeError

logger = logging.getLogger(__name__)

LONGEST_BACKOFF = 900.0
"""Seconds: the longest that a failing message waits for its next try."""

EndWord = Literal["ok", "duplicate", "skipped", "dead", "invalid"]
"""How a delivery that is deleted is counted."""

DeadWord = Literal["dead", "invalid"]
"""How a delivery that is dead-lettered is counted: refused by the agent or after its last attempt, or undecodable."""


class Settler:
    """Ends the deliveries of one queue: each is deleted, given back or dead-lettered, and its lease ends.

    *backoff* is the seconds that a message waits at most before its second attempt. *dead_letter_sender* sends to the
    dead-letter queue, if there is one.
    """

    def __init__(
        self,
        queue: Queue,
        acks: Acks,
        dead_letter_sender: Sender | None,
        announcer: Announcer,
        handoff: Handoff,
        counters: Counters,
        *,
        max_attempts: int,
        backoff: float,
        tap: Tap | None = None,
        show_body: ShowBody | None = None,
    ) -> None:
        self.queue = queue
        self.acks = acks
        self._dead_letter_sender = dead_letter_sender
        self._announcer = announcer
        self._handoff = handoff
        self._counters = counters
        self.max_attempts = max_attempts
        self._backoff = Backoff(backoff, LONGEST_BACKOFF)
        self._tap = no_tap() if tap is None else tap
        self._show_body = show_body
        self._quiet_log = QuietLog(logger)

    async def succeed(self, in_hand: InHand) -> None:
        """Send what is owed, then delete the messages.

        A message with a bad part, or one that owed what SQS refuses for good, is dead-lettered instead. What the agent
        decided on single messages of a batch is done.
        Each delivery leaves *in_hand* as it ends, so that a caller that is cancelled here still has the others.
        """
        if in_hand.owed:
            await self.announce(in_hand)
        while in_hand.leases:
            lease, flaw = next(iter(in_hand.leases.items()))
            decision = in_hand.decisions.get(lease) if in_hand.decisions else None
            if isinstance(decision, Skip) and flaw is None:
                self.delete(lease, "skipped", in_hand=in_hand)
            elif decision is not None and not isinstance(decision, Skip):
                await self.fail(lease, decision, in_hand)
            elif flaw is None:
                self.delete(lease, _word(in_hand), in_hand=in_hand)
            else:
                await self.bury_undecodable(lease, flaw, in_hand)
            del in_hand.leases[lease]

    async def announce(self, in_hand: InHand) -> None:
        """Send what is owed; dead-letter the messages that owed what SQS refuses for good."""
        refused = await self._announcer.announce(list(in_hand.owed.values()))
        in_hand.owed.clear()
        for lease, error in (in_hand.blamed(refused) if refused else {}).items():
            await self.fail(lease, error, in_hand)
            del in_hand.leases[lease]

    async def bury_undecodable(self, lease: Lease, error: DecodeError, in_hand: InHand | None = None) -> None:
        """Dead-letter a message that can never be decoded, as a whole or in part."""
        await self.bury(lease, Why(error.reason, error.detail), in_hand, word="invalid")

    async def fail(self, lease: Lease, error: Exception, in_hand: InHand | None = None) -> None:
        """End a delivery whose processing raised *error*: try it again with backoff, or dead-letter it at its last attempt."""
        error = plain(error)
        if isinstance(error, Reject):
            await self.bury(lease, Why(error.reason, error.detail), in_hand)
        elif isinstance(error, Refused):
            await self.bury(lease, Why("attempts_exhausted", str(error)), in_hand)
        elif not _counts(error):
            lease.attempts = max(0, lease.attempts - 1)
            self.retry(
                lease, _why(error), in_hand, after=error.after if isinstance(error, TimedOut) else None
            )
        elif lease.attempts < self.max_attempts:
            after = error.after if isinstance(error, Retry) else None
            self.retry(lease, _why(error), in_hand, after=after)
        else:
            await self.bury(lease, Why("attempts_exhausted", kind_of(error)), in_hand)

    async def bury(
        self, lease: Lease, why: Why, in_hand: InHand | None = None, *, word: DeadWord = "dead"
    ) -> None:
        """Send the message to the dead-letter queue, then delete it. Without such a queue give it back."""
        dead = letter(lease, why)
        if self._dead_letter_sender is None or dead.size > self._dead_letter_sender.queue.max_bytes:
            self.retry(lease, why, in_hand)
            return
        try:
            await self._dead_letter_sender.batcher.submit(dead)
        except Refused as error:
            about = {"queue": self._dead_letter_sender.queue.name, "reason": error.code}
            self._quiet_log.log(logging.ERROR, "a message could not be dead-lettered", error.code, **about)
            self.retry(lease, why, in_hand)
            return
        self._quiet_log.log(
            logging.ERROR,
            "a message was dead-lettered",
            f"{why.reason} {why.detail}",
            queue=self.queue.name,
            message_id=lease.delivery.message_id,
            reason=why.reason,
            detail=why.detail,
        )
        self.delete(lease, word, why, in_hand)

    def delete(
        self, lease: Lease, word: EndWord, why: Why = NO_REASON, in_hand: InHand | None = None
    ) -> None:
        """Delete the message, with others in one call, and count it under *word*. If its lease is lost, only give it up."""
        if lease.is_lost:
            # It is not ours to delete; those behind it in its group must not wait for it here.
            self.acks.release(lease)
        else:
            self._counters.add(self.queue.name, word)
            self._tap.note(_attempt(lease, self._show_body, word, why, in_hand))
            self.acks.delete(lease)

    def retry(
        self, lease: Lease, why: Why, in_hand: InHand | None = None, *, after: float | None = None
    ) -> None:
        """Try the message again after *after* seconds; None: after the backoff of its attempts.

        A message of a FIFO queue waits in hand, because those behind it in its group wait with it. Any other is given
        back.
        """
        delay = (
            self._backoff.pause(max(1, lease.attempts, lease.delivery.receives)) if after is None else after
        )
        if not lease.is_lost:
            self._counters.add(self.queue.name, "retry")
            self._tap.note(_attempt(lease, self._show_body, "retry", why, in_hand, delay=delay))
            if self.queue.fifo:
                for left in self._handoff.retry_in_hand(lease, delay):
                    self.acks.give_back(left, delay)
                return
        self.acks.give_back(lease, delay)

    def pause(self, failures: int) -> float:
        """Return the seconds to wait before what failed so often in a row is tried again in hand."""
        return self._backoff.pause(failures)


def _attempt(
    lease: Lease,
    show_body: ShowBody | None,
    outcome: Outcome,
    why: Why,
    in_hand: InHand | None,
    delay: float | None = None,
) -> Attempt:
    """Return the record of what has ended; what *in_hand* and *lease* take up after it is not part of it."""
    done: Sequence[Update] = () if in_hand is None else tuple(in_hand.updates)
    is_shared = in_hand is not None and in_hand.is_batch
    if is_shared:
        done = [it for it in done if it.message_id in {"", lease.delivery.message_id}]
    return Attempt(
        lease,
        show_body,
        outcome,
        why.reason,
        why.detail,
        delay,
        done,
        is_shared,
        number=max(1, lease.attempts),
        begun_at=lease.begun_at,
    )


def _why(error: Exception) -> Why:
    """Return what viewers are shown of *error*: the text of errors that are not ours may quote the message."""
    return Why(kind_of(error), own_text(error) or None)


def _word(in_hand: InHand) -> EndWord:
    if in_hand.is_skipped and not in_hand.updates:
        return "skipped"
    return "duplicate" if in_hand.updates and not in_hand.changed_count else "ok"


def _counts(error: Exception) -> bool:
    """Whether *error* counts against its message; a failure of SQS or Redis never does."""
    return not isinstance(error, ServiceError)
