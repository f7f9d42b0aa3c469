"""An announcement that SQS refuses for good costs the message that caused it, and no other."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
from anyio import fail_after

from rigs.worker import Add, Rig
from streamapp.cli.demo.servers import local_aws
from streamapp.sqs.boto import open_aws
from streamapp.sqs.client import Sqs
from streamapp.sqs.message_client import open_message_client
from streamapp.state.committer import Change, Committer
from streamapp.testing import serve
from streamapp.worker.assembly import assemble
from streamapp.worker.worker import Worker
from streamapp_codecs import Json

EVIL = "\ufffe"
"""SQS takes it in no message, unless it is escaped; the codecs do not escape it."""


class Last(msgspec.Struct, frozen=True):
    """A state, and what is announced of it: the event that came last."""

    text: str
    n: int


class Say(Add, frozen=True):
    """An event with a text."""

    text: str = ""


def say(state: Last | None, event: Say) -> Last | None:
    """Fold: idempotent, the newest wins."""
    return Last(event.text, event.n) if state is None or state.n < event.n else state


@pytest.fixture
def rig(rig: Rig) -> Rig:
    """A rig whose table announces what it was told, word for word."""
    out = rig.app.sink("said", Json(Last))
    rig.counts = rig.app.table("last", Last, fold=say, announce=lambda _, after: after, to=out)  # type: ignore[assignment]  # the rig reads it by key
    return rig


def batches(rig: Rig, *, makes_its_own: bool = False) -> None:
    """Declare an agent that takes all there is at once."""

    async def saying(events: Any) -> None:
        async for batch in events.take(10, within=0.2):
            told = [msgspec.structs.replace(it) if makes_its_own else it for it in batch]
            await rig.counts.update_many([(it.key, it) for it in told])

    rig.agent(saying, codec=Json(Say), instances=1)


@asynccontextmanager
async def way_to(rig: Rig, way: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Sqs]:
    """Return the rig's SQS itself, or a client that speaks to it over HTTP."""
    if way == "memory":
        yield rig.sqs
        return
    async with serve(rig.sqs) as endpoint:
        for name, value in local_aws(endpoint).items():
            monkeypatch.setenv(name, value)
        async with open_aws() as aws, open_message_client(aws, way) as calls:
            yield calls


async def send(rig: Rig, *events: Say) -> None:
    """Send events as most producers do: a character that is not ASCII is escaped, and so SQS takes it."""
    await rig.send(json.dumps(msgspec.to_builtins(event)) for event in events)


async def work_off(rig: Rig, sqs: Sqs) -> None:
    """Run a worker until nothing is left to do."""
    rig.queues["said"] = await rig.sqs.create("said", {})
    with fail_after(30):
        assert await Worker(await assemble(rig.app.registry, rig.config, sqs, rig.store, rig.tally)).run(
            idle=0.3
        )


def said(rig: Rig) -> list[int]:
    """Return the numbers that were announced."""
    return sorted(msgspec.json.decode(body, type=Last).n for body in rig.bodies("said"))


def dead(rig: Rig) -> list[int]:
    """Return the numbers that were dead-lettered."""
    return sorted(msgspec.json.decode(body, type=Say).n for body in rig.bodies("orders-dlq"))


async def parked(rig: Rig, *keys: str) -> int:
    """Return how many announcements are parked."""
    return sum([name.startswith("_x:") for key in keys for name in await rig.fields(key)])


@pytest.mark.parametrize("way", ["memory", "fast", "aioboto3"])
async def test_of_a_batch_only_the_message_at_fault_is_dead_lettered(
    rig: Rig, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nine good orders must not lie among the dead because a tenth holds a character that SQS does not take."""
    batches(rig)
    await send(rig, *(Say(f"k{n}", n, EVIL if n == 4 else "good") for n in range(1, 10)))
    async with way_to(rig, way, monkeypatch) as sqs:
        await work_off(rig, sqs)

    assert dead(rig) == [4]
    assert said(rig) == [1, 2, 3, 5, 6, 7, 8, 9]
    assert await parked(rig, "k4") == 1
    assert await parked(rig, *(f"k{n}" for n in range(10) if n != 4)) == 0
    assert (rig.tally.of("ok"), rig.tally.of("dead"), rig.tally.of("refused")) == (8, 1, 1)
    rig.assert_accounted()


@pytest.mark.parametrize("instances", [1, 3])
async def test_of_one_key_only_the_message_at_fault_is_dead_lettered(rig: Rig, instances: int) -> None:
    """Whoever changes a key finds all that it owes; that others owe it too is not their fault."""
    if instances == 1:
        batches(rig)
    else:

        async def saying(events: Any) -> None:
            async for event in events:
                await rig.counts.update(event.key, event)

        rig.agent(saying, codec=Json(Say), instances=instances)
    await send(rig, Say("k", 1, "good"), Say("k", 2, EVIL), Say("k", 3, "good"))
    await work_off(rig, rig.sqs)

    assert dead(rig) == [2]
    assert said(rig) == [1, 3]
    assert await parked(rig, "k") == 1


async def test_where_the_agent_made_the_event_all_of_its_batch_are_at_fault(rig: Rig) -> None:
    """Nobody can tell which message it was made of, and to delete the wrong one would lose it."""
    batches(rig, makes_its_own=True)
    await send(rig, *(Say(f"k{n}", n, EVIL if n == 2 else "good") for n in range(1, 4)))
    await work_off(rig, rig.sqs)

    assert dead(rig) == [1, 2, 3]
    assert said(rig) == [1, 3]


async def test_what_a_crash_left_owed_is_the_fault_of_the_message_that_comes_again(rig: Rig) -> None:
    """It changes nothing any more, and must not be deleted as a duplicate whose work was done."""
    batches(rig)
    rig.queues["said"] = await rig.sqs.create("said", {})
    event, redis_key = Say("k", 1, EVIL), rig.counts.redis_key(rig.config.key_prefix, "k")
    await send(rig, event)
    parts = await rig.assemble()
    state = Committer(rig.store, parts.runtime.store_outage, ttl=60.0, barrier=False)
    await state.flush([Change(rig.counts.folding, "k", redis_key, event, rig.queues["out"], rig.last_sent())])
    await work_off(rig, rig.sqs)

    assert dead(rig) == [1]
    assert await parked(rig, "k") == 1
