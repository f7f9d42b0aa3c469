"""What was seen of a message, for the tap: an attempt at it that is over, or an announcement that was sent."""

import time
from collections.abc import Callable, Sequence
from typing import Protocol, cast

import msgspec

from streamapp.messages import Outgoing
from streamapp.observe.tap_record import NO_BODY, Effect, Outcome, TapRecord
from streamapp.pipeline.leases import Lease
from streamapp.state.committer import Changed
from streamapp_codecs import Decoded, Shown

SHOWN = 8 * 1024
"""Bytes of a masked body that are shown."""

READ = 32 * 1024
"""Characters of a body up to which it is read again to be masked: a longer one would hold up the loop."""

EFFECTS = 20
"""Keys of which one record tells what changed: a product may be in any number of orders."""

LONGEST_TEXT = 120
"""Characters of a changed field's text that are shown."""

_ENCODER = msgspec.json.Encoder()

Shows = Callable[[str, "Decoded[object] | None"], Shown]
"""How a codec shows a body to viewers."""


class _Shows(Protocol):
    def show(self, body: str, decoded: "Decoded[object] | None") -> Shown: ...


def shows(codec: object) -> Shows | None:
    """Answer how *codec* shows a body; of a codec that does not say so, no body is shown."""
    return cast("_Shows", codec).show if hasattr(codec, "show") else None


class Done(msgspec.Struct, frozen=True):
    """What one update did to one key of a table; *event* is what it was made with."""

    table: str
    key: str
    event: object
    changed: Changed


class Attempt(msgspec.Struct, frozen=True):
    """One attempt at a message, from receipt to its end.

    *done* are the updates made by its agent; with *is_shared* those of other messages of a batch as well.
    *delay* is in seconds.
    """

    lease: Lease
    shows: Shows | None
    outcome: Outcome
    reason: str | None = None
    detail: str | None = None
    delay: float | None = None
    done: Sequence[Done] = ()
    is_shared: bool = False
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
        """Answer its record as JSON, masked."""
        lease, delivery = self.lease, self.lease.delivery
        shown, body, is_cut = _shown(self.shows, delivery.body, lease.decoded)
        done = [it for it in self.done if it.key == shown.key] if self.is_shared else self.done
        begun = lease.begun_at
        return _ENCODER.encode(
            TapRecord(
                queue=delivery.queue.name,
                outcome=self.outcome,
                done_ms=int(self.at * 1000),
                message_id=delivery.message_id,
                event_type=shown.kind,
                key=shown.key or (done[0].key if done else None),
                attempt=delivery.receives,
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


class Sent(msgspec.Struct, frozen=True):
    """An outgoing message that SQS took, or refused for good (*reason* is its code)."""

    queue: str
    message: Outgoing
    shows: Shows | None
    reason: str | None = None
    at: float = msgspec.field(default_factory=time.time)

    @property
    def outcome(self) -> Outcome:
        """Whether SQS took it."""
        return "refused" if self.reason else "sent"

    @property
    def body(self) -> str:
        """The body that was sent."""
        return self.message.body

    def line(self, worker: str) -> bytes:
        """Answer its record as JSON, masked."""
        shown, body, is_cut = _shown(self.shows, self.message.body, None)
        at = int(self.at * 1000)
        return _ENCODER.encode(
            TapRecord(
                queue=self.queue,
                outcome=self.outcome,
                done_ms=at,
                message_id=self.message.deduplication or "",
                event_type=shown.kind,
                key=shown.key or self.message.group,
                reason=self.reason,
                sent_ms=at,
                worker=worker,
                size=len(self.message.body),
                body=body,
                truncated=is_cut,
            )
        )


def _shown(
    shows: Shows | None, body: str, decoded: "Decoded[object] | None"
) -> tuple[Shown, msgspec.Raw, bool]:
    """Answer what is shown of *body*: its kind and key, its masked JSON, and whether that was cut."""
    if shows is None:
        return Shown(), NO_BODY, False
    shown = shows(body if len(body) <= READ else "", decoded)
    if shown.body is None or len(shown.body) <= SHOWN:
        return shown, NO_BODY if shown.body is None else msgspec.Raw(shown.body), len(body) > READ
    beginning = shown.body[:SHOWN].decode(errors="ignore")
    return shown, msgspec.Raw(_ENCODER.encode(beginning)), True


def _effects(done: Sequence[Done]) -> list[Effect]:
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
