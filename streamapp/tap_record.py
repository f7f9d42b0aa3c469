"""What the tap tells viewers about one message: the record, documented as a JSON Schema."""

from typing import Literal, get_args

import msgspec

VERSION = 1
"""Of the record; it changes only when a field changes its meaning."""

Outcome = Literal["ok", "duplicate", "skipped", "retry", "dead", "invalid", "sent", "refused"]
"""How an attempt ended; of an announcement, whether SQS took it."""

OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)

ERRORS: frozenset[Outcome] = frozenset({"retry", "dead", "invalid", "refused"})
"""The outcomes that STREAMAPP_TAP=errors still tells of."""


NO_BODY = msgspec.Raw(b"null")


class Effect(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an attempt changed under one key of one table."""

    table: str
    key: str
    fields: dict[str, tuple[str | None, str | None]] = {}
    """Text before and after, by field; null is unknown. Long texts are cut."""


class TapRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One finished attempt at a message, or one announcement sent. Nothing in it is personal. Times are Unix milliseconds."""

    v: int = VERSION
    """Version of this record."""
    queue: str
    """Name of the SQS queue: where the message came from, or where the announcement went."""
    outcome: Outcome
    """How it ended."""
    done_ms: int
    """When it ended."""
    message_id: str = ""
    """SQS's message id; of an announcement its event id."""
    event_type: str | None = None
    """Kind of the event, the first one where a body holds several."""
    key: str | None = None
    """What the event is about: the order's id."""
    attempt: int = 1
    """SQS's receive count."""
    reason: str | None = None
    """One word: why it did not succeed."""
    detail: str | None = None
    """More about that: a path and a type, never a value."""
    delay_s: float | None = None
    """Seconds after which a retry comes again."""
    sent_ms: int | None = None
    """When the message was sent, by SQS's clock."""
    received_ms: int | None = None
    """When the worker received it."""
    took_ms: float | None = None
    """Milliseconds that the agent had it in hand."""
    worker: str = ""
    """Id of the worker."""
    effects: tuple[Effect, ...] = ()
    """What it changed."""
    size: int = 0
    """Characters of the body as it came."""
    body: msgspec.Raw = msgspec.field(default_factory=lambda: NO_BODY)
    """The body as JSON, masked; a string of its beginning where *truncated*; null where it is no JSON."""
    truncated: bool = False
    """Whether there is more of the body than is shown."""

    @property
    def content(self) -> object:
        """The body's value; None where there is none."""
        return msgspec.json.decode(self.body)


def schema() -> dict[str, object]:
    """Answer the JSON Schema of a record, as `tail -o json` prints it."""
    (found,), definitions = msgspec.json.schema_components([TapRecord], ref_template="#/$defs/{name}")
    del found
    record = definitions["TapRecord"]
    record["properties"]["body"] = {"description": "any JSON value"}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **record,
        "$defs": {"Effect": definitions["Effect"]},
    }
