"""Row 4: on a second SIGTERM the worker ends within a second, and nothing is lost."""

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from faults import idler
from faults.fleet import open_fleet
from rigs.worker import until

HELD = 10
"""Messages in hand: as many as the worker takes, so that no poll of their queue is open."""


@pytest.mark.timeout(1700)
async def test_a_second_signal_ends_a_worker_within_a_second(
    redis_url: str, prefix: str, tmp_path: Path, long: bool, figure: Callable[[str], None]
) -> None:
    """A second Ctrl-C must end the worker at once, and must not harm the messages."""
    rounds = 20 if long else 1
    exits: list[float] = []
    settings = {"IDLER_SECONDS": "600", "STREAMAPP_CONCURRENCY": str(HELD), "STREAMAPP_WAIT_SECONDS": "10"}
    async with open_fleet(redis_url, prefix, tmp_path, **settings) as fleet:
        await fleet.create(idler.app, visibility=600)
        await fleet.send("slow", [f'{{"n":{n}}}' for n in range(3 * HELD)])
        slow = await fleet.sqs.find("slow")
        sent = set(fleet.sqs.bodies(slow))
        for _ in range(rounds):
            with fleet.running("--app", "idler:app") as worker:
                await worker.says("ready")
                await until(lambda: len(fleet.sqs.ledger.in_flight("slow")) == HELD, within=300)
                worker.popen.send_signal(signal.SIGTERM)
                await worker.says("draining")
                assert worker.popen.poll() is None
                worker.popen.send_signal(signal.SIGTERM)
                exits.append(await worker.ends())
            assert worker.popen.returncode == 1, worker.log.read_text()
            assert await fleet.hidden(["slow"]) == 0, "something stays hidden for ten minutes"
        kept = fleet.sqs.bodies(slow)

    figure(
        f"{rounds} times two signals with {HELD} messages in hand and a long poll open: exit 1, "
        f"{max(exits):.2f} s after the second at most; of {len(sent)} messages {len(kept)} are there and visible"
    )
    assert set(kept) == sent
    assert len(kept) == len(sent)
    if long:
        assert max(exits) <= 1  # clock: the row's figure
