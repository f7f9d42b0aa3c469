"""What an agent iterates: lists of events."""

import json
from typing import Any

from rigs.worker import Add, Count, Parts, Rig


async def test_take_returns_what_came_within_its_time(rig: Rig) -> None:
    """The messages of such a list end together."""
    sizes: list[int] = []

    async def batching(events: Any) -> None:
        async for batch in events.take(8, within=0.1):
            sizes.append(len(batch))
            await rig.counts.update_many([(event.key, event) for event in batch])

    rig.agent(batching, instances=1, concurrency=20)
    await rig.send(Add("a") for _ in range(20))
    await rig.work_off()

    assert sum(sizes) == 20
    assert max(sizes) == 8
    assert await rig.state("a") == Count(20, 20)
    assert len(rig.bodies()) == 20
    rig.assert_accounted()


async def test_take_may_divide_a_body_of_several_events(rig: Rig) -> None:
    """Its message is deleted once, after the last of its events."""
    sizes: list[int] = []

    async def batching(events: Any) -> None:
        async for batch in events.take(2, within=0.05):
            sizes.append(len(batch))
            await rig.counts.update_many([(event.key, event) for event in batch])

    rig.agent(batching, instances=1, codec=Parts())
    await rig.send([json.dumps([{"key": "a"}] * 5)])
    await rig.work_off()

    assert sizes == [2, 2, 1]
    assert await rig.state("a") == Count(5, 5)
    assert len(rig.sqs.ledger.deleted("orders")) == 1
