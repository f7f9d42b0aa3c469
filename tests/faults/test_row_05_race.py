"""Row 5: a message comes on the open poll as SIGTERM does: it is processed, or visible again within a second."""

import signal
from collections.abc import Callable
from pathlib import Path
from random import Random

import idler
import pytest
from anyio import current_time, sleep
from engine.rig import until
from fleet import Fleet, open_fleet

from streamapp.testing import Hang


async def race(fleet: Fleet, offset: float | None) -> tuple[str, float]:
    """Answer what became of a message whose answer is held until *offset* s after SIGTERM, and how long that took.

    None is until the worker has said that it drains; before 0 the answer is under way as the signal comes.
    """
    ledger = fleet.sqs.ledger
    before = len(ledger.received("slow"))
    hang = fleet.sqs.faults.add("receive", Hang(took_effect=True), queue="slow")
    with fleet.running("--app", "idler:app") as worker:
        await worker.says("ready")
        await fleet.send("slow", ["{}"])
        await until(lambda: len(fleet.sqs.ledger.received("slow")) > before, within=60)
        message = fleet.sqs.ledger.received("slow")[-1].message_id or ""
        if offset is not None and offset < 0:
            hang.remove()
            await sleep(-offset)
        worker.popen.send_signal(signal.SIGTERM)
        if offset is None:
            await worker.says("draining")
        elif offset > 0:
            await sleep(offset)
        hang.remove()
        answered_at = current_time()
        await worker.ends()
    assert worker.popen.returncode == 0, worker.log.read_text()
    ends = {("delete", "done"): "processed", ("change_visibility", "released"): "released"}
    for entry in fleet.sqs.ledger.of(message):
        if (entry.operation, entry.outcome) in ends:
            return ends[entry.operation, entry.outcome], entry.at - answered_at
    return "hidden", 600.0


@pytest.mark.timeout(1700)
async def test_what_the_open_poll_brings_at_the_end_is_processed_or_released(
    redis_url: str, prefix: str, tmp_path: Path, long: bool, figure: Callable[[str], None]
) -> None:
    """A deploy must not hide a message for its visibility timeout just because it came a moment too late."""
    rounds, limit = (100, 1.0) if long else (3, 5.0)
    luck = Random(5)
    offsets = [None if n % 2 else luck.uniform(-0.01, 0.03) for n in range(rounds)]
    async with open_fleet(redis_url, prefix, tmp_path, STREAMAPP_WAIT_SECONDS="2") as fleet:
        await fleet.create(idler.app, visibility=600)
        ends = [await race(fleet, offset) for offset in offsets]
        # What was released is there still; it is none of the rounds to come.
        hidden = await fleet.hidden(["slow"])
    took = [seconds for _, seconds in ends]
    words = [word for word, _ in ends]

    figure(
        f"{rounds} races, half of them with the answer within -10..+30 ms of the signal: processed "
        f"{words.count('processed')}, released {words.count('released')}, hidden {words.count('hidden')}; "
        f"{max(took) * 1000:.0f} ms after the answer at most; invisible at the end {hidden}"
    )
    assert "hidden" not in words
    assert max(took) <= limit
    assert hidden == 0
