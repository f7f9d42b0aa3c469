"""Row 26: the backlog of an outage is worked off as fast as usual, with no more messages in hand, memory or calls."""

import signal
from collections.abc import Callable, Sequence
from itertools import accumulate
from pathlib import Path

import psutil
import pytest
from anyio import create_task_group, current_time, fail_after, sleep

from faults import idler
from faults.fleet import Fleet, open_fleet
from streamapp.testing import Entry, Fail

QUEUE = "slow"
TOKENS = 20
VISIBILITY = 2
"""Seconds, fewer than a worker leases messages for: those that could not be deleted come again after its lease."""

STEPS = {
    ("receive", "done"): 1,
    ("delete", "done"): -1,
    ("change_visibility", "released"): -1,
    ("return", "done"): -1,
}
"""How each thing that may happen to a message changes the number in flight."""


async def watch_memory(process: psutil.Process, seen: list[int]) -> None:
    """Record the memory of a process, for ever."""
    while True:
        seen.append(process.memory_info().rss)
        await sleep(0.2)


async def worked_off(fleet: Fleet) -> None:
    """Return when the queue is empty."""
    with fail_after(1500):
        while await fleet.waiting([QUEUE]) + await fleet.hidden([QUEUE]):
            await sleep(0.05)


def in_flight(entries: Sequence[Entry]) -> int:
    """Return how many messages were in flight at once."""
    return max(accumulate(STEPS.get((it.operation, it.outcome), 0) for it in entries if it.message_id))


def rate(entries: Sequence[Entry]) -> float:
    """Return how many messages a second were deleted, without the first and the last few."""
    ends = [it.at for it in entries if it.message_id and (it.operation, it.outcome) == ("delete", "done")]
    ends = ends[TOKENS:-TOKENS]
    return (len(ends) - 1) / (ends[-1] - ends[0])


def calls(entries: Sequence[Entry], begin: float, end: float) -> int:
    """Return how many calls returned between two times."""
    return sum(it.message_id is None and begin <= it.at < end for it in entries)


@pytest.mark.timeout(1700)
@pytest.mark.parametrize("client", ["fast", "aioboto3"])
async def test_a_backlog_is_worked_off_as_what_comes_every_day(
    redis_url: str, prefix: str, tmp_path: Path, long: bool, client: str, figure: Callable[[str], None]
) -> None:
    """A worker that takes more than it can hold, or floods the server that has just recovered, causes the next outage."""
    usual, backlog = (10_000, 100_000) if long else (500, 1_500)
    memory: list[int] = []
    async with open_fleet(
        redis_url,
        prefix,
        tmp_path,
        IDLER_SECONDS="0.025",
        STREAMAPP_CONCURRENCY=str(TOKENS),
        STREAMAPP_WAIT_SECONDS="1",
        STREAMAPP_SQS_CLIENT=client,
    ) as fleet:
        await fleet.create(idler.app, VISIBILITY)
        await fleet.send(QUEUE, ["{}"] * usual)
        ledger, faults = fleet.sqs.ledger, fleet.sqs.faults
        with fleet.running("--app", "idler:app", "--agents", QUEUE) as worker:
            await worked_off(fleet)
            every_day = list(ledger.entries)
            process = psutil.Process(worker.popen.pid)
            before = process.memory_info().rss
            outage = [
                faults.add(it, Fail("ServiceUnavailable"), queue=QUEUE)
                for it in ("receive", "delete", "change_visibility")
            ]
            began = current_time()
            await fleet.send(QUEUE, ["{}"] * backlog)
            await sleep(max(0.0, began + VISIBILITY + 1 - current_time()))
            async with create_task_group() as tasks:
                tasks.start_soon(watch_memory, process, memory)
                for fault in outage:
                    fault.remove()
                healed = len(ledger.entries)
                await worked_off(fleet)
                tasks.cancel_scope.cancel()
            worker.popen.send_signal(signal.SIGTERM)
            await worker.ends()
    after = ledger.entries[healed:]
    # What was done before the outage and could not be deleted stays hidden for its lease, but nobody has it in hand.
    steady, drained, most = rate(every_day), rate(after), max(in_flight(every_day), in_flight(after))
    first = min(it.at for it in after if it.operation == "receive")
    calls_after = calls(after, first, first + 1)
    middle = every_day[len(every_day) // 4].at, every_day[-len(every_day) // 4].at
    calls_before = calls(every_day, *middle) / (middle[1] - middle[0])
    growth = (max(memory) - before) / 2**20

    figure(
        f"{client}: {backlog} messages waiting: in flight {most} of {TOKENS} at most; worked off at {drained:.0f} messages/s "
        f"against {steady:.0f} on other days ({100 * drained / steady:.1f} %); RSS {growth:+.1f} MiB; calls in the first second "
        f"{calls_after} against {calls_before:.0f} ({calls_after / calls_before:.2f} times)"
    )
    assert len(ledger.deleted(QUEUE)) == usual + backlog
    assert most <= TOKENS
    assert growth <= 20
    if long:
        assert drained >= 0.9 * steady  # clock: the row's figure
        assert calls_after <= 2 * calls_before
