"""A bug in the declaration of one table fails the events that meet it, and nothing else of their flush."""

from collections import Counter
from typing import Any

import msgspec
import pytest

from streamapp import App, Stream
from streamapp.config import Config
from streamapp_codecs import Json


class Ev(msgspec.Struct, frozen=True):
    """An event of a key."""

    key: str


class Good(msgspec.Struct, frozen=True):
    """A state without a bug."""

    key: str


class Exits(BaseException):
    """No `Exception`, as `SystemExit` is."""


class Shy(msgspec.Struct, frozen=True):
    """A state that is written and cannot be read back once *armed*."""

    key: str

    def __post_init__(self) -> None:
        """Raise what is armed."""
        if armed:
            raise armed[0]


class Lonely(msgspec.Struct, frozen=True, eq=False):
    """A state that cannot be compared."""

    key: str

    def __eq__(self, other: object) -> bool:
        """Raise."""
        raise KeyError(self.key)

    def __ne__(self, other: object) -> bool:
        """Raise."""
        raise KeyError(self.key)

    __hash__ = object.__hash__


class Odd(msgspec.Struct, frozen=True):
    """A state with a member that no hash codec writes."""

    key: Any


armed: list[BaseException] = []


def exits(state: Good | None, event: Ev) -> Good:
    """Raise what is no `Exception`."""
    del state, event
    raise Exits


DECLARATIONS: dict[str, dict[str, Any]] = {
    "identity that is no text": {"identity": lambda _: 5},
    "identity that is half a character": {"identity": lambda _: "\ud83c"},
    "identity of bytes": {"identity": lambda _: b"5"},
    "state that cannot be compared": {"of": Lonely, "fold": lambda _, event: Lonely(event.key)},
    "state that cannot be written": {"of": Odd, "fold": lambda _, event: Odd(lambda: event)},
    "state that is none": {"fold": lambda _, event: event.key},
    "state that cannot be read": {"of": Shy, "fold": lambda _, event: Shy(event.key), "armed": LookupError()},
    "state that exits when it is read": {
        "of": Shy,
        "fold": lambda _, event: Shy(event.key),
        "armed": Exits(),
    },
    "fold that exits": {"fold": exits},
    "announce that exits": {"announce": lambda _, after: exits(None, after)},
}


@pytest.mark.parametrize("bug", DECLARATIONS)
async def test_a_bug_of_one_table_fails_only_its_own_events(bug: str) -> None:
    """They share a flush with good events of another queue, which are done at their first receive."""
    declared = {
        "of": Good,
        "fold": lambda state, event: state or Good(event.key),
        "announce": lambda _, after: after,
        **DECLARATIONS[bug],
    }
    later, identity = declared.pop("armed", None), declared.pop("identity", None)
    app = App("bugs")
    out: Any = app.sink("out", Json(Good), identity=identity)
    good: Any = app.table("good", Good, fold=lambda state, event: state or Good(event.key))
    bad: Any = app.table("bad", declared.pop("of"), to=out, **declared)

    @app.agent("bad-events", Json(Ev), concurrency=10)
    async def failing(events: Stream[Ev]) -> None:
        async for event in events:
            await bad.update(event.key, event)
            if later is not None:
                await bad.get(event.key)

    @app.agent("good-events", Json(Ev), concurrency=10)
    async def passing(events: Stream[Ev]) -> None:
        async for event in events:
            await good.update(event.key, event)
            await good.get(event.key)

    armed.clear()
    try:
        async with app.test(Config(max_attempts=2)) as t:
            if later is not None:
                await t.send("bad-events", Ev("b"))
                await t.settle()
                armed.append(later)
            for n in range(10):
                await t.send("bad-events", *(Ev("b" if later is not None else f"b{n}{i}") for i in range(5)))
                await t.send("good-events", *(Ev(f"g{n}{i}") for i in range(5)))
                await t.advance(0.5)
            await t.settle()
            receives = Counter(t.sqs.ledger.receives("good-events").values())

            assert len(t.dead("bad-events")) == 50
            assert (len(t.table("good")), t.dead("good-events")) == (50, [])
            assert set(receives) == {1}
    finally:
        armed.clear()


async def test_a_fold_that_fails_after_it_changed_a_state_leaves_nothing_behind() -> None:
    """The next event of the key, in the same flush, starts from what is stored."""

    class Sum(msgspec.Struct):
        total: int = 0

    def fold(state: Sum | None, event: int) -> Sum:
        state = state or Sum()
        if event < 0:
            state.total += abs(event)
            raise ValueError(event)
        return Sum(state.total + event)

    app = App("sums")
    sums = app.table("sum", Sum, fold=fold)

    @app.agent("numbers", Json(int), concurrency=10)
    async def add(numbers: Stream[int]) -> None:
        async for number in numbers:
            await sums.update("all", number)

    async with app.test(Config(max_attempts=1)) as t:
        await t.send("numbers", 1, -5, 2, -7, 3)
        await t.settle()

        assert t.table("sum")["all"] == Sum(6)
