"""A struct as a hash, and back."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamapp.state.hash_codec import HashCodec, instant


class Item(msgspec.Struct, frozen=True):
    """A nested struct."""

    name: str
    n: int = 0


class All(msgspec.Struct, frozen=True):
    """A field of every kind."""

    text: str
    status: Literal["new", "Em preparação"]
    flag: bool
    whole: int
    money: Decimal
    at: datetime
    ratio: float
    items: tuple[Item, ...]
    words: dict[str, int]
    maybe_text: str | None = None
    maybe_flag: bool | None = None
    maybe_whole: int | None = None
    maybe_money: Decimal | None = None
    maybe_at: datetime | None = None
    maybe_items: tuple[Item, ...] | None = None
    either: str | int | None = None
    hidden: str | None = msgspec.field(default=None, name="_hidden")


CODEC = HashCodec(All)
# SQS and JSON carry no lone surrogates; everything else may be in a text.
TEXT = st.text(st.characters(exclude_categories=("Cs",)))
MONEY = st.decimals(allow_nan=False, allow_infinity=False, places=2)
TIMES = st.datetimes(
    datetime(2, 1, 1),  # noqa: DTZ001 - Hypothesis adds the zone
    datetime(9998, 1, 1),  # noqa: DTZ001
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=-3))]),
)
ITEMS = st.lists(st.builds(Item, TEXT, st.integers(-(2**53), 2**53))).map(tuple)
WHOLE = st.integers(-(2**63), 2**63 - 1)
VALUES = st.builds(
    All,
    text=TEXT,
    status=st.sampled_from(["new", "Em preparação"]),
    flag=st.booleans(),
    whole=WHOLE,
    money=MONEY,
    at=TIMES,
    ratio=st.floats(allow_nan=False, allow_infinity=False),
    items=ITEMS,
    words=st.dictionaries(TEXT, WHOLE),
    maybe_text=st.none() | TEXT,
    maybe_flag=st.none() | st.booleans(),
    maybe_whole=st.none() | WHOLE,
    maybe_money=st.none() | MONEY,
    maybe_at=st.none() | TIMES,
    maybe_items=st.none() | ITEMS,
    either=st.none() | TEXT | WHOLE,
    hidden=st.none() | TEXT,
)


@given(VALUES)
def test_every_kind_of_field_comes_back(value: All) -> None:
    """What is read is what was written."""
    assert CODEC.read(CODEC.write(value)) == value


@given(VALUES)
def test_the_hash_is_text_and_none_is_absent(value: All) -> None:
    """Redis holds text only, and there is no text for None."""
    fields = CODEC.write(value)

    assert all(isinstance(text, str) for text in fields.values())
    assert ("maybe_text" in fields) == (value.maybe_text is not None)
    assert "None" not in {fields.get("maybe_whole"), fields.get("either")}


@given(VALUES, st.dictionaries(TEXT.map(lambda name: f"_other:{name}"), TEXT))
def test_unknown_fields_are_ignored(value: All, others: dict[str, str]) -> None:
    """The token and what is pending are in the same hash, and a newer version may add fields."""
    assert CODEC.read(others | CODEC.write(value)) == value


def test_what_people_read_with_hgetall_is_readable() -> None:
    """Plain text, `1` and `0`, digits, RFC 3339 in UTC."""
    at = datetime(2026, 1, 2, 3, 4, 5, 678, timezone(timedelta(hours=-3)))
    fields = CODEC.write(
        All("a b", "Em preparação", True, 7, Decimal("51.00"), at, 0.5, (Item("x", 1),), {"a": 1})
    )

    assert fields == {
        "text": "a b",
        "status": "Em preparação",
        "flag": "1",
        "whole": "7",
        "money": "51.00",
        "at": "2026-01-02T06:04:05.000678Z",
        "ratio": "0.5",
        "items": '[{"name":"x","n":1}]',
        "words": '{"a":1}',
    }


def test_an_encoded_name_is_the_name_in_the_hash() -> None:
    """The names of a struct's own bookkeeping begin with an underscore in the hash, not in Python."""
    fields = CODEC.write(next_value(hidden="h"))

    assert fields["_hidden"] == "h"
    assert "_hidden" in CODEC.names


def test_an_empty_hash_is_no_state() -> None:
    """The key is not there, or holds bookkeeping only."""
    assert CODEC.read({}) is None
    assert CODEC.read({"_t": "token", "_o:1": "{}"}) is None


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("whole", "many"),
        ("money", "R$ 5"),
        ("at", "yesterday"),
        ("items", "{"),
        ("words", "[]"),
        ("ratio", ""),
    ],
)
def test_a_text_that_is_no_value_of_its_type_is_an_error(field: str, text: str) -> None:
    """A hash of another program must not become a state."""
    fields = CODEC.write(next_value())

    with pytest.raises(msgspec.MsgspecError):
        CODEC.read(fields | {field: text})


def test_a_missing_field_that_must_be_there_is_an_error() -> None:
    """Half a state is none."""
    fields = CODEC.write(next_value())
    del fields["text"]

    with pytest.raises(msgspec.ValidationError):
        CODEC.read(fields)


def test_a_str_field_that_holds_something_else_is_not_written() -> None:
    """A struct does not check what is put into it, and the Redis client would refuse the whole batch."""
    with pytest.raises(TypeError):
        CODEC.write(next_value(text=7))


def test_an_instant_ends_with_z() -> None:
    """One moment is spelled in one way, whatever zone it came in."""
    assert instant(datetime(2026, 1, 1, tzinfo=UTC)) == "2026-01-01T00:00:00Z"


def next_value(**changes: Any) -> All:
    """Return some value, with *changes*."""
    value = All("t", "new", False, 1, Decimal(1), datetime(2026, 1, 1, tzinfo=UTC), 1.0, (), {})
    return msgspec.structs.replace(value, **changes)
