"""Sets of keys by a key."""

from typing import Any

import pytest

from rigs.worker import Add, AnyJson, Rig
from streamapp.declared.index import Index
from streamapp.flow.backoff import Backoff
from streamapp.testing import Fail, MemoryStore


async def test_half_a_character_in_an_index_fails_alone(rig: Rig) -> None:
    """Redis takes no text with an unpaired surrogate, and other messages must not fail with it."""
    index = Index("names")

    async def naming(events: Any) -> None:
        async for event in events:
            await index.add(["all"], event)

    rig.agent(naming, codec=AnyJson())
    await rig.send(['"um"', '"d\\ud83c"', '"três"'])
    assert await rig.work_off()

    assert rig.dead() == ["d\ud83c"]
    assert await rig.store.members(f"{rig.config.key_prefix}names:all") == {"um", "três"}


@pytest.mark.parametrize("verb", ["members", "discard"])
async def test_an_index_with_the_name_of_a_table_fails_at_once(rig: Rig, verb: str) -> None:
    """It finds a hash where a set should be, and to wait would not change that."""
    index = Index("count")

    async def confused(events: Any) -> None:
        async for event in events:
            await rig.counts.update(event.key, event)
            if event.n == 2:
                await (index.members(event.key) if verb == "members" else index.discard(event.key, ["x"]))

    rig.agent(confused)
    await rig.send(Add("a", n) for n in (1, 2, 3))
    assert await rig.work_off()

    assert rig.dead() == [{"key": "a", "n": 2}]
    assert rig.tally.of("ok") == 2


async def test_a_member_is_in_the_set_of_each_key_until_it_is_discarded(rig: Rig) -> None:
    """From a product an agent finds the orders that hold it."""
    index = Index("orders-of")
    found: list[set[str]] = []

    async def indexing(events: Any) -> None:
        async for event in events:
            await index.add(["bread", "milk"], event.key)
            await index.discard("milk", [event.key])
            found.extend([await index.members("bread"), await index.members("milk")])

    rig.agent(indexing)
    await rig.send([Add("a")])
    assert await rig.work_off()

    assert found == [{"a"}, set()]


async def test_a_set_is_read_from_its_start_again_after_an_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another server may answer since then, to which the place in the set means nothing."""
    monkeypatch.setattr("streamapp.flow.outage.AGAIN", Backoff(0.001, 0.001))
    index, store = Index("orders-of"), MemoryStore()
    rig = await Rig(store, "t").create()
    pages: list[list[str]] = []

    async def reading(events: Any) -> None:
        async for _ in events:
            for n in range(5):
                await index.add(["bread"], f"o{n}")
            async for page in index.pages("bread", 2):
                pages.append(page)
                if len(pages) == 1:
                    store.faults.add("members", Fail("LOADING"), times=1)

    rig.agent(reading)
    await rig.send([Add("a")])
    assert await rig.work_off()

    assert pages == [["o0", "o1"], ["o2", "o3"], ["o0", "o1"], ["o2", "o3"], ["o4"]]
