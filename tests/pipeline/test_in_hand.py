"""What an agent has in hand: which message holds an event, and what must be done before that is deleted."""

import enum
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
from anyio import fail_after, move_on_after, sleep

from rigs.worker import Add, Count, Note, Rig, add, note
from streamapp.cli.demo.servers import local_aws
from streamapp.declared.index import Index
from streamapp.errors import NotInEvent
from streamapp.sqs.boto import open_aws
from streamapp.sqs.client import Sqs
from streamapp.sqs.message_client import open_message_client
from streamapp.state.committer import Change, Committer
from streamapp.testing import Fail, MemoryStore, serve
from streamapp.worker.assembly import assemble
from streamapp.worker.worker import Worker
from streamapp_codecs import Decoded, Json, Origin

EVIL = "\ufffe"
"""SQS takes it in no message, unless it is escaped; the codecs do not escape it."""


class Last(msgspec.Struct, frozen=True):
    """A state, and what is announced of it: the event that came last."""

    text: str
    n: int


class TextEvent(Add, frozen=True):
    """An event with a text."""

    text: str = ""


def newest(state: Last | None, event: TextEvent) -> Last | None:
    """Return the newest event; idempotent."""
    return Last(event.text, event.n) if state is None or state.n < event.n else state


@pytest.fixture
def echo(rig: Rig) -> Rig:
    """A rig whose table announces each event unchanged."""
    out = rig.app.sink("echoes", Json(Last))
    rig.counts = rig.app.table("last", Last, fold=newest, announce=lambda _, after: after, to=out)  # type: ignore[assignment]  # the rig reads it by key
    return rig


def batches(rig: Rig, *, makes_its_own: bool = False) -> None:
    """Declare an agent that takes all there is at once."""

    async def echoing(events: Any) -> None:
        async for batch in events.take(10, within=0.2):
            events_of_batch = [msgspec.structs.replace(it) if makes_its_own else it for it in batch]
            await rig.counts.update_many([(it.key, it) for it in events_of_batch])

    rig.agent(echoing, codec=Json(TextEvent), instances=1)


@asynccontextmanager
async def way_to(rig: Rig, way: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Sqs]:
    """Return the rig's SQS itself, or a client that calls it over HTTP."""
    if way == "memory":
        yield rig.sqs
        return
    async with serve(rig.sqs) as endpoint:
        for name, value in local_aws(endpoint).items():
            monkeypatch.setenv(name, value)
        async with open_aws() as aws, open_message_client(aws, way) as calls:
            yield calls


async def send(rig: Rig, *events: TextEvent) -> None:
    """Send events as most producers do: a character that is not ASCII is escaped, and so SQS takes it."""
    await rig.send(json.dumps(msgspec.to_builtins(event)) for event in events)


async def work_off(rig: Rig, sqs: Sqs) -> None:
    """Run a worker until nothing is left to do."""
    rig.queues["echoes"] = await rig.sqs.create("echoes", {})
    with fail_after(30):
        assert await Worker(await assemble(rig.app.registry, rig.config, sqs, rig.store, rig.tally)).run(
            idle=0.3
        )


def announced(rig: Rig) -> list[int]:
    """Return the numbers that were announced."""
    return sorted(msgspec.json.decode(body, type=Last).n for body in rig.bodies("echoes"))


def dead(rig: Rig) -> list[int]:
    """Return the numbers that were dead-lettered."""
    return sorted(msgspec.json.decode(body, type=TextEvent).n for body in rig.bodies("orders-dlq"))


async def parked(rig: Rig, *keys: str) -> int:
    """Return how many announcements are parked."""
    return sum([name.startswith("_x:") for key in keys for name in await rig.fields(key)])


async def test_a_declaration_that_is_used_outside_an_agent_is_refused(rig: Rig) -> None:
    """Its writes would belong to no event."""
    with pytest.raises(NotInEvent, match="count"):
        await rig.counts.update("a", Add("a"))
    with pytest.raises(NotInEvent, match="out"):
        await rig.out.send(Note("a", 1))
    with pytest.raises(NotInEvent):
        await Index("i").members("a")


def _update(rig: Rig) -> Callable[[Add], Any]:
    return lambda event: rig.counts.update(event.key, event)


def _update_many(rig: Rig) -> Callable[[Add], Any]:
    return lambda event: rig.counts.update_many([(event.key, event)])


@pytest.mark.parametrize("way", [_update, _update_many])
async def test_an_agent_that_does_not_wait_for_an_update_fails(
    way: Callable[[Rig], Callable[[Add], Any]],
) -> None:
    """To ask for the next event means that this one is done: its message would be deleted before its effect is durable."""
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


class Kind(enum.Enum):
    """Events that are the same object each time."""

    CLICK = "click"


class Kinds:
    """A codec of lists of kinds."""

    def decode(self, body: str, origin: Origin) -> Decoded[Kind]:
        """Return the kinds."""
        del origin
        return Decoded(events=tuple(Kind(word) for word in json.loads(body)))


async def test_one_object_that_stands_for_several_events_fails(rig: Rig) -> None:
    """The events cannot be events_of_batch apart; the message fails, and the error says what to declare."""
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
    assert rig.dead() == [["click", "click"]]


async def test_two_keys_that_owe_the_same_content_both_announce(rig: Rig) -> None:
    """What is owed is events_of_batch apart by key too: an identity stands for the content alone."""
    same = rig.app.sink("same", Json(Note), identity=lambda _: "same")
    rig.queues["same"] = await rig.sqs.create("same", {})
    twins = rig.app.table("twins", Count, fold=add, announce=note, to=same)

    async def batching(events: Any) -> None:
        async for batch in events.take(2, within=1):
            await twins.update_many([(event.key, event) for event in batch])

    rig.agent(batching, instances=1)
    await rig.send([Add("a"), Add("b")])
    await rig.work_off()

    assert len(rig.bodies("same")) == 2


@pytest.mark.parametrize("way", ["memory", "fast", "aioboto3"])
async def test_of_a_batch_only_the_message_at_fault_is_dead_lettered(
    echo: Rig, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nine good orders must not be dead-lettered because a tenth holds a character that SQS does not take."""
    batches(echo)
    await send(echo, *(TextEvent(f"k{n}", n, EVIL if n == 4 else "good") for n in range(1, 10)))
    async with way_to(echo, way, monkeypatch) as sqs:
        await work_off(echo, sqs)

    assert dead(echo) == [4]
    assert announced(echo) == [1, 2, 3, 5, 6, 7, 8, 9]
    assert await parked(echo, "k4") == 1
    assert await parked(echo, *(f"k{n}" for n in range(10) if n != 4)) == 0
    assert (echo.tally.of("ok"), echo.tally.of("dead"), echo.tally.of("refused")) == (8, 1, 1)
    echo.assert_accounted()


@pytest.mark.parametrize("instances", [1, 3])
async def test_of_one_key_only_the_message_at_fault_is_dead_lettered(echo: Rig, instances: int) -> None:
    """A change finds all that its key owes; what other messages owe is not its fault."""
    if instances == 1:
        batches(echo)
    else:

        async def echoing(events: Any) -> None:
            async for event in events:
                await echo.counts.update(event.key, event)

        echo.agent(echoing, codec=Json(TextEvent), instances=instances)
    await send(echo, TextEvent("k", 1, "good"), TextEvent("k", 2, EVIL), TextEvent("k", 3, "good"))
    await work_off(echo, echo.sqs)

    assert dead(echo) == [2]
    assert announced(echo) == [1, 3]
    assert await parked(echo, "k") == 1


async def test_where_the_agent_made_the_event_all_of_its_batch_are_at_fault(echo: Rig) -> None:
    """Which message it was made of is not known, and to delete the wrong one would lose it."""
    batches(echo, makes_its_own=True)
    await send(echo, *(TextEvent(f"k{n}", n, EVIL if n == 2 else "good") for n in range(1, 4)))
    await work_off(echo, echo.sqs)

    assert dead(echo) == [1, 2, 3]
    assert announced(echo) == [1, 3]


async def test_what_a_crash_left_owed_is_the_fault_of_the_message_that_comes_again(echo: Rig) -> None:
    """The message changes nothing any more, but it must not be deleted as a duplicate whose work was done."""
    batches(echo)
    echo.queues["echoes"] = await echo.sqs.create("echoes", {})
    event, redis_key = TextEvent("k", 1, EVIL), echo.counts.redis_key(echo.config.key_prefix, "k")
    await send(echo, event)
    parts = await echo.assemble()
    committer = Committer(echo.store, parts.runtime.store_outage, ttl=60.0, barrier=False)
    await committer.flush(
        [Change(echo.counts.folding, "k", redis_key, event, echo.queues["out"], echo.last_sent())]
    )
    await work_off(echo, echo.sqs)

    assert dead(echo) == [1]
    assert await parked(echo, "k") == 1
