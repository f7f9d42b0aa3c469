"""Row 2: of two workers a random one is killed every other second, under load."""

from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from anyio import create_task_group, current_time, sleep

from chaos.services import bench
from chaos.shop import Shop, drain, ended
from chaos.traffic import Rushes
from chaos.verdict import Verdict, judge
from streamapp.config import Config

EVERY = 2.0
"""Seconds between two kills."""

ORDERS = 8
PERIOD = 1.0
"""Seconds between two rushes, and orders in each: some fifty messages a second, and their announcements."""

ONCE = 1_000_000
STORMS = 10
"""Rushes from one catalogue to the next. A catalogue re-estimates all open orders since the first rush, and each rush
leaves some: days pass in seconds, so in the end hundreds of orders are announced at once.
"""


async def keep_sending(shop: Shop, rushes: Rushes, seconds: float) -> None:
    """Send rush after rush for that many seconds."""
    began = current_time()
    while current_time() - began < seconds:  # clock: how long the row lasts
        await shop.send(rushes.next().messages)
        await sleep(max(0.0, began + rushes.made * PERIOD - current_time()))


async def keep_killing(shop: Shop, seconds: float) -> tuple[int, float]:
    """Kill and replace workers for that many seconds, and let the last two finish; return the kills, and how long that took."""
    luck, workers, kills = Random(2), [shop.start(), shop.start()], 0
    began = current_time()
    while current_time() - began < seconds:  # clock: how long the row lasts
        await sleep(EVERY)
        doomed = luck.randrange(len(workers))
        workers[doomed].kill()
        assert await ended(workers[doomed]) == -9
        workers[doomed] = shop.start()
        kills += 1
    killed_at = current_time()
    await shop.drained(within=120)
    took = current_time() - killed_at
    await drain(*workers)
    return kills, took


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("storms", [False, True])
async def test_workers_that_are_killed_at_random_lose_nothing(
    tmp_path: Path,
    prefix: str,
    long: bool,
    storms: bool,
    figure: Callable[[str], None],
    judged: Callable[[str, int, Verdict], None],
) -> None:
    """Spot instances, OOM killers and orchestrators kill at any time."""
    seconds = 600.0 if long else 6.0
    rushes, kills, took = Rushes(ORDERS, STORMS if storms else ONCE), 0, 0.0
    async with bench(tmp_path) as rig, rig.shop(prefix) as shop:

        async def kill() -> None:
            nonlocal kills, took
            kills, took = await keep_killing(shop, seconds)

        async with create_task_group() as tasks:
            tasks.start_soon(keep_sending, shop, rushes, seconds)
            tasks.start_soon(kill)
        await shop.swept()
        verdict = Verdict(recovery=took) + await judge(shop, rushes.expected, rushes.dead)
        messages = len(shop.sqs.ledger.sent()) - verdict.announced

    name = "2 random kills of two workers" + (", in storms of the catalogue" if storms else "")
    judged(name, kills, verdict)
    figure(
        f"{name[2:]}: {kills} kills in {seconds:.0f} s, {messages} messages: lost {verdict.lost}, wrong {verdict.wrong}, "
        f"unannounced {verdict.unannounced}; {verdict.duplicates} of {verdict.announced} announcements "
        f"({100 * verdict.share:.3f} %) were repetitions; all was done {took:.1f} s after the last kill"
    )
    assert verdict.is_clean, verdict
    assert verdict.duplicates <= kills * len(("pedidos", "pagamentos", "catalogo")) * Config().concurrency
    if long and not storms:
        # Announcements that SQS accepted and that are not confirmed in Redis are repeated: under load some dozen.
        assert verdict.share <= 0.001
