"""Say to the outside what changed: each announcement sent once by this process, then taken off its hash."""

import logging
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from functools import partial

from anyio import Event, sleep

from streamapp.batch import Batcher
from streamapp.delivery import Outgoing, Queue
from streamapp.errors import Fault, Refused, ServiceError
from streamapp.outage import Outage, pause
from streamapp.sqs import BATCH, Failure, Sqs, fault_of
from streamapp.state import Announcement
from streamapp.store import Settled, Store
from streamapp.tally import Tally

logger = logging.getLogger(__name__)

REMEMBERED = 10_000
"""Announcements remembered as sent: as many as can be in hand and unconfirmed, ten times over."""

LINGER = 0.005
"""Seconds a batch of sends waits for company: a tenth of a usual round trip."""

PARALLEL = 8
"""Batches of sends under way at once to a standard queue; a FIFO queue has one, which keeps the order."""


class Outbox:
    """Sends messages to one queue, ten at a time."""

    def __init__(self, sqs: Sqs, queue: Queue, outage: Outage, tally: Tally) -> None:
        self.queue = queue
        self._sqs = sqs
        self._outage = outage
        self._tally = tally
        self.batcher: Batcher[Outgoing, None] = Batcher(
            self._flush,
            name=f"send {queue.name}",
            limit=BATCH,
            linger=LINGER,
            parallel=1 if queue.fifo else PARALLEL,
            weigh=lambda message: message.size,
            max_weight=queue.max_bytes,
        )

    async def _flush(self, messages: list[Outgoing]) -> Sequence[Exception | None]:
        """Send until each message is accepted or refused for good; only those that failed go again."""
        outcomes: list[Exception | None] = [None] * len(messages)
        waiting = list(range(len(messages)))
        tries = 0
        while waiting:
            if tries:
                await sleep(pause(tries))
            tries += 1
            answers = await self._send([messages[n] for n in waiting])
            again: list[int] = []
            for n, answer in zip(waiting, answers, strict=True):
                if answer is None:
                    continue
                if answer.sender_fault or fault_of(answer.code) is Fault.SENDER:
                    outcomes[n] = Refused(answer.code)
                    self._tally.add(self.queue.name, "refused")
                else:
                    again.append(n)
            waiting = again
        self._tally.add(self.queue.name, "sent", outcomes.count(None))
        return outcomes

    async def _send(self, messages: list[Outgoing]) -> list[Failure | None]:
        self._tally.add(self.queue.name, "sends")
        try:
            return await self._outage.ride_out(lambda: self._sqs.send(self.queue, messages))
        except ServiceError as error:
            if len(messages) == 1:
                return [Failure(error.detail.rsplit(" ", 1)[-1], sender_fault=True)]
            # The call as a whole is refused, as for its size: some half of it may pass.
            half = len(messages) // 2
            return await self._send(messages[:half]) + await self._send(messages[half:])


class Announcer:
    """Sends what hashes owe, and confirms it there.

    One process sends one announcement once, however many events find it pending; what a crash left behind is
    sent again by whoever finds it.
    """

    def __init__(self, outboxes: Mapping[str, Outbox], store: Store, outage: Outage) -> None:
        self._outboxes = outboxes
        self._store = store
        self._outage = outage
        self._flying: dict[tuple[str, str], Event] = {}
        self._sent: OrderedDict[tuple[str, str], None] = OrderedDict()
        self.confirmations: Batcher[Settled, None] = Batcher(self._confirm, name="confirm", limit=100)

    async def announce(self, pending: Iterable[Announcement]) -> None:
        """Return when all of *pending* is sent, here or by another event's turn.

        Raises `Refused` when SQS will never take one; that one is then parked in its hash.
        """
        refused: Refused | None = None
        mine = [announcement for announcement in pending if self._is_mine(announcement)]
        for announcement in mine:
            self._flying[announcement.place] = Event()
        try:
            for sink in dict.fromkeys(announcement.sink for announcement in mine):
                group = [announcement for announcement in mine if announcement.sink == sink]
                outcomes = await self._outboxes[sink].batcher.submit_all([it.message for it in group])
                for announcement, outcome in zip(group, outcomes, strict=True):
                    refused = self._settle(announcement, outcome) or refused
        finally:
            for announcement in mine:
                self._flying.pop(announcement.place).set()
        await self._wait_for_others(pending)
        if refused is not None:
            raise refused

    def _is_mine(self, announcement: Announcement) -> bool:
        if announcement.place in self._sent:
            # Sent, but found pending: its confirmation is on the way, or was lost.
            self.confirmations.post(Settled(announcement.redis_key, [announcement.id], ttl=announcement.ttl))
            return False
        return announcement.place not in self._flying

    async def _wait_for_others(self, pending: Iterable[Announcement]) -> None:
        for announcement in pending:
            flying = self._flying.get(announcement.place)
            if flying is not None:
                await flying.wait()
                if announcement.place not in self._sent:
                    # Whoever was sending it was cut off, or SQS refused it: find out ourselves.
                    await self.announce([announcement])

    def _settle(self, announcement: Announcement, outcome: Exception | None) -> Refused | None:
        key, ids, ttl = announcement.redis_key, [announcement.id], announcement.ttl
        if isinstance(outcome, Refused):
            logger.error(
                "SQS refused an announcement for good; it is parked in its hash",
                extra={"queue": announcement.sink, "code": outcome.code, "event_id": announcement.id},
            )
            self.confirmations.post(Settled(key, parked=ids, ttl=ttl))
            return outcome
        if outcome is not None:
            raise outcome
        self._sent[announcement.place] = None
        if len(self._sent) > REMEMBERED:
            self._sent.popitem(last=False)
        self.confirmations.post(Settled(key, ids, ttl=ttl))
        return None

    async def _confirm(self, settled: list[Settled]) -> Sequence[None]:
        await self._outage.ride_out(partial(self._store.settle, settled))
        return [None] * len(settled)
