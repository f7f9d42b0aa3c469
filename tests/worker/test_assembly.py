"""The parts of a worker, put together: what is missing is found before anything runs."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from rigs.worker import Rig, until
from streamapp.app import App
from streamapp.config import Config
from streamapp.sqs.client import BATCH
from streamapp.testing import Fail
from streamapp.worker.assembly import QueueMissing, UnknownAgent, assemble, choose, most_polls
from streamapp_codecs import Json


async def working(stream: Any) -> None:
    """Do nothing with each event."""
    async for _ in stream:
        pass


async def test_a_queue_that_is_missing_stops_the_start(rig: Rig) -> None:
    """The error says what to do; a worker that started would only fail at each message."""
    rig.count()
    rig.app.sink("nowhere", Json(str))

    with pytest.raises(QueueMissing, match=r"queue nowhere does not exist.*NOWHERE_QUEUE_URL"):
        await rig.assemble()


async def test_a_dead_letter_queue_that_is_missing_is_a_warning(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    """Messages can be processed without it, and SQS's own rules apply to those that fail."""
    rig.sqs.faults.add("find", Fail("QueueDoesNotExist"), queue="orders-dlq")
    rig.count()

    await rig.assemble()

    assert "its dead-letter queue orders-dlq cannot be used" in caplog.text


THEIRS = "999999999999"
"""The account of somebody else."""


async def redrive_to(rig: Rig, arn: str) -> None:
    """Make the queue of this ARN the dead-letter queue of `orders`."""
    stored = rig.sqs.simulator.broker.stored("orders", rig.sqs.clock.now())
    # SQS itself checks no policy again: its target may be gone by now.
    stored.attributes["RedrivePolicy"] = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 50})


async def test_letters_go_to_the_account_that_the_redrive_policy_names(rig: Rig) -> None:
    """Ours has a queue of the same name, in which nobody would look for them."""
    theirs = await rig.sqs.create("orders-dlq", {}, account=THEIRS)
    await redrive_to(rig, (await rig.sqs.attributes(theirs))["QueueArn"])
    rig.count()
    await rig.send(["no json"])

    await rig.work_off()

    assert rig.sqs.bodies(theirs) == ["no json"]
    assert rig.bodies("orders-dlq") == []


@pytest.mark.parametrize("place", [f"us-east-1:{THEIRS}", "eu-west-1:000000000000"])
async def test_letters_never_go_to_a_queue_of_the_same_name_elsewhere(
    rig: Rig, caplog: pytest.LogCaptureFixture, place: str
) -> None:
    """The queue that the policy names is not there: that is a warning, and SQS's own rules apply."""
    await redrive_to(rig, f"arn:aws:sqs:{place}:orders-dlq")
    rig.count()
    await rig.send(["no json"])

    async with rig.running():
        await until(lambda: rig.tally.of("retry"))

    assert f"arn:aws:sqs:{place}:orders-dlq" in caplog.text or f"{THEIRS}/orders-dlq" in caplog.text
    assert "cannot be used" in caplog.text
    assert rig.bodies("orders-dlq") == []


@pytest.mark.parametrize(("names", "chosen"), [(None, ["one", "two"]), (["two"], ["two"]), ([], [])])
def test_a_worker_can_run_some_of_the_agents(names: Sequence[str] | None, chosen: list[str]) -> None:
    """Agents with different needs are deployed apart."""
    app = App("test")
    for name in ("one", "two"):
        app.agent(name, Json(str), name=name)(working)

    assert [agent.name for agent in choose(app.registry, names)] == chosen


async def test_an_agent_that_the_app_does_not_have_is_refused(rig: Rig) -> None:
    """The error lists the agents that there are."""
    rig.count()

    with pytest.raises(UnknownAgent, match="no agent 'other'; this app has counting"):
        await assemble(rig.app.registry, rig.config, rig.sqs, rig.store, rig.tally, agents=["other"])


def test_each_agent_may_poll_for_all_the_messages_that_it_takes() -> None:
    """Each poll holds a connection for as long as it waits, so the client needs that many."""
    app = App("test")
    for name, concurrency in {"one": 1, "two": BATCH, "three": 2 * BATCH + 1}.items():
        app.agent(name, Json(str), name=name, concurrency=concurrency)(working)

    assert most_polls(app.registry, Config()) == 1 + 1 + 3
