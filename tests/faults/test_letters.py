"""The ledger of dead letters sees what a row would not look for."""

import json

import pytest

from faults.letters import Letters, every_sqs
from rigs.queues import create_sources
from streamapp.messages import Outgoing
from streamapp.testing import MemorySqs
from streamapp.testing.sqs.simulator import SqsSimulator


async def test_a_good_message_that_sqs_moves_is_found(made: list[SqsSimulator]) -> None:
    """Nobody may notice it otherwise: a row that counts effects can have been over before."""
    before, sqs, ledger = list(made), MemorySqs(), Letters()
    (queue,) = await create_sources(sqs, "orders", visibility=0)
    await sqs.send(queue, [Outgoing("good"), Outgoing("bad")])
    while await sqs.receive(queue, limit=10, wait=0):
        pass

    ledger.may_die("bad")
    ledger.look_through([sqs.simulator])

    assert ledger.faults == ["orders-dlq has a good message: good"]
    assert (ledger.queues, ledger.dead) == (1, 2)
    assert made == [*before, sqs.simulator], "this row itself is looked through too"
    made.remove(sqs.simulator)


@pytest.mark.parametrize("receives", [8, 50])
async def test_a_queue_that_is_not_as_in_production_is_found(receives: int, letters: Letters) -> None:
    """With other receives than those that `queues create` sets, the row would prove something else."""
    ledger = Letters()
    with every_sqs() as made:
        sqs = MemorySqs()
        await sqs.create("orders-dlq", {})
        arn = (await sqs.attributes(await sqs.find("orders-dlq")))["QueueArn"]
        policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": receives})
        await sqs.create("orders", {"RedrivePolicy": policy})
        await sqs.create("bare", {})
        for name in ("orders", "bare"):
            queue = await sqs.find(name)
            await sqs.send(queue, [Outgoing("x")])
            (delivery,) = await sqs.receive(queue, limit=1, wait=0)
            await sqs.delete(queue, [delivery.handle])

    ledger.look_through(made)
    letters.bare = {"orders", "bare"}  # for the one of this test

    assert ledger.faults == [
        "bare has maxReceiveCount None; `queues create` sets 20",
        f"orders has maxReceiveCount {receives}; `queues create` sets 20",
    ]
    ledger.faults.clear()
    ledger.attempts, ledger.bare = 30, {"bare"}
    ledger.look_through(made)
    assert ledger.faults == [f"orders has maxReceiveCount {receives}; `queues create` sets 90"]
