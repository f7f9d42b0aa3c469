"""Whether values of a type can be changed in place, decided by the type alone."""

import dataclasses
import enum
import uuid
from collections import abc
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec

_PLAIN = {
    str, int, float, bool, complex, bytes, NoneType, Decimal, date, datetime, time, timedelta, uuid.UUID,
    msgspec.UnsetType, msgspec.Raw,
}  # fmt: skip
"""Types without parts that could be changed."""

_CONTAINERS = {tuple, frozenset, abc.Mapping, abc.Sequence, abc.Set, abc.Collection}
"""Containers that are immutable, or that a type checker lets nobody change, if their members are."""


def is_immutable(hint: object) -> bool:
    """Whether no part of a value of this type can be changed in place; False where the type does not say."""
    try:
        return _is_immutable(hint, {}, set())
    except TypeError:  # an annotation that cannot be hashed
        return False


def _is_immutable(hint: Any, given: Mapping[object, bool], seen: set[object]) -> bool:  # noqa: ANN401 - any annotation
    """Decide with what is *given* for type variables; types in *seen* are being looked at, so they decide nothing."""
    hint = getattr(hint, "__supertype__", getattr(hint, "__value__", hint))  # of a NewType, of an alias
    if isinstance(hint, TypeVar):
        return given.get(hint, False)
    origin, args = get_origin(hint), get_args(hint)
    if hint is None or origin is Literal or hint in _PLAIN or hint in seen:
        return True
    known = [arg is ... or _is_immutable(arg, given, seen) for arg in args]
    if origin in {Union, UnionType} or origin in _CONTAINERS:
        return all(known)
    kind = origin or hint
    members = _members(kind) if isinstance(kind, type) else None
    if members is None:
        return False
    parameters = dict(zip(getattr(kind, "__parameters__", ()), known, strict=False))
    return all(_is_immutable(member, parameters, seen | {hint}) for member in members)


def _members(kind: type) -> abc.Collection[object] | None:
    """Return the types of the parts of an instance; None if it can be changed itself, or says nothing of its parts."""
    if issubclass(kind, enum.Enum):
        return ()
    if not _is_frozen(kind):
        return None
    try:
        return get_type_hints(kind).values()
    except NameError:
        return None


def _is_frozen(kind: type) -> bool:
    """Whether no attribute of an instance can be set."""
    if issubclass(kind, msgspec.Struct):
        return kind.__struct_config__.frozen
    if dataclasses.is_dataclass(kind):
        return bool(kind.__dataclass_params__.frozen)  # type: ignore[attr-defined]  # the stubs leave it out
    return issubclass(kind, tuple) and hasattr(kind, "_fields")
