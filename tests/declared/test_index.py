"""Sets of keys by a key."""

from typing import Any

import pytest

from rigs.worker import Add, AnyJson, Rig
from streamapp.declared.index import Index


async def test_half_a_character_in_an_index_fails_alone(rig: Rig) -> None:
    """As in a state."""
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

    assert rig.dead() == [{"key": "a", "n": 2}]
    assert rig.tally.of("ok") == 2
