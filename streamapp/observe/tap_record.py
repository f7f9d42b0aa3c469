"""The record: what the tap shows viewers about one message. Its JSON Schema is in docs/tap-record.json."""

from typing import Annotated, Literal, get_args

import msgspec
from msgspec import Meta

VERSION = 1
"""Version of the record; it changes only when a field changes its meaning."""

Outcome = Literal["ok", "duplicate", "skipped", "retry", "dead", "invalid", "sent", "refused"]
"""How an attempt ended; for an announcement, whether SQS accepted it."""

OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)

ERRORS: frozenset[Outcome] = frozenset({"retry", "dead", "invalid", "refused"})
"""The outcomes that are recorded with STREAMAPP_TAP=errors."""

NO_BODY = msgspec.Raw(b"null")


class Effect(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an attempt changed under one key of one table."""

    table: str
    key: str
    fields: Annotated[
        dict[str, tuple[str | None, str | None]],
        Meta(description="Text before and after, by field; null is unknown. Long texts are cut"),
    ] = {}


class TapRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One finished attempt at a message, or one announcement sent. Nothing in it is personal. Times are Unix milliseconds."""

    v: Annotated[int, Meta(description="Version of this record")] = VERSION
    queue: Annotated[
        str,
        Meta(
            description="Name of the SQS queue: where the message came from, or where the announcement went"
        ),
    ]
    outcome: Annotated[Outcome, Meta(description="How it ended")]
    done_ms: Annotated[int, Meta(description="When it ended")]
    message_id: Annotated[str, Meta(description="SQS's message id; for an announcement its event id")] = ""
    event_type: Annotated[
        str | None, Meta(description="Kind of the event; of the first one if a body has several")
    ] = None
    key: Annotated[str | None, Meta(description="What the event is about: the order's id")] = None
    attempt: Annotated[int, Meta(description="SQS's receive count")] = 1
    reason: Annotated[str | None, Meta(description="One word: why it did not succeed")] = None
    detail: Annotated[
        str | None, Meta(description="More about the reason: a path and a type, never a value")
    ] = None
    delay_s: Annotated[float | None, Meta(description="Seconds after which a retry comes again")] = None
    sent_ms: Annotated[int | None, Meta(description="When the message was sent, by SQS's clock")] = None
    received_ms: Annotated[int | None, Meta(description="When the worker received it")] = None
    took_ms: Annotated[float | None, Meta(description="Milliseconds that the agent had it in hand")] = None
    worker: Annotated[str, Meta(description="Id of the worker")] = ""
    effects: Annotated[tuple[Effect, ...], Meta(description="What it changed")] = ()
    size: Annotated[int, Meta(description="Characters of the body as it came")] = 0
    body: Annotated[
        msgspec.Raw,
        Meta(
            description="The body as JSON, masked; if *truncated* a string with its beginning; null if it is not JSON"
        ),
    ] = msgspec.field(default_factory=lambda: NO_BODY)
    truncated: Annotated[bool, Meta(description="Whether there is more of the body than is shown")] = False

    @property
    def content(self) -> object:
        """The value of the body; None if there is none."""
        return msgspec.json.decode(self.body)


def schema() -> dict[str, object]:
    """Return the JSON Schema of a record, as `tail -o json` prints it."""
    (found,), definitions = msgspec.json.schema_components([TapRecord], ref_template="#/$defs/{name}")
    del found
    record = definitions["TapRecord"]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **record,
        "$defs": {"Effect": definitions["Effect"]},
    }
