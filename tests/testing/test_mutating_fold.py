"""A fold that changes the state it was given is an error of its event, on both of anyio's back ends."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from streamapp import App, Stream
from streamapp.errors import StateMutated
from streamapp_codecs import Json


class Ev(msgspec.Struct, frozen=True):
    """An event."""

    key: str
    n: int


class Open(msgspec.Struct):
    """A state that can be changed in place."""

    key: str
    n: int = 0


class Nested(msgspec.Struct, frozen=True):
    """A frozen state with parts that can be changed in place."""

    key: str
    ns: list[int]
    by_n: dict[str, int]


def sets_a_field(state: Open | None, event: Ev) -> Open:
    """Set a field."""
    state = state or Open(event.key)
    state.n = max(state.n, event.n)
    return state


def sets_and_copies(state: Open | None, event: Ev) -> Open:
    """Set a field of the old state, and return a new one."""
    state = sets_a_field(state, event)
    return msgspec.structs.replace(state)


def appends(state: Nested | None, event: Ev) -> Nested:
    """Append to a list inside a frozen struct."""
    state = state or Nested(event.key, [], {})
    state.ns.append(event.n)
    return msgspec.structs.replace(state)


def puts(state: Nested | None, event: Ev) -> Nested:
    """Put into a dict inside a frozen struct."""
    state = state or Nested(event.key, [], {})
    state.by_n[str(event.n)] = event.n
    return state


def sets_and_raises(state: Open | None, event: Ev) -> Open:
    """Raise after the change."""
    after = sets_a_field(state, event)
    if event.n == 2:
        raise ValueError
    return Open(after.key, after.n)


def build(of: Any, fold: Callable[..., Any], seen: list[Any], instances: int) -> App:
    """Return an app with that table."""
    app = App("m")
    table = app.table("t", of, fold=fold, announce=lambda _, after: after, to=app.sink("out", Json(of)))

    @app.agent("in", Json(Ev), concurrency=10, instances=instances)
    async def agent(stream: Stream[Ev]) -> None:
        async for event in stream:
            try:
                seen.append(await table.update(event.key, event))
            except Exception as error:
                seen.append(error)
                raise

    return app


@pytest.mark.parametrize("instances", [1, 10])
@pytest.mark.parametrize(
    ("of", "fold"), [(Open, sets_a_field), (Open, sets_and_copies), (Nested, appends), (Nested, puts)]
)
async def test_it_is_an_error_of_that_event(of: Any, fold: Callable[..., Any], instances: int) -> None:
    """Its announcement would be dropped silently. Nothing of the changed state is committed."""
    seen: list[Any] = []
    async with build(of, fold, seen, instances).test() as t:
        await t.send("in", Ev("a", 1), Ev("a", 2), Ev("b", 1))
        await t.settle()

        assert set(t.table("t")) == {"a", "b"}
        assert fold(None, Ev("a", 1)) in [t.table("t")["a"], fold(None, Ev("a", 2))]
        assert t.table("t")["a"] in [fold(None, Ev("a", 1)), fold(None, Ev("a", 2))]
        assert len(t.sent("out")) == 2
        assert [letter.detail for letter in t.dead("in")] == ["StateMutated"]
        errors = [each for each in seen if isinstance(each, Exception)]
        assert {type(error) for error in errors} == {StateMutated}
        assert "'t'" in str(errors[0])
        assert "replace" in str(errors[0])
        # What the agents were given is what was committed.
        assert t.table("t")["a"] in seen
        assert len(seen) - len(errors) == 2


async def test_what_a_fold_changed_before_it_raised_is_not_committed() -> None:
    """The next event of its flush folds into what was read."""
    async with build(Open, sets_and_raises, [], 10).test() as t:
        await t.send("in", Ev("a", 1))
        await t.settle()
        await t.send("in", Ev("a", 2), Ev("b", 2))
        await t.settle()

        assert dict(t.table("t")) == {"a": Open("a", 1)}


async def test_a_fold_that_returns_new_states_may_use_any_type() -> None:
    """A state that is not frozen is no error; only to change it is."""
    seen: list[Any] = []

    def good(state: Open | None, event: Ev) -> Open:
        return Open(event.key, max(event.n, state.n if state else 0))

    async with build(Open, good, seen, 10).test() as t:
        await t.send("in", *(Ev("a", n) for n in range(9)))
        await t.settle()

        assert t.table("t")["a"] == Open("a", 8)
        assert t.dead("in") == []


async def test_a_hash_that_was_written_in_another_way_is_no_change() -> None:
    """An older version, or an operator, may have written the same state with other texts."""
    async with build(Nested, lambda state, event: state or Nested(event.key, [], {}), [], 1).test() as t:
        await t.send("in", Ev("a", 1))
        await t.settle()
        t.store.values.get("streamapp:t:a").fields["ns"] = "[ ]"
        await t.send("in", Ev("a", 2))
        await t.settle()

        assert t.dead("in") == []
