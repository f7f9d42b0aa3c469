"""Row 35: an agent's code ends processes, forks and swallows its cancellation: the worker goes on, and ends in time."""

import json
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from faults import breaker
from faults.fleet import Fleet, open_fleet
from rigs.worker import until

FAILING = ("exit", "exit in a task", "interrupt")
FORKING = ("fork and signal", "fork and exit", "fork and go on", "process")


async def ends_of(fleet: Fleet, queue: str) -> list[str]:
    """Return the keys that a queue's bodies name."""
    return sorted(json.loads(body)["key"] for body in fleet.sqs.bodies(await fleet.sqs.find(queue)))


@pytest.mark.timeout(600)
async def test_what_an_agents_code_does_ends_its_own_messages_only(
    redis_url: str, prefix: str, tmp_path: Path, long: bool, figure: Callable[[str], None]
) -> None:
    """One bad message must not end the worker, nor become a second one."""
    rounds = 20 if long else 2
    settings = {"STREAMAPP_MAX_ATTEMPTS": "2", "STREAMAPP_WAIT_SECONDS": "1", "STREAMAPP_DRAIN_TIMEOUT": "10"}
    good = [f"good-{n}" for n in range(40 * rounds)]
    forking = [f"{what}-{n}" for what in FORKING for n in range(rounds)]
    failing = [f"{what}-{n}" for what in FAILING for n in range(rounds)]
    bodies = [json.dumps({"key": key, "what": key.rpartition("-")[0]}) for key in (*good, *forking, *failing)]
    async with open_fleet(redis_url, prefix, tmp_path, **settings) as fleet:
        await fleet.create(breaker.app, visibility=60)
        await fleet.send("tasks", bodies[::3] + bodies[1::3] + bodies[2::3])
        with fleet.running("--app", "breaker:app") as worker:
            await worker.says("ready")
            await until(lambda: len(fleet.sqs.ledger.deleted("tasks")) >= len(bodies), within=200)
            assert worker.popen.poll() is None
            worker.popen.send_signal(signal.SIGTERM)
            await worker.ends()
        log = worker.log.read_text()
        announced = await ends_of(fleet, "done-events")
        dead = await ends_of(fleet, "tasks-dlq")

    figure(
        f"{len(good)} good messages, {len(forking)} whose agent forks, {len(failing)} whose agent ends the process: "
        f"exit {worker.popen.returncode}, started once, {len(set(announced))} announced, {len(dead)} dead letters"
    )
    assert worker.popen.returncode == 0, log
    assert log.count("draining") == 1
    assert announced == sorted({*good, *forking})
    assert dead == sorted(failing)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("signals", [1, 2])
async def test_an_agent_that_swallows_its_cancellation_does_not_outlive_the_drain(
    redis_url: str, prefix: str, tmp_path: Path, figure: Callable[[str], None], signals: int
) -> None:
    """All else is finished and told, its message is given back, and the process ends."""
    settings = {"STREAMAPP_WAIT_SECONDS": "1", "STREAMAPP_DRAIN_TIMEOUT": "2" if signals == 1 else "600"}
    # As many as the worker takes, so that no poll is open that a second signal would cut off.
    stuck, settings["STREAMAPP_CONCURRENCY"] = ["stuck-1", "stuck-2"], "2"
    async with open_fleet(redis_url, prefix, tmp_path, **settings) as fleet:
        await fleet.create(breaker.app, visibility=600)
        await fleet.send(
            "tasks", ['{"key":"good"}', *(json.dumps({"key": key, "what": "swallow"}) for key in stuck)]
        )
        with fleet.running("--app", "breaker:app") as worker:
            await worker.says("ready")
            await until(lambda: len(fleet.sqs.ledger.deleted("tasks")) == 1)
            await until(lambda: len(fleet.sqs.ledger.in_flight("tasks")) == len(stuck))
            for _ in range(signals):
                worker.popen.send_signal(signal.SIGTERM)
                await worker.says("draining")
            took = await worker.ends()
        log = worker.log.read_text()
        kept = await ends_of(fleet, "tasks")
        hidden = await fleet.hidden(["tasks"])

    figure(f"{signals} signal(s): ended after {took:.2f} s, exit {worker.popen.returncode}; hidden: {hidden}")
    assert worker.popen.returncode == 1, log
    assert "swallows its cancellation" in log
    assert "Traceback" not in log
    assert (kept, hidden) == (stuck, 0)
