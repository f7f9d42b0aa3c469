"""The parts of a worker, put together: what is missing is found before anything runs."""

from collections.abc import Sequence
from typing import Any

import pytest

from rigs.worker import Rig
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
