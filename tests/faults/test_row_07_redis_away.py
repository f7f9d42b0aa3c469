"""Row 7: Redis hangs or is gone for minutes, with a thousand messages waiting."""

from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from anyio import create_task_group, current_time, sleep, to_thread

import streamapp_agents
from faults.fleet import Fleet, open_fleet, story
from rigs.valkey import RestartableValkey
from rigs.worker import until

SOURCES = [agent.queue for agent in streamapp_agents.app.agents.values()]
WARM_UP = 30
"""Orders, about five messages each, processed before the outage, so that late imports do not count as its memory."""


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[RestartableValkey]:
    """A Valkey of the test's own, with an append-only file."""
    server = RestartableValkey(tmp_path)
    server.start()
    try:
        yield server
    finally:
        server.thaw()
        server.stop()


async def watch_memory(process: psutil.Process, seen: list[int]) -> None:
    """Record the memory of a process, for ever."""
    while True:
        seen.append(process.memory_info().rss)
        await sleep(0.2)


def deleted(fleet: Fleet) -> int:
    """Return how many messages were deleted."""
    return len(fleet.sqs.ledger.deleted())


@pytest.mark.timeout(1700)
@pytest.mark.parametrize("harm", ["hangs", "is gone"])
async def test_an_outage_of_redis_costs_time_only(
    valkey: RestartableValkey, tmp_path: Path, long: bool, harm: str, figure: Callable[[str], None]
) -> None:
    """Other frameworks filled their dead-letter queues in such an outage, or spun, or had to be restarted."""
    # With 200 orders a thousand messages wait.
    seconds, waiting = (300.0, 200) if long else (6.0, 20)
    messages = story(WARM_UP + waiting)
    warm_up = len(messages) * WARM_UP // (WARM_UP + waiting)
    hurt, heal = (valkey.freeze, valkey.thaw) if harm == "hangs" else (valkey.stop, valkey.start)
    memory: list[int] = []
    async with open_fleet(valkey.url, "row-7", tmp_path, STREAMAPP_WAIT_SECONDS="5") as fleet:
        await fleet.create(streamapp_agents.app, visibility=30)
        ledger = fleet.sqs.ledger
        with fleet.running() as worker:
            await worker.says("ready")
            await fleet.send_story(messages[:warm_up])
            await until(lambda: deleted(fleet) == warm_up, within=300)
            process = psutil.Process(worker.popen.pid)
            before = process.memory_info().rss
            async with create_task_group() as tasks:
                tasks.start_soon(watch_memory, process, memory)
                await to_thread.run_sync(hurt)
                await fleet.send_story(messages[warm_up:])
                began = current_time()
                await sleep(seconds)
                calls = [it for it in ledger.calls("receive") if it.at >= began]  # clock: their order
                await to_thread.run_sync(heal)
                healed = current_time()
                await until(lambda: deleted(fleet) > warm_up, within=300)
                recovery = current_time() - healed
                tasks.cancel_scope.cancel()
            await until(lambda: deleted(fleet) == len(messages), within=300)
        receives = [times for queue in SOURCES for times in fleet.sqs.ledger.receives(queue).values()]
        letters = [await fleet.waiting([f"{queue}-dlq"]) for queue in SOURCES]
        said = worker.log.read_text()
    each = max(sum(call.queue == queue for call in calls) for queue in SOURCES)
    growth = (max(memory) - before) / 2**20

    figure(
        f"Redis {harm} for {seconds:g} s, {len(messages) - warm_up} messages waiting: dead letters {sum(letters)}; receives "
        f"a message {max(receives)} at most; receive calls of a queue {each} at most, {each * 5 / seconds:.2f} in 5 s; "
        f"RSS {growth:+.1f} MiB; recovery {recovery:.1f} s; log lines about it {said.count('Redis can')}"
    )
    assert letters == [0, 0, 0]
    assert len(receives) == len(messages)
    assert max(receives) <= 2
    assert each <= max(4.0, seconds / 5)  # clock: a count of calls
    if long:
        assert growth <= 5
        assert recovery <= 5  # clock: the row's figure
