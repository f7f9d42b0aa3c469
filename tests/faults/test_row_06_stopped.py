"""Row 6: a worker that is stopped for three visibility timeouts, and then goes on."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from anyio import current_time, sleep

from chaos.services import bench
from chaos.shop import LOOK, STREAMS, VISIBILITY, drain
from chaos.traffic import Rushes
from chaos.verdict import Verdict, judge
from faults.letters import Letters


@pytest.mark.timeout(900)
async def test_a_worker_that_stood_still_undoes_nothing(
    tmp_path: Path,
    prefix: str,
    long: bool,
    figure: Callable[[str], None],
    judged: Callable[[str, int, Verdict], None],
    letters: Letters,
) -> None:
    """A paused virtual machine comes back with old states and old handles; neither may have an effect."""
    rounds, rushes, recovery = 10 if long else 1, Rushes(8), 0.0
    async with bench(tmp_path) as rig, rig.shop(prefix) as shop:
        for _ in range(rounds):
            sleeper = shop.start()
            await shop.send(rushes.next().messages)
            ledger = shop.sqs.simulator.ledger
            while not any(ledger.in_flight(shop.name(stream)) for stream in STREAMS):
                await sleep(LOOK)
            assert sleeper.pid is not None
            os.kill(sleeper.pid, signal.SIGSTOP)
            stopped_at = current_time()
            other = shop.start()
            await shop.drained()
            recovery = max(recovery, current_time() - stopped_at)
            await sleep(max(0.0, stopped_at + 3 * VISIBILITY - current_time()))
            os.kill(sleeper.pid, signal.SIGCONT)
            await shop.send(rushes.next().messages)
            await shop.drained()
            await drain(sleeper, other)
        letters.may_die(*rushes.dead)
        verdict = Verdict(recovery=recovery) + await judge(shop, rushes.expected, rushes.dead)
        entries = shop.sqs.ledger.entries
        stale = sum(it.operation == "delete" and it.outcome == "stale" for it in entries)
        deleted = [it.message_id for stream in STREAMS for it in shop.sqs.ledger.deleted(shop.name(stream))]

    judged("6 stopped for three visibility timeouts", rounds, verdict)
    figure(
        f"{rounds} pauses of {3 * VISIBILITY} s among {len(deleted)} messages: lost {verdict.lost}, wrong {verdict.wrong}, "
        f"unannounced {verdict.unannounced}; {stale} deletes by handles of before the pause found the message gone; "
        f"{verdict.duplicates} of {verdict.announced} announcements were repetitions; "
        f"another worker had taken all over within {verdict.recovery:.1f} s"
    )
    assert verdict.is_clean, verdict
    assert len(deleted) == len(set(deleted))
