"""What viewers are shown of a message body."""

import time
from collections.abc import Callable
from typing import cast

import msgspec

from streamapp.messages import Outgoing
from streamapp.observe.tap_record import NO_BODY, Outcome, TapRecord
from streamapp_codecs import Decoded, Showing, Shown

_ENCODER = msgspec.json.Encoder()

SHOWN = 8 * 1024
"""Bytes of a masked body that are shown."""

READ = 32 * 1024
"""Characters up to which a body is masked; to mask a longer one would block the event loop."""

ShowBody = Callable[[str, "Decoded[object] | None"], Shown]
"""Returns what viewers may see of a body; a codec's `show`."""


def show_body_of(codec: object) -> ShowBody | None:
    """Return the `show` of *codec*; None if it has none, and then no body is shown."""
    return cast("Showing", codec).show if hasattr(codec, "show") else None


class SendAttempt(msgspec.Struct, frozen=True):
    """An outgoing message that SQS accepted, or refused permanently (*reason* is its code)."""

    queue: str
    message: Outgoing
    show_body: ShowBody | None
    reason: str | None = None
    at: float = msgspec.field(default_factory=time.time)

    @property
    def outcome(self) -> Outcome:
        """Whether SQS accepted it."""
        return "refused" if self.reason else "sent"

    @property
    def body(self) -> str:
        """The body that was sent."""
        return self.message.body

    def line(self, worker: str) -> bytes:
        """Return its record as JSON, masked."""
        shown, body, is_cut = shown_body(self.show_body, self.message.body, None)
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


def shown_body(
    show_body: ShowBody | None, body: str, decoded: "Decoded[object] | None"
) -> tuple[Shown, msgspec.Raw, bool]:
    """Return what is shown of *body*: its kind and key, its masked JSON, and whether that is cut."""
    if show_body is None:
        return Shown(), NO_BODY, False
    shown = show_body(body if len(body) <= READ else "", decoded)
    if shown.body is None or len(shown.body) <= SHOWN:
        return shown, NO_BODY if shown.body is None else msgspec.Raw(shown.body), len(body) > READ
    beginning = shown.body[:SHOWN].decode(errors="ignore")
    return shown, msgspec.Raw(_ENCODER.encode(beginning)), True
