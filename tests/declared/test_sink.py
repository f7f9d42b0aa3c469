"""What an agent sends."""

from typing import Any

from rigs.worker import Add, Note, Rig
from streamapp.testing import Partial


async def test_values_that_an_agent_yields_are_sent_before_its_message_is_deleted(rig: Rig) -> None:
    """A sink agent loses nothing either."""

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
