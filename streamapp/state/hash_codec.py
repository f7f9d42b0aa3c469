"""A struct as a Redis hash, and back: one readable text for each field."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from types import MappingProxyType, NoneType, UnionType
from typing import Any, Generic, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec

from streamapp.state.immutable import is_immutable

S = TypeVar("S", bound=msgspec.Struct)


class HashCodec(Generic[S]):
    """Reads and writes one struct type.

    A str is its own text, a bool `1` or `0`, a number its digits, a datetime RFC 3339 in UTC with `Z`; anything
    else is JSON. None is an absent field, and an absent field is read as None. Fields whose wire name
    begins with `_` are the struct's own bookkeeping.
    """

    def __init__(self, of: type[S]) -> None:
        self.of = of
        hints = get_type_hints(of)
        self._fields = [
            (field.name, field.encode_name, *_text_of(hints[field.name]))
            for field in msgspec.structs.fields(of)
        ]
        # What must be there: without it no event of the key could be applied any more.
        self._required = {field.name for field in msgspec.structs.fields(of) if field.required}
        self._unknown = {name: None for name, hint in hints.items() if NoneType in get_args(hint)}
        self.names = frozenset(encoded for _, encoded, *_ in self._fields)
        self.is_immutable = is_immutable(of)
        """Whether no part of a value can be changed in place."""

    def write(self, value: S, stored: Mapping[str, str] = MappingProxyType({})) -> dict[str, str]:
        """Return the hash fields of *value*. What is *stored* has been read, so the same text can be read again.

        Raises `UnicodeEncodeError` for an unpaired surrogate, which no hash takes, and another error for a member of a
        wrong type, unless that is inside a nested struct: what cannot be read again would fail all later events of its key.
        """
        fields: dict[str, str] = {}
        for name, encoded, to_text, from_text, is_tried in self._fields:
            member = getattr(value, name)
            if member is not None:
                if to_text is not _text or type(member) is not str:
                    member = to_text(member)
                if not member.isascii():
                    member.encode()  # raise here: later, what is committed with it would fail too
                if is_tried and stored.get(encoded) != member:
                    from_text(member)  # raise here, as above
                fields[encoded] = member
            elif name in self._required and name not in self._unknown:
                raise msgspec.ValidationError(f"{name} of {self.of.__name__} is None")
        return fields

    def read(self, fields: Mapping[str, str]) -> S | None:
        """Return the value in *fields*, None when none of its fields is there.

        Raises `msgspec.ValidationError` or `msgspec.DecodeError` if they hold something else.
        """
        members = {
            name: from_text(fields[encoded])
            for name, encoded, _, from_text, _ in self._fields
            if encoded in fields
        }
        if not members:
            return None
        try:
            return self.of(**{**self._unknown, **members})
        except TypeError as error:
            raise msgspec.ValidationError(f"the hash lacks fields of {self.of.__name__}") from error


def _text_of(hint: object) -> tuple[Callable[[Any], str], Callable[[str], Any], bool]:
    """Return how a member of this type becomes text, how it is read back, and whether that is tried before it is stored."""
    kinds = set(get_args(hint) if get_origin(hint) in {Union, UnionType} else (hint,))
    kinds.discard(NoneType)
    kind = kinds.pop() if len(kinds) == 1 else object
    if kind is str or (get_origin(kind) is Literal and all(isinstance(word, str) for word in get_args(kind))):
        return _text, _same, False
    if kind is bool:
        return lambda value: "1" if value else "0", lambda text: text == "1", False
    if kind is int or kind is Decimal:
        return partial(_digits, kind), partial(msgspec.convert, type=kind, strict=False), False
    if kind is datetime:
        return instant, partial(msgspec.convert, type=datetime, strict=False), False
    encoder, decoder = msgspec.json.Encoder(), msgspec.json.Decoder(hint)
    return lambda value: encoder.encode(value).decode(), decoder.decode, not _has_structs(hint)


def _has_structs(hint: object) -> bool:
    """Whether a struct may be part of a value; to read it again would cost as much as all the rest of a state."""
    kind = get_origin(hint) or hint
    return (isinstance(kind, type) and issubclass(kind, msgspec.Struct)) or any(
        map(_has_structs, get_args(hint))
    )


def _digits(kind: type[int | Decimal], value: object) -> str:
    text = str(value)
    if type(value) is not kind:
        msgspec.convert(text, type=kind, strict=False)
    return text


def instant(value: datetime) -> str:
    """Return an aware time as RFC 3339 in UTC with `Z`."""
    text: str = msgspec.to_builtins(value if value.tzinfo is UTC else value.astimezone(UTC))
    return text


def _text(value: object) -> str:
    if not isinstance(value, str):
        # A struct does not check what is put into it later, and Redis would take no other type.
        raise TypeError(value)
    return str(value)


def _same(text: str) -> str:
    return text
