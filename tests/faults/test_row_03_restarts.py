"""Row 3: SIGTERM under load, again and again: nothing stays hidden, and no message comes twice."""

import signal
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from anyio import fail_after, sleep

import streamapp_agents
from faults.fleet import open_fleet, repeated, story
from streamapp.messages import Outgoing

SOURCES = [agent.queue for agent in streamapp_agents.app.agents.values()]
BURST = 40
"""Orders per restart: two hundred messages, so that each signal finds the worker fully busy."""


@pytest.mark.timeout(1700)
async def test_restarts_under_load_cost_no_message_a_receive(
    redis_url: str, prefix: str, tmp_path: Path, long: bool, figure: Callable[[str], None]
) -> None:
    """Ten deploys a day must not bring messages into the dead-letter queue."""
    restarts, wait = (50, "10") if long else (2, "1")
    luck, exits, hidden, in_hand = Random(3), list[float](), list[int](), list[int]()
    messages = story(BURST * restarts)
    async with open_fleet(redis_url, prefix, tmp_path, STREAMAPP_WAIT_SECONDS=wait) as fleet:
        await fleet.create(streamapp_agents.app, visibility=60)
        for n in range(restarts):
            with fleet.running() as worker:
                await worker.says("ready")
                await fleet.send_story(
                    messages[len(messages) * n // restarts : len(messages) * (n + 1) // restarts]
                )
                with fail_after(300):
                    while not await fleet.hidden(SOURCES):
                        await sleep(0.001)
                await sleep(luck.uniform(0, 0.05))
                in_hand.append(await fleet.hidden(SOURCES))
                worker.popen.send_signal(signal.SIGTERM)
                exits.append(await worker.ends())
                hidden.append(await fleet.hidden(SOURCES))
            assert worker.popen.returncode == 0, worker.log.read_text()
        left = await fleet.waiting(SOURCES)
        with fleet.running("--exit-when-idle", "1") as last:
            await last.ends()
        receives = [times for queue in SOURCES for times in fleet.sqs.ledger.receives(queue).values()]
        letters = [await fleet.waiting([f"{queue}-dlq"]) for queue in SOURCES]
        announced = fleet.sqs.bodies(await fleet.sqs.find("acompanhamento-events"))

    figure(
        f"{restarts} restarts, {len(messages)} messages, in hand at each signal {min(in_hand)}..{max(in_hand)}: exit 0, after "
        f"{max(exits):.1f} s at most; invisible after exit {max(hidden)}; {left} left for the last worker; "
        f"receives a message {max(receives)} at most; announcements {len(announced)}, repeated {repeated(announced)}"
    )
    if long:
        assert max(exits) <= 25  # clock: the row's figure
    assert max(in_hand) > 0, "no signal came under load"
    assert hidden == [0] * restarts
    assert len(receives) == len(messages)
    assert set(receives) == {1}
    assert letters == [0, 0, 0]
    assert repeated(announced) == 0
    assert fleet.sqs.ledger.in_flight() == []


@pytest.mark.timeout(600)
async def test_restarts_cost_those_who_wait_in_their_group_no_receive(
    redis_url: str, prefix: str, tmp_path: Path, long: bool, figure: Callable[[str], None]
) -> None:
    """On a FIFO queue most messages in hand wait for their turn; a deploy must not cost them a receive either."""
    restarts, groups, each = (50 if long else 1), 10, 8
    luck, exits, waiting = Random(3), list[float](), list[int]()
    settings = {"SLOW_QUEUE_URL": "slow.fifo", "STREAMAPP_CONCURRENCY": "40", "IDLER_SECONDS": "0.1"}
    async with open_fleet(redis_url, prefix, tmp_path, STREAMAPP_WAIT_SECONDS="1", **settings) as fleet:
        queue = await fleet.sqs.create("slow.fifo", {"FifoQueue": "true", "VisibilityTimeout": "60"})
        for n in range(restarts):
            with fleet.running("--app", "idler:app", "--agents", "slow") as worker:
                await worker.says("ready")
                for turn in range(each):
                    some = [Outgoing("{}", {}, f"g{group}", f"{n}-{turn}-{group}") for group in range(groups)]
                    assert await fleet.sqs.send(queue, some) == [None] * groups
                with fail_after(300):
                    while await fleet.hidden(["slow.fifo"]) <= groups:
                        await sleep(0.001)
                await sleep(luck.uniform(0, 0.05))
                waiting.append(await fleet.hidden(["slow.fifo"]) - groups)
                worker.popen.send_signal(signal.SIGTERM)
                exits.append(await worker.ends())
            assert worker.popen.returncode == 0, worker.log.read_text()
            assert await fleet.hidden(["slow.fifo"]) == 0
        with fleet.running("--app", "idler:app", "--agents", "slow", "--exit-when-idle", "1") as last:
            await last.ends()
        receives = fleet.sqs.ledger.receives("slow.fifo")

    figure(
        f"{restarts} restarts on a FIFO queue, {len(receives)} messages in {groups} groups, {min(waiting)}..{max(waiting)} waiting "
        f"for their turn at each signal: exit 0, after {max(exits):.1f} s at most; invisible after exit 0; "
        f"receives a message {max(receives.values())} at most"
    )
    if long:
        assert max(exits) <= 25  # clock: the row's figure
    assert len(receives) == restarts * groups * each
    assert set(receives.values()) == {1}
