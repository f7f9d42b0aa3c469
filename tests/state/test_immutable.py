"""Which types need no look for changes in place."""

import dataclasses
import enum
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Generic, Literal, NamedTuple, NewType, TypeVar

import msgspec
import pytest

import streamapp_agents
from streamapp.state.immutable import is_immutable

T = TypeVar("T")
Cents = NewType("Cents", int)


class Kind(enum.Enum):
    """An enum."""

    A = "a"


class Pair(NamedTuple):
    """A named tuple."""

    a: int
    b: str


class Open(msgspec.Struct):
    """A struct that is not frozen."""

    n: int


class Frozen(msgspec.Struct, Generic[T], frozen=True):
    """A frozen one of something."""

    value: T
    rest: "Frozen[T] | None" = None


class Deep(msgspec.Struct, frozen=True):
    """One with all kinds of parts."""

    text: str | None
    word: Literal["a", "b"]
    when: Frozen[datetime]
    sums: tuple[Decimal, ...]
    kinds: frozenset[Kind]
    pair: Pair
    cents: Cents
    by_name: Mapping[str, Sequence[Frozen[float]]]


@dataclasses.dataclass(frozen=True)
class Data:
    """A frozen dataclass."""

    n: int


@pytest.mark.parametrize("hint", [str, None, Deep, Data, Frozen[int], Frozen[tuple[str, ...]], str | Kind])
def test_a_type_whose_parts_cannot_be_changed_is_immutable(hint: object) -> None:
    """No fold can change such a state, so its table pays nothing."""
    assert is_immutable(hint)


@pytest.mark.parametrize(
    "hint",
    [
        *(Open, Any, object, list[int], dict[str, int], bytearray, tuple, Sequence, int | set[int]),
        *(Frozen, Frozen[list[int]], Frozen[Open], tuple[Open, ...], Mapping[str, list[int]]),
    ],
)
def test_a_type_that_does_not_say_so_is_not(hint: object) -> None:
    """A list inside a frozen struct can be changed."""
    assert not is_immutable(hint)


def test_the_shops_tables_pay_nothing() -> None:
    """All their states are immutable by their types."""
    assert all(table.folding.hash_codec.is_immutable for table in streamapp_agents.app.tables.values())
