"""Row 1: a worker killed at each boundary of the protocol: nothing lost, wrong or unannounced, and soon over."""

from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from anyio import CapacityLimiter, create_task_group, current_time, sleep

from chaos.crash import POINTS, STATUS, Crash, Point
from chaos.services import FaultServices, bench, in_step, running
from chaos.shop import LOOK, STREAMS, VISIBILITY, Shop, drain, ended
from chaos.traffic import Rushes
from chaos.valkey import Valkey
from chaos.verdict import Verdict, judge

AGENTS = {"pedido-events": "pedidos", "pagamento-events": "pagamentos", "produto-events": "catalogo"}
ORDERS = 4
LANES = 8
"""Shops at a time: most of a kill's time is spent waiting for the visibility timeout."""

PASSAGES: dict[Point, int] = {"received": 2, "decoded": 6, "read": 3, "answer lost": 2, "committed": 3}
"""How often a rush reaches a point at least, where that is more than once."""


async def kill_once(shop: Shop, rushes: Rushes, stream: str, crash: Crash) -> float | None:
    """Crash a worker of *stream* in a rush, and start another; return how many seconds it took until all was done.

    None: the rush did not reach the point.
    """
    agent = AGENTS[stream]
    rush = rushes.next()
    if stream == "produto-events":  # its changes are announced by orders that exist
        await shop.send([it for it in rush.messages if it.queue != stream])
        await shop.drained("pedido-events", "pagamento-events")
        await shop.send([it for it in rush.messages if it.queue == stream])
    else:
        await shop.send(rush.messages)
    victim = shop.start([agent], crash)
    while victim.exitcode is None and shop.left(stream):
        await sleep(LOOK)
    if victim.exitcode is None:
        victim.terminate()
        assert await ended(victim) in {0, STATUS}
    if victim.exitcode != STATUS:
        return None
    killed_at = current_time()
    rescuer = shop.start([agent])
    await shop.drained()
    took = current_time() - killed_at
    await drain(rescuer)
    return took


async def lane(rig: FaultServices, point: Point, stream: str, kills: int, prefix: str) -> Verdict:
    """Kill the agent of *stream* again and again at *point*, in one shop whose other agents go on."""
    luck, rushes, worst, killed = Random(f"{point} {stream}"), Rushes(ORDERS), 0.0, 0
    durability = "replicated:1" if point == "after the barrier" else "local"
    async with rig.shop(prefix, STREAMAPP_DURABILITY=durability) as shop:
        helper = shop.start([agent for queue, agent in AGENTS.items() if queue != stream])
        while killed < kills:
            assert rushes.made < 3 * kills + 10, f"{point} of {stream} is not reached"
            passage = luck.randint(1, PASSAGES.get(point, 1))
            took = await kill_once(shop, rushes, stream, Crash(point, passage))
            if took is not None:
                killed, worst = killed + 1, max(worst, took)
        await shop.drained()
        await drain(helper)
        await shop.swept()
        return Verdict(recovery=worst) + await judge(shop, rushes.expected, rushes.dead)


def said(verdict: Verdict) -> str:
    """Return *verdict* as text."""
    return (
        f"lost {verdict.lost}, wrong {verdict.wrong}, unannounced {verdict.unannounced}; {verdict.duplicates} of "
        f"{verdict.announced} announcements were repetitions; worst recovery {verdict.recovery:.1f} s"
    )


@pytest.mark.timeout(3600)
async def test_a_worker_killed_anywhere_costs_time_alone(
    tmp_path: Path,
    prefix: str,
    long: bool,
    figure: Callable[[str], None],
    judged: Callable[[str, int, Verdict], None],
) -> None:
    """What a process has in hand when it dies is still in SQS or in Redis."""
    kills = 20 if long else 1
    lanes = [(point, stream) for point in POINTS for stream in STREAMS]
    if not long:  # each point once, each queue in turn
        lanes = [(point, STREAMS[n % len(STREAMS)]) for n, point in enumerate(POINTS)]
    verdicts: dict[tuple[Point, str], Verdict] = {}
    limit = CapacityLimiter(LANES)

    async def run(rig: FaultServices, point: Point, stream: str) -> None:
        async with limit:
            name = f"{prefix}-{point.replace(' ', '-')}-{stream.removesuffix('-events')}"
            verdicts[point, stream] = it = await lane(rig, point, stream, kills, name)
            if long:
                figure(f"{kills} at {point!r} of {stream}: {said(it)}")

    began = current_time()
    async with bench(tmp_path) as rig:
        with running(Valkey(tmp_path / "replica", "--replicaof", "127.0.0.1", str(rig.valkey.port))):
            await in_step(rig.valkey)
            async with create_task_group() as tasks:
                for point, stream in lanes:
                    tasks.start_soon(run, rig, point, stream)
    total = sum(verdicts.values(), Verdict())

    judged("1 killed at each boundary", kills * len(lanes), total)
    figure(
        f"{kills * len(lanes)} kills at {len(POINTS)} points in {current_time() - began:.0f} s: {said(total)}"
    )
    assert {where: it for where, it in verdicts.items() if not it.is_clean} == {}
    # A short run shares its machine with other tests, and then the start of workers takes long.
    if long:
        assert total.recovery <= VISIBILITY + 10  # clock: the row's figure
