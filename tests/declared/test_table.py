"""Typed state by key, as an agent uses it."""

from typing import Any

import msgspec
from anyio import move_on_after

from rigs.worker import Add, AnyJson, Count, Rig
from streamapp.declared.index import Index
from streamapp.declared.table import Table
from streamapp.testing import Fail, MemoryStore


async def test_half_a_character_fails_alone(rig: Rig) -> None:
    """Redis takes no text with an unpaired surrogate, and messages that are committed with it must not fail."""

    class Name(msgspec.Struct, frozen=True):
        name: str

    names: Table[Name, str] = rig.app.table("name", Name, fold=lambda _, event: Name(event))
    index = Index("names")

    async def naming(events: Any) -> None:
        async for event in events:
            await names.update(event.encode(errors="replace").decode(), event)
            await index.add(["all"], event)

    rig.agent(naming, codec=AnyJson())
    await rig.send(['"um"', '"d\\ud83c"', '"três"'])
    assert await rig.work_off()

    assert rig.dead() == ["d\ud83c"]
    assert rig.tally.of("ok") == 2
    assert await rig.store.members(f"{rig.config.key_prefix}names:all") == {"um", "três"}


async def test_an_agent_that_gives_up_a_read_goes_on(rig: Rig) -> None:
    """To read changes nothing, so nothing is owed."""
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


async def test_an_agent_reads_what_it_has_committed(rig: Rig) -> None:
    """A state is None until an event has made one."""
    read: list[Count | None] = []

    async def reading(events: Any) -> None:
        async for event in events:
            read.append(await rig.counts.get(event.key))
            await rig.counts.update(event.key, event)
            read.extend(await rig.counts.get_many([event.key, "other"]))

    rig.agent(reading)
    await rig.send([Add("a", 5)])
    assert await rig.work_off()

    assert read == [None, Count(5, 1), None]
