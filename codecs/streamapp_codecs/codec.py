"""What a codec is: bytes on the wire to events, and back."""

from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from typing import Generic, Literal, Protocol, TypeVar, get_args

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


class Decoder(Protocol[T_co]):
    """What an agent subscribes with."""

    def decode(self, body: str, origin: Origin) -> Decoded[T_co]:
        """Answer all that *body* holds. Total: it raises nothing, whatever the body is."""
        ...


class Json(Generic[T]):
    """The plain codec of one msgspec type: the body is its JSON, nothing is adapted."""

    def __init__(self, of: type[T]) -> None:
        self.wire: tuple[type[T], ...] = (of,)
        self._decoder = msgspec.json.Decoder(of)
        self._encoder = msgspec.json.Encoder()

    def decode(self, body: str, origin: Origin) -> Decoded[T]:
        """Answer the one value that *body* holds, or why it holds none."""
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
        """Answer *value* as JSON text."""
        return self._encoder.encode(value).decode()
