"""One attempt at a message that is over, as the tap records it."""

import time
from collections.abc import Sequence

import msgspec

from streamapp.observe.shown import ShowBody, shown_body
from streamapp.observe.tap_record import Effect, Outcome, TapRecord
from streamapp.pipeline.leases import Lease
from streamapp.state.update import Update

EFFECTS = 20
"""Keys of which one record tells what changed: a product may be in any number of orders."""

LONGEST_TEXT = 120
"""Characters of a changed field's text that are shown."""

_ENCODER = msgspec.json.Encoder()


class Attempt(msgspec.Struct, frozen=True):
    """One attempt at a message, from receipt to its end.

    *done* are the updates that its agent made. With *is_shared* it had the message in a batch, and those that belong to no
    message of it alone are among them. *delay* is in seconds. *number* and *begun_at* are this attempt's: the lease may be
    at the next one when the record is made.
    """

    lease: Lease
    show_body: ShowBody | None
    outcome: Outcome
    reason: str | None = None
    detail: str | None = None
    delay: float | None = None
    done: Sequence[Update] = ()
    is_shared: bool = False
    number: int = 1
    begun_at: float | None = None
    at: float = msgspec.field(default_factory=time.time)

    @property
    def queue(self) -> str:
        """The queue that it came from."""
        return self.lease.delivery.queue.name

    @property
    def body(self) -> str:
        """The body as it came."""
        return self.lease.delivery.body

    def line(self, worker: str) -> bytes:
        """Return its record as JSON, with personal data masked."""
        lease, delivery = self.lease, self.lease.delivery
        shown, body, is_cut = shown_body(self.show_body, delivery.body, lease.decoded)
        done = self._own(shown.key) if self.is_shared else self.done
        begun = self.begun_at
        return _ENCODER.encode(
            TapRecord(
                queue=delivery.queue.name,
                outcome=self.outcome,
                done_ms=int(self.at * 1000),
                message_id=delivery.message_id,
                event_type=shown.kind,
                key=shown.key or (done[0].key if done else None),
                attempt=self.number,
                reason=self.reason,
                detail=self.detail,
                delay_s=None if self.delay is None else round(self.delay, 1),
                sent_ms=int(delivery.sent_at.timestamp() * 1000),
                received_ms=int(lease.received_at * 1000),
                took_ms=None if begun is None else round((self.at - begun) * 1000, 1),
                worker=worker,
                effects=tuple(_effects(done)),
                size=len(delivery.body),
                body=body,
                truncated=is_cut,
            )
        )

    def _own(self, key: str | None) -> list[Update]:
        """Return what its events changed, and what else the agent changed of the same keys or of *key*."""
        mine = {it.key for it in self.done if it.message_id} | {key}
        return [it for it in self.done if it.message_id or it.key in mine]


def _effects(done: Sequence[Update]) -> list[Effect]:
    found: list[Effect] = []
    for it in done:
        before, after = it.changed.before, it.changed.after
        if not it.changed.is_new or before is after:
            continue
        names = after if after.keys() >= before.keys() else {**after, **before}
        fields = {
            name: (_cut(old), _cut(new))
            for name in names
            if (old := before.get(name)) != (new := after.get(name)) and not name.startswith("_")
        }
        found.append(Effect(it.table, it.key, fields))
        if len(found) == EFFECTS:
            break
    return found


def _cut(text: str | None) -> str | None:
    return text if text is None or len(text) <= LONGEST_TEXT else f"{text[: LONGEST_TEXT - 1]}…"
