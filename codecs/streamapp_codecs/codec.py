"""What a codec is: bytes on the wire to events, and back."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, tzinfo
from typing import Generic, Protocol, TypeVar, cast

import msgspec

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """The facts about a message besides its body.

    *sent_at* is SQS's SentTimestamp, aware, in UTC. *zone* is used for times in the body without a zone.
    """

    queue: str
    message_id: str
    sent_at: datetime
    attributes: Mapping[str, str] = {}
    zone: tzinfo = UTC


class DecodeError(Exception):
    """A body that can never be processed.

    *reason* is one word, which a dead letter carries as `streamapp-reason`. *detail* is a path and a type, never a
    value.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class Decoded(msgspec.Struct, Generic[T_co], frozen=True):
    """All that one body holds: one body may wrap several events, and some of them may be bad.

    *events* are to be applied, in order. *skipped* has one name for each part that is to be acknowledged without
    effect: its kind, or what stands in for it. *error* is about the first part that can never be processed: then the
    body becomes a dead letter, once, after *events* were committed.
    """

    events: tuple[T_co, ...] = ()
    skipped: tuple[str, ...] = ()
    error: DecodeError | None = None


class Shown(msgspec.Struct, frozen=True):
    """What viewers may see of a body; nothing in it is personal.

    *kind* is the kind of its first event and *key* the id of its subject, where the codec can tell. *body* is JSON
    in which everything that may be personal is replaced; None if the body is no JSON.
    """

    kind: str | None = None
    key: str | None = None
    body: bytes | None = None


class Decoder(Protocol[T_co]):
    """What an agent subscribes with."""

    def decode(self, body: str, origin: Origin) -> Decoded[T_co]:
        """Return all that *body* holds. Total: it raises nothing, whatever the body is."""
        ...


class Showing(Protocol):
    """A codec that shows viewers what they may see of a body; without `show` they see no body.

    It raises nothing, whatever the body is; if it does, the message is recorded without a body.
    """

    def show(self, body: str, decoded: Decoded[object] | None) -> Shown:
        """Return what viewers may see of *body*, which is empty if only kind and key are wanted.

        *decoded* is what `decode` returned for it, if it was called.
        """
        ...


class Json(Generic[T]):
    """The plain codec of one msgspec type: the body is its JSON, read as it is.

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
        """Return what viewers may see of *body*, which is empty if only kind and key are wanted.

        *decoded* is what `decode` returned for it, if it was called.
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
