"""What a codec is: bytes on the wire to events, and back."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, tzinfo
from typing import Generic, Literal, Protocol, TypeVar, cast, get_args

import msgspec

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

Reason = Literal[
    "not_json",
    "missing_field",
    "invalid_value",
    "undecidable",
    "too_deep",
    "s3_pointer",
    "too_large",
    "unknown_envelope",
]
"""Why a body can never be decoded: the word that a dead letter carries as `streamapp-reason`."""

REASONS: tuple[Reason, ...] = get_args(Reason)


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a message besides its body.

    *sent_at* is SQS's SentTimestamp, aware, in UTC. *zone* is the zone of times in the body that carry none.
    """

    queue: str
    message_id: str
    sent_at: datetime
    attributes: Mapping[str, str] = {}
    zone: tzinfo = UTC


class DecodeError(Exception):
    """A body that can never be processed: *reason* is one word, *detail* a path and a type, never a value."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason: Reason = reason
        self.detail = detail


class Decoded(msgspec.Struct, Generic[T_co], frozen=True):
    """All that one body holds: one body may wrap several events, and some of them may be bad.

    *events* are to be applied, in order. *skipped* names (the kind, or what stands in for it) each part that
    is to be acknowledged without effect. *error* is the first part that can never be processed: the body is
    dead-lettered once, after *events* have been committed.
    """

    events: tuple[T_co, ...] = ()
    skipped: tuple[str, ...] = ()
    error: DecodeError | None = None


class Shown(msgspec.Struct, frozen=True):
    """What viewers may see of a body; nothing in it is personal.

    *kind* is the kind of its first event and *key* what that is about, where the codec knows them. *body* is JSON
    with what may be personal replaced; None where the body is none.
    """

    kind: str | None = None
    key: str | None = None
    body: bytes | None = None


class Decoder(Protocol[T_co]):
    """What an agent subscribes with."""

    def decode(self, body: str, origin: Origin) -> Decoded[T_co]:
        """Return all that *body* holds. Total: it raises nothing, whatever the body is."""
        ...


class Json(Generic[T]):
    """The plain codec of one msgspec type: the body is its JSON, nothing is adapted.

    Viewers see the fields that the type declares, except what lies under one of the names in *private*.
    """

    def __init__(self, of: type[T], *, private: Collection[str] = ()) -> None:
        self.wire: tuple[type[T], ...] = (of,)
        self._decoder = msgspec.json.Decoder(of)
        self._encoder = msgspec.json.Encoder()
        self._private = frozenset(private)

    def decode(self, body: str, origin: Origin) -> Decoded[T]:
        """Return the one value that *body* holds, or why it holds none."""
        del origin
        try:
            return Decoded(events=(self._decoder.decode(body),))
        except msgspec.ValidationError as error:
            # The text before " - at `" can hold the value; the path after it cannot.
            path = str(error).rpartition(" - at ")[2] if " - at " in str(error) else "`$`"
            return Decoded(error=DecodeError("invalid_value", f"at {path}"))
        except (msgspec.DecodeError, UnicodeError):
            return Decoded(error=DecodeError("not_json", "the body is not JSON"))
        except RecursionError:
            return Decoded(error=DecodeError("too_deep", "the body is nested too deep"))

    def encode(self, value: T) -> str:
        """Return *value* as JSON text."""
        return self._encoder.encode(value).decode()

    def show(self, body: str, decoded: Decoded[object] | None) -> Shown:
        """Return what viewers may see of *body*, which is empty where only kind and key are wanted.

        *decoded* is what `decode` made of it, if it was asked.
        """
        events: tuple[object, ...] = self.decode(body, _NOWHERE).events if decoded is None else decoded.events
        if not events:
            return Shown()
        value = events[0]
        tag = value.__struct_config__.tag if isinstance(value, msgspec.Struct) else None
        kind = tag if isinstance(tag, str) else None
        if not body:
            return Shown(kind)
        seen = _without(msgspec.to_builtins(value), self._private) if self._private else value
        return Shown(kind, body=self._encoder.encode(seen))


_NOWHERE = Origin(queue="", message_id="", sent_at=datetime.fromtimestamp(0, UTC))

HIDDEN = "***"
"""What viewers see instead of what may be personal."""


def _without(value: object, private: Collection[str]) -> object:
    if isinstance(value, dict):
        members = cast("dict[str, object]", value).items()
        return {name: HIDDEN if name in private else _without(member, private) for name, member in members}
    if isinstance(value, list):
        return [_without(member, private) for member in cast("list[object]", value)]
    return value
