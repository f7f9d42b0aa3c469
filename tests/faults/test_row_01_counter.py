"""Row 1, again: a counter is not idempotent, and each event still counts once when a worker is killed anywhere."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random

import msgspec
import pytest
from anyio import CapacityLimiter, create_task_group, current_time, sleep

from chaos.counter import Hit
from chaos.crash import POINTS, STATUS, Crash, Point
from chaos.services import FaultServices, bench
from chaos.shop import LOOK, Shop, drain, ended
from chaos.verdict import Verdict
from streamapp.declared.traffic import ScenarioMessage

PAGES, HITS = 4, 16
LANES = 8

PASSAGES: dict[Point, int] = {"received": 2, "decoded": 10, "read": 2, "answer lost": 2, "committed": 2}
"""How often a rush reaches a point at least, where that is more than once."""

SHORT: tuple[Point, ...] = ("answer lost", "committed", "announced")
"""The points after which a message comes again although its event was applied."""


def rush(luck: Random, number: int) -> list[ScenarioMessage]:
    """Return hits of which each third comes twice, the second time in a message of its own."""
    hits = [Hit(f"p{luck.randrange(PAGES)}", number * HITS + n) for n in range(HITS)]
    some = [*hits, *luck.sample(hits, HITS // 3)]
    luck.shuffle(some)
    return [ScenarioMessage("pedido-events", msgspec.json.encode(hit).decode()) for hit in some]


async def kill_once(shop: Shop, app: str, messages: list[ScenarioMessage], crash: Crash) -> float | None:
    """Crash a worker in a rush, and start another; return how many seconds it took until all was done.

    None: the rush did not reach the point.
    """
    await shop.send(messages)
    victim = shop.start(crash=crash, app=app)
    while victim.exitcode is None and shop.left("pedido-events"):
        await sleep(LOOK)
    if victim.exitcode is None:
        victim.terminate()
        assert await ended(victim) in {0, STATUS}
    if victim.exitcode != STATUS:
        return None
    killed_at = current_time()
    rescuer = shop.start(app=app)
    await shop.drained()
    took = current_time() - killed_at
    await drain(rescuer)
    return took


async def lane(rig: FaultServices, app: str, point: Point, kills: int, prefix: str) -> Verdict:
    """Kill workers at *point*, and compare the counters with what was sent."""
    luck, sent, worst, killed = Random(point), set[str](), 0.0, 0
    async with rig.shop(prefix) as shop:
        for number in range(3 * kills + 10):
            messages = rush(luck, number)
            sent.update(message.body for message in messages)
            took = await kill_once(shop, app, messages, Crash(point, luck.randint(1, PASSAGES.get(point, 1))))
            if took is not None:
                killed, worst = killed + 1, max(worst, took)
            if killed == kills:
                break
        assert killed == kills, f"{point} is not reached"
        await shop.drained()
        await shop.swept(app)
        return Verdict(recovery=worst) + await judge(shop, sent)


async def judge(shop: Shop, sent: set[str]) -> Verdict:
    """Compare what a shop has counted and announced with the bodies that were sent."""
    expected = Counter(msgspec.json.decode(body, type=Hit).page for body in sent)
    pages = {page: int(fields["hits"]) for page, fields in (await shop.hashes())["page"].items()}
    told = [(it["page"], it["hits"]) for it in shop.announcements()]
    changes = {(page, n) for page, hits in pages.items() for n in range(1, hits + 1)}
    return Verdict(
        lost=sum((expected - Counter(pages)).values()) + len(shop.letters()),
        wrong=sum((Counter(pages) - expected).values()),
        unannounced=len(changes - set(told)),
        unstable=len(set(told) - changes),
        duplicates=len(told) - len(set(told)),
        announced=len(told),
    )


@pytest.mark.timeout(3600)
async def test_a_counter_counts_once_wherever_a_worker_dies(
    tmp_path: Path,
    prefix: str,
    long: bool,
    figure: Callable[[str], None],
    judged: Callable[[str, int, Verdict], None],
) -> None:
    """`once=True` stores the identity of an event in the commit that applies it; without it, the same kills miscount."""
    kills, limit = 10 if long else 1, CapacityLimiter(LANES)
    verdicts: dict[tuple[str, Point], Verdict] = {}
    # A single server has no replica to wait for.
    points = [point for point in POINTS if point != "after the barrier"] if long else list(SHORT)
    lanes: list[tuple[str, Point]] = [("once", point) for point in points]

    async def run(rig: FaultServices, app: str, point: Point) -> None:
        async with limit:
            name = f"{prefix}-{app}-{point.replace(' ', '-')}"
            verdicts[app, point] = await lane(rig, f"chaos.counter:{app}", point, kills, name)

    async with bench(tmp_path) as rig, create_task_group() as tasks:
        for app, point in (*lanes, ("careless", "announced")):
            tasks.start_soon(run, rig, app, point)

    control = verdicts.pop(("careless", "announced"))
    total = sum(verdicts.values(), Verdict())
    judged("1 a counter killed at each boundary, once=True", kills * len(lanes), total)
    figure(
        f"{kills * len(lanes)} kills of a counter: lost {total.lost}, counted twice {total.wrong}, unannounced "
        f"{total.unannounced}; {total.duplicates} of {total.announced} announcements were repetitions; without "
        f"once=True {kills} kills counted {control.wrong} twice"
    )
    assert {where: it for where, it in verdicts.items() if not it.is_clean} == {}
    assert control.wrong > 0
