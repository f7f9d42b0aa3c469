"""Send announcements: each one once by this process, then confirm it in its hash."""

import logging
from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from functools import partial

from anyio import Event

from streamapp.errors import Refused, ServiceError
from streamapp.flow.batcher import Batcher
from streamapp.flow.outage import Outage, PerKey
from streamapp.observe.quiet_log import QuietLog
from streamapp.outbox.sender import Sender
from streamapp.state.announcement import Announcement, Place
from streamapp.state.store import Confirmed, Store

logger = logging.getLogger(__name__)

REMEMBERED = 10_000
"""Announcements remembered as sent or refused: as many as can be in hand and unconfirmed, ten times over."""


class Announcer:
    """Sends what hashes owe, and confirms it there.

    One process sends an announcement once, however many events find it pending. After a crash another process may
    send it again.
    """

    def __init__(self, senders: Mapping[str, Sender], store: Store, store_outage: Outage) -> None:
        self._senders = senders
        self._store = store
        self._per_key = PerKey(store_outage)
        self._quiet_log = QuietLog(logger)
        # Usually nobody else waits for one; a call that does puts an event here.
        self._flying: dict[Place, Event | None] = {}
        # Why SQS refused it, None if it was sent.
        self._over: OrderedDict[Place, str | None] = OrderedDict()
        # Without a linger: a crash repeats what is sent and not confirmed.
        self.confirmations: Batcher[Confirmed, None] = Batcher(self._confirm, name="confirm", limit=100)

    async def announce(self, pending: Collection[Announcement]) -> dict[Place, str]:
        """Return when all of *pending* is sent, by this call or by that of another event.

        Return SQS's code for each that SQS will never accept; that one is parked in its hash.
        """
        mine: dict[Place, Announcement] = {}
        others: dict[Place, Announcement] = {}
        for it in pending:
            place = it.place
            if place in self._over:
                # It is pending all the same: its confirmation is under way, or was lost.
                self._confirm_soon(place, it)
            elif place in self._flying:
                others[place] = it
            else:
                mine[place] = it
        self._flying.update(dict.fromkeys(mine))
        try:
            await self._send(mine.values())
        finally:
            for place in mine:
                if (awaited := self._flying.pop(place)) is not None:
                    awaited.set()
        for announcement in others.values():
            await self._wait_for_others(announcement)
        return {place: code for place in (*mine, *others) if (code := self._over.get(place)) is not None}

    async def make_room(self, pending: Sequence[Announcement]) -> None:
        """Return when all of *pending* is sent and confirmed, so that its key takes more."""
        await self.announce(pending)
        await self.confirmations.submit_all([self._confirmed(it.place, it) for it in pending])

    def queue_name(self, announcement: Announcement) -> str:
        """Return the name of the queue that *announcement* goes to."""
        return self._senders[announcement.stream].queue.name

    async def _send(self, announcements: Collection[Announcement]) -> None:
        by_stream: dict[str, list[Announcement]] = {}
        for it in announcements:
            by_stream.setdefault(it.stream, []).append(it)
        for stream, group in by_stream.items():
            sender = self._senders[stream]
            messages = [sender.with_trace(it.message) for it in group]
            outcomes = await sender.batcher.submit_all(
                messages, [partial(self._take_note, it) for it in group]
            )
            for outcome in outcomes:
                if isinstance(outcome, Exception) and not isinstance(outcome, Refused):
                    raise outcome

    async def _wait_for_others(self, announcement: Announcement) -> None:
        """Return when no other call is sending *announcement* any more."""
        if announcement.place not in self._flying:
            return
        sent = self._flying[announcement.place] or Event()
        self._flying[announcement.place] = sent
        await sent.wait()
        if announcement.place not in self._over:
            # The call that was sending it was cancelled: send it here.
            await self.announce([announcement])

    def _take_note(self, announcement: Announcement, outcome: Exception | None) -> None:
        """Remember that *announcement* was sent or refused; after any other failure it is still to be sent."""
        if outcome is not None and not isinstance(outcome, Refused):
            return
        code = outcome.code if outcome is not None else None
        if code is not None:
            queue = self.queue_name(announcement)
            about = {"queue": queue, "code": code, "event_id": announcement.place.id}
            sentence = "SQS refused an announcement for good; it is parked in its hash"
            self._quiet_log.log(logging.ERROR, sentence, f"{queue} {code}", **about)
        place = announcement.place
        self._over[place] = code
        if len(self._over) > REMEMBERED:
            self._over.popitem(last=False)
        self._confirm_soon(place, announcement)

    def _confirm_soon(self, place: Place, announcement: Announcement) -> None:
        self.confirmations.post(self._confirmed(place, announcement))

    def _confirmed(self, place: Place, announcement: Announcement) -> Confirmed:
        is_refused = self._over[place] is not None
        this = [(place.id, place.mark)]
        return Confirmed(
            place.redis_key,
            sent=[] if is_refused else this,
            parked=this if is_refused else [],
            ttl=announcement.ttl,
        )

    async def _confirm(self, confirmed: Sequence[Confirmed]) -> Sequence[ServiceError | None]:
        return await self._per_key.call(self._confirm_all, confirmed, lambda each: each.key)

    async def _confirm_all(self, confirmed: Sequence[Confirmed]) -> Sequence[None]:
        await self._store.confirm(confirmed)
        return [None] * len(confirmed)
