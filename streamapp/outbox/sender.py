"""Send messages to one queue, ten at a time."""

import logging
from collections.abc import Callable, Sequence

from anyio import sleep
from msgspec.structs import replace

from streamapp.errors import Fault, Refused, ServiceError
from streamapp.flow.batcher import Batcher
from streamapp.flow.expected_items import ExpectedItems
from streamapp.flow.outage import AGAIN, Outage
from streamapp.messages import Outgoing, Queue
from streamapp.observe.counters import Counters
from streamapp.observe.quiet_log import QuietLog
from streamapp.observe.shown import SendAttempt, ShowBody
from streamapp.observe.tap_writer import Tap
from streamapp.sqs.client import BATCH, Failure, Sqs, failure_of

logger = logging.getLogger(__name__)

LINGER = 0.005
"""Seconds a batch of sends waits for company: a tenth of a usual round trip."""


PARALLEL = 8
"""Batches of sends under way at once to a standard queue; a FIFO queue has one, which keeps the order."""


class Sender:
    """Sends messages to one queue, ten at a time.

    *add_trace* returns a message with the trace context in its attributes, within so many bytes. If the queue or the right to send is missing,
    messages wait for it or, without *even_misconfigured*, are refused.
    """

    def __init__(
        self,
        sqs: Sqs,
        queue: Queue,
        sqs_outage: Outage,
        counters: Counters,
        *,
        expected_items: ExpectedItems | None = None,
        tap: Tap | None = None,
        show_body: ShowBody | None = None,
        add_trace: Callable[[Outgoing, int], Outgoing] | None = None,
        even_misconfigured: bool = True,
    ) -> None:
        self.queue = queue
        self._even_misconfigured = even_misconfigured
        self._tap = tap
        self._show_body = show_body
        self._add_trace = add_trace
        self._sqs = sqs
        self._sqs_outage = sqs_outage
        self._counters = counters
        self._quiet_log = QuietLog(logger)
        self.batcher: Batcher[Outgoing, None] = Batcher(
            self._flush,
            name=f"send {queue.name}",
            limit=BATCH,
            linger=LINGER,
            expected_items=expected_items,
            parallel=1 if queue.fifo else PARALLEL,
            weigh=lambda message: message.size,
            max_weight=queue.max_bytes,
        )

    def with_trace(self, message: Outgoing) -> Outgoing:
        """Return *message* with the trace context of the running task, if that is to be sent."""
        return message if self._add_trace is None else self._add_trace(message, self.queue.max_bytes)

    async def _flush(self, messages: list[Outgoing]) -> Sequence[Exception | None]:
        """Send until each message is accepted or refused for good; only those that failed go again."""
        asked = messages
        if not self.queue.fifo:
            # A standard queue refuses a deduplication id, and takes a group for the name of a tenant.
            messages = [replace(message, group=None, deduplication=None) for message in messages]
        outcomes: list[Exception | None] = [None] * len(messages)
        waiting = list(range(len(messages)))
        tries = 0
        while waiting:
            if tries:
                await sleep(AGAIN.pause(tries))
            turn = _turn(messages, waiting) if self.queue.fifo else waiting
            failures = await self._send([messages[n] for n in turn])
            again: set[int] = set()
            for n, failure in zip(turn, failures, strict=True):
                if failure is None:
                    continue
                if failure.is_final or (
                    failure.fault is Fault.CONFIGURATION and not self._even_misconfigured
                ):
                    outcomes[n] = Refused(failure.code)
                    self._counters.add(self.queue.name, "refused")
                else:
                    again.add(n)
                    self._note(failure)
            tries = tries + 1 if again else 0
            waiting = [n for n in waiting if n in again or n not in turn]
        self._counters.add(self.queue.name, "sent", outcomes.count(None))
        if self._tap is not None:
            for message, outcome in zip(asked, outcomes, strict=True):
                code = outcome.code if isinstance(outcome, Refused) else None
                self._tap.note(SendAttempt(self.queue.name, message, self._show_body, code))
        return outcomes

    async def _send(self, messages: list[Outgoing]) -> list[Failure | None]:
        self._counters.add(self.queue.name, "sends")
        try:
            return await self._sqs_outage.ride_out(
                lambda: self._sqs.send(self.queue, messages), even_misconfigured=self._even_misconfigured
            )
        except ServiceError as error:
            if len(messages) == 1 or error.fault is Fault.CONFIGURATION:
                return [failure_of(error, sender_fault=True)] * len(messages)
            # The call is refused as a whole, for example for its size: one half of it may pass.
            half = len(messages) // 2
            return await self._send(messages[:half]) + await self._send(messages[half:])

    def _note(self, failure: Failure) -> None:
        """Tell somebody of what does not heal by itself: the queue's key, its rights or the credentials."""
        if failure.fault in {Fault.CONFIGURATION, Fault.CREDENTIALS}:
            about = {"queue": self.queue.name, "code": failure.code}
            sentence = "a queue refuses messages; they are kept until it takes them"
            self._quiet_log.log(logging.ERROR, sentence, failure.code, **about)


def _turn(messages: Sequence[Outgoing], waiting: Sequence[int]) -> list[int]:
    """Return the first of each group: SQS may accept a later entry of a call and refuse an earlier one."""
    first: dict[str | None, int] = {}
    for n in waiting:
        first.setdefault(messages[n].group, n)
    return list(first.values())
