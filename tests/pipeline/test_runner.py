"""What an agent, or a codec of one's own, does wrong costs its own message an attempt, and nothing else."""

import enum
import json
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from anyio import move_on_after, sleep

from rigs.worker import ATTEMPTS, Add, Count, Rig
from streamapp.declared.index import Index
from streamapp.declared.table import Table
from streamapp.errors import Reject, Retry
from streamapp.observe.tap_writer import Tap, TapEntry
from streamapp.testing import Fail, MemoryStore
from streamapp_codecs import Decoded, Origin, Shown


class Words:
    """A codec of JSON by Python's own module, which reads what no other does; it shows no body."""

    def decode(self, body: str, origin: Origin) -> Decoded[Any]:
        """Return what *body* holds; a list is several events."""
        del origin
        value = json.loads(body)
        return Decoded(events=tuple(value) if isinstance(value, list) else (value,))

    def show(self, body: str, decoded: Decoded[object] | None) -> Shown:
        """Fail, as code does that nobody tried."""
        del decoded
        raise KeyError(body)


class Kept:
    """Where a tap writes."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []

    async def append(self, entries: Sequence[TapEntry]) -> None:
        """Keep the records."""
        self.lines += [json.loads(line) for entry in entries for line in entry.lines.splitlines()]


def watched(rig: Rig) -> Kept:
    """Let what *rig* does be told; answer to whom."""
    kept = Kept()
    rig.tap = Tap(kept, rig.tally)
    return kept


def dead(rig: Rig) -> list[Any]:
    """Return what the dead letters hold."""
    return [json.loads(body) for body in rig.bodies("orders-dlq")]


@pytest.mark.parametrize(
    ("detail", "told"), [(ValueError("17 is odd"), "17 is odd"), (None, "None"), ("half: \ud83c", "half: ?")]
)
async def test_a_reject_may_say_anything(rig: Rig, detail: Any, told: str) -> None:
    """An exception is what is at hand where one rejects; half a character is what a careless codec reads."""

    async def picky(events: Any) -> None:
        async for event in events:
            if event.n == 2:
                raise Reject("odd", detail)

    rig.agent(picky)
    kept = watched(rig)
    await rig.send(Add("a", n) for n in range(1, 6))
    assert await rig.work_off()

    assert dead(rig) == [{"key": "a", "n": 2}]
    assert [line["detail"] for line in kept.lines if line["outcome"] == "dead"] == [told]
    assert (rig.tally.of("ok"), rig.tally.of("received")) == (4, 5)


@pytest.mark.parametrize("after", [timedelta(seconds=1), "60", float("nan")])
async def test_a_retry_after_what_is_no_number_fails_alone(rig: Rig, after: Any) -> None:
    """Of the messages that go back with it each goes when it should."""
    tries: list[int] = []

    async def retrying(events: Any) -> None:
        async for event in events:
            tries.append(event.n)
            if event.n == 2:
                raise Retry(after)
            if event.n == 3 and tries.count(3) == 1:
                raise Retry(0)

    rig.agent(retrying)
    watched(rig)
    await rig.send(Add("a", n) for n in range(1, 6))
    assert await rig.work_off()

    assert dead(rig) == [{"key": "a", "n": 2}]
    assert (rig.tally.of("ok"), rig.tally.of("retry")) == (4, ATTEMPTS)
    rig.assert_accounted()


async def test_a_body_that_cannot_be_shown_is_processed_and_counted(rig: Rig) -> None:
    """Viewers miss a record, and the worker lives."""

    async def nothing(events: Any) -> None:
        async for _ in events:
            pass

    rig.agent(nothing, codec=Words())
    kept = watched(rig)
    await rig.send(['"one"', '"two"'])
    assert await rig.work_off()

    assert (rig.tally.of("ok"), rig.tally.of("tap_dropped")) == (2, 2)
    assert kept.lines == []


async def test_half_a_character_fails_alone(rig: Rig) -> None:
    """No hash takes it, and those that are committed with it are none the wiser."""

    class Name(msgspec.Struct, frozen=True):
        name: str

    names: Table[Name, str] = rig.app.table("name", Name, fold=lambda _, event: Name(event))
    index = Index("names")

    async def naming(events: Any) -> None:
        async for event in events:
            await names.update(event.encode(errors="replace").decode(), event)
            await index.add(["all"], event)

    rig.agent(naming, codec=Words())
    await rig.send(['"um"', '"d\\ud83c"', '"três"'])
    assert await rig.work_off()

    assert dead(rig) == ["d\ud83c"]
    assert rig.tally.of("ok") == 2
    assert await rig.store.members(f"{rig.config.key_prefix}names:all") == {"um", "três"}


async def test_half_a_character_in_an_index_fails_alone(rig: Rig) -> None:
    """As in a state."""
    index = Index("names")

    async def naming(events: Any) -> None:
        async for event in events:
            await index.add(["all"], event)

    rig.agent(naming, codec=Words())
    await rig.send(['"um"', '"d\\ud83c"', '"três"'])
    assert await rig.work_off()

    assert dead(rig) == ["d\ud83c"]
    assert await rig.store.members(f"{rig.config.key_prefix}names:all") == {"um", "três"}


def _update(rig: Rig) -> Callable[[Add], Any]:
    return lambda event: rig.counts.update(event.key, event)


def _update_many(rig: Rig) -> Callable[[Add], Any]:
    return lambda event: rig.counts.update_many([(event.key, event)])


@pytest.mark.parametrize("way", [_update, _update_many])
async def test_who_does_not_wait_for_an_update_fails(way: Callable[[Rig], Callable[[Add], Any]]) -> None:
    """To go on says that the event is done, and the message would be deleted before its effect is there."""
    store = MemoryStore()
    rig = await Rig(store, "t").create()
    did = way(rig)
    tries = 0

    async def hasty(events: Any) -> None:
        nonlocal tries
        async for event in events:
            tries += 1
            with move_on_after(0.05):
                await did(event)

    rig.agent(hasty)
    store.faults.add("commit", Fail("LOADING"), seconds=0.3)
    await rig.send([Add("a")])
    async with rig.running():
        await sleep(0.2)
        assert rig.sqs.ledger.deleted("orders") == []
    assert tries > 0


async def test_who_does_not_wait_for_an_answer_goes_on(rig: Rig) -> None:
    """What is only read changes nothing: one may do without."""
    store = MemoryStore()
    rig = await Rig(store, "t").create()
    states: list[Count | None] = []

    async def hasty(events: Any) -> None:
        async for event in events:
            with move_on_after(0.05):
                states.append(await rig.counts.get(event.key))

    rig.agent(hasty)
    store.faults.add("read", Fail("LOADING"), seconds=0.3)
    await rig.send([Add("a")])
    assert await rig.work_off()

    assert states == []
    assert rig.tally.of("ok") == 1


class Kind(enum.Enum):
    """Events that are one object each, however often they come."""

    CLICK = "click"


class Kinds:
    """A codec of lists of kinds."""

    def decode(self, body: str, origin: Origin) -> Decoded[Kind]:
        """Return the kinds."""
        del origin
        return Decoded(events=tuple(Kind(word) for word in json.loads(body)))


async def test_one_object_for_several_events_counts_none_of_them_as_another(rig: Rig) -> None:
    """Nobody could tell them apart; the message fails, and the error says what to declare."""
    clicks = rig.app.table(
        "clicks", Count, fold=lambda state, _: Count(state.total + 1 if state else 1, 0), once=True
    )

    async def counting(events: Any) -> None:
        async for event in events:
            await clicks.update("all", event)

    rig.agent(counting, codec=Kinds())
    await rig.send(['["click"]', ' ["click"]', '["click", "click"]'])
    assert await rig.work_off()

    (fields,) = await rig.store.read([clicks.redis_key(rig.config.key_prefix, "all")])
    assert isinstance(fields, dict)
    assert clicks.folding.hash_codec.read(fields) == Count(2, 0)
    assert dead(rig) == [["click", "click"]]


@pytest.mark.parametrize("verb", ["members", "discard"])
async def test_an_index_that_is_called_like_a_table_fails_at_once(rig: Rig, verb: str) -> None:
    """It finds a hash where a set should be, which no waiting mends."""
    index = Index("count")

    async def confused(events: Any) -> None:
        async for event in events:
            await rig.counts.update(event.key, event)
            if event.n == 2:
                await (index.members(event.key) if verb == "members" else index.discard(event.key, ["x"]))

    rig.agent(confused)
    await rig.send(Add("a", n) for n in (1, 2, 3))
    assert await rig.work_off()

    assert dead(rig) == [{"key": "a", "n": 2}]
    assert rig.tally.of("ok") == 2
