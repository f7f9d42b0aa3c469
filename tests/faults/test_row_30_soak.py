"""Row 30: a worker that has processed many messages needs no more resources than one that has processed a few."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import linear_regression, median

import pytest
from anyio import sleep

from chaos.services import bench
from chaos.shop import LOOK, Shop, drain
from chaos.traffic import Rushes
from chaos.verdict import judge
from faults.letters import Letters

ORDERS = 40
BACKLOG = 1000
"""Messages that wait at most: enough that the worker is never idle."""

WARM_UP = 0.5
"""The part of a run in which bounded caches fill up (10,000 announcements, for one), and the allocator settles.

Of 300,000 messages the first 40,000 took 10 MiB, the next 60,000 took 1.4 MiB, and the other 200,000 half a MiB.
"""


async def keep_busy(shop: Shop, rushes: Rushes, messages: int) -> int:
    """Send rush after rush; return the number of messages when all are processed."""
    sent = 0
    while sent < messages:
        # Without the catalogue, which would re-estimate ever more orders.
        rush = [message for message in rushes.next().messages if message.queue != "produto-events"]
        await shop.send(rush)
        sent += len(rush)
        while shop.left() > BACKLOG:
            await sleep(LOOK)
    await shop.drained(within=600)
    return sent


def drift(samples: Sequence[dict[str, float]], name: str) -> float:
    """Return by how much the last quarter of the samples is above the first."""
    quarter = len(samples) // 4
    values = [it[name] for it in samples]
    return median(values[-quarter:]) - median(values[:quarter])


@pytest.mark.timeout(3600)
async def test_a_worker_needs_no_more_with_time(
    tmp_path: Path, prefix: str, long: bool, figure: Callable[[str], None], letters: Letters
) -> None:
    """A small leak per message ends a worker after some weeks, at night."""
    messages = int(os.environ.get("SOAK_MESSAGES", "200000")) if long else 2000
    rushes = Rushes(ORDERS)
    async with bench(tmp_path) as rig, rig.shop(prefix, visibility=30) as shop:
        worker = shop.start(["pedidos", "pagamentos"], sampled=True)
        sent = await keep_busy(shop, rushes, messages)
        await drain(worker)
        samples = shop.samples()
        letters.may_die(*rushes.dead)
        verdict = await judge(shop, {})
    busy = [it for it in samples if WARM_UP * samples[-1]["done"] < it["done"] < samples[-1]["done"]]
    slope, _ = linear_regression([it["done"] / 100_000 for it in busy], [it["rss_mib"] for it in busy])
    seconds = samples[-1]["at"] - samples[0]["at"]

    figure(
        f"{sent} messages in {seconds:.0f} s ({sent / seconds:.0f} a second): RSS {busy[-1]['rss_mib']:.1f} MiB, "
        f"{slope:+.2f} MiB per 100,000 messages after the warm-up; fds {drift(busy, 'fds'):+.0f}, "
        f"tasks {drift(busy, 'tasks'):+.0f}; unannounced {verdict.unannounced}"
    )
    assert (verdict.unannounced, verdict.unstable, verdict.hidden, verdict.costly) == (0, 0, 0, 0)
    if long:
        assert slope <= 1
        assert abs(drift(busy, "fds")) <= 2
        assert abs(drift(busy, "tasks")) <= 2
