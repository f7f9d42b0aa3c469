"""What an agent sends."""

import json
from typing import Any

from rigs.worker import Add, Note, Rig
from streamapp.redis.store import RedisStore
from streamapp.testing import Partial


async def test_values_that_an_agent_yields_are_sent_before_its_message_is_deleted(rig: Rig) -> None:
    """After a crash in between they would be lost."""

    async def mapping(events: Any) -> Any:
        async for event in events:
            yield Note(event.key, event.n)

    rig.agent(mapping, sink=rig.out)
    rig.sqs.faults.add("send", Partial(0b111), queue="out", times=3)
    await rig.send(Add(str(n)) for n in range(20))
    await rig.work_off()

    assert len(rig.bodies()) == 20
    ledger = rig.sqs.ledger.entries
    first_delete = next(n for n, entry in enumerate(ledger) if entry.operation == "delete")
    assert any(entry.operation == "send" and entry.queue == "out" for entry in ledger[:first_delete])


async def test_a_message_goes_to_the_group_that_it_is_given(store: RedisStore, prefix: str) -> None:
    """On a FIFO queue that decides what it is ordered with; without one all messages are in one order."""
    rig = await Rig(store, prefix).create(fifo=True)

    async def telling(events: Any) -> None:
        async for event in events:
            await rig.out.send(Note(event.key, 1), group="g")
            await rig.out.send(Note(event.key, 2))

    rig.agent(telling)
    await rig.send_in_groups([Add("a")])
    await rig.work_off()
    sent = [
        message for _ in range(2) for message in await rig.sqs.receive(rig.queues["out"], limit=10, wait=0)
    ]

    assert {json.loads(message.body)["times"]: message.group for message in sent} == {1: "g", 2: "all"}
