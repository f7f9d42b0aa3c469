"""How an app's keys are spelled in Redis."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamapp.state.keys import plain


@pytest.mark.parametrize("key", ["7", "order-7.a_B", "x" * 64])
def test_a_short_plain_key_is_spelled_as_it_is(key: str) -> None:
    """People look for it with `redis-cli`."""
    assert plain(key) == key


@given(
    st.sets(st.text(st.characters(exclude_categories=("Cs",))) | st.text("a:{}*~-", max_size=3), max_size=20)
)
def test_different_keys_are_spelled_differently_and_without_special_characters(keys: set[str]) -> None:
    """A colon would end the name of the table, a brace would choose a slot of the cluster, a star is a pattern."""
    spelled = {plain(key) for key in keys}

    assert len(spelled) == len(keys)
    assert all(set(":{}*").isdisjoint(key) and 1 <= len(key) <= 65 for key in spelled)
