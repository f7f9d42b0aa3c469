"""Row 9: the master dies when its replica is 0.7 s behind, and the replica takes over."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from anyio import create_task_group, current_time, sleep, to_thread
from redis.asyncio import Redis

from chaos.proxy import Proxy
from chaos.services import FaultServices, bench, in_step, running
from chaos.shop import LOOK, Shop, drain
from chaos.valkey import Valkey
from chaos.verdict import Verdict, judge
from streamapp.declared.traffic import ScenarioMessage
from streamapp.outbox.sweeper import SweepPace

CUT = 0.7
"""Seconds by which the replica is behind when its master dies."""

IN_HAND = "100"
"""Messages in hand per agent: a replica that responds late must not leave a worker idle."""

SWEEPS = SweepPace(every=2.0, age=3.0, pause=0.0)


def order(number: int) -> ScenarioMessage:
    """Return the creation of one order, its only event."""
    data = {"id_pedido": number, "produtos": [{"id": 1, "quantidade": 1, "preco": 10}]}
    return ScenarioMessage("pedido-events", json.dumps({"event_type": "pedido_criado", "data": data}))


async def fail_over(
    shop: Shop, orders: int, master: Valkey, replica: Valkey, link: Proxy, front: Proxy
) -> float:
    """Fail over in the middle of the work; return how many seconds it took until all was done."""
    deleted = shop.sqs.simulator.ledger.deleted
    while len(deleted(shop.name("pedido-events"))) < orders // 3:
        await sleep(LOOK)
    link.cut()
    await sleep(CUT)
    master.kill()
    died_at = current_time()
    async with Redis.from_url(replica.url) as redis:
        await redis.replicaof("NO", "ONE")
    link.lead_to(replica.port)
    front.lead_to(replica.port)
    # The new master needs a replica too, or nothing would ever be durable again.
    await to_thread.run_sync(master.start, "--replicaof", "127.0.0.1", str(replica.port))
    await shop.drained()
    # The failover may undo a confirmation too; a sweep finds what is pending again.
    await shop.told(replica.url)
    return current_time() - died_at


async def run(rig: FaultServices, prefix: str, durability: str, orders: int) -> Verdict:
    """Process orders through a failover, and compare the new master's state with them."""
    master = rig.valkey
    async with create_task_group() as proxies:
        link, front = Proxy(master.port), Proxy(master.port)
        await proxies.start(link.run)
        await proxies.start(front.run)
        replica = Valkey(rig.folder / "replica", "--replicaof", "127.0.0.1", str(link.port))
        with running(replica):
            await in_step(master)
            async with rig.shop(
                prefix,
                redis_url=front.url,
                visibility=30,
                STREAMAPP_DURABILITY=durability,
                STREAMAPP_CONCURRENCY=IN_HAND,
            ) as shop:
                await shop.send([order(number) for number in range(orders)])
                workers = [shop.start(["pedidos"], pace=SWEEPS), shop.start(["pedidos"], pace=SWEEPS)]
                took = await fail_over(shop, orders, master, replica, link, front)
                await drain(*workers)
                expected = {
                    str(n): {"id_pedido": str(n), "conhecido": "1", "versao": "1"} for n in range(orders)
                }
                verdict = await judge(shop, {"acompanhamento": expected}, redis_url=replica.url)
        proxies.cancel_scope.cancel()
    return verdict + Verdict(recovery=took)


@pytest.mark.parametrize("durability", ["replicated:1", "local"])
@pytest.mark.timeout(600)
async def test_a_failover_loses_only_what_was_not_replicated(
    tmp_path: Path,
    prefix: str,
    long: bool,
    figure: Callable[[str], None],
    judged: Callable[[str, int, Verdict], None],
    durability: str,
) -> None:
    """Only a barrier keeps a message in its queue until a second server has its effect; the run without one proves that the test can fail."""
    orders = 6000 if long else 2400
    async with bench(tmp_path) as rig:
        verdict = await run(rig, prefix, durability, orders)

    judged(f"9 failover, durability {durability}", 1, verdict)
    figure(
        f"durability {durability}: of {orders} acknowledged messages lost {verdict.lost}, wrong {verdict.wrong}, "
        f"unannounced {verdict.unannounced}; {verdict.duplicates} of {verdict.announced} announcements were "
        f"repetitions; all was done {verdict.recovery:.1f} s after the master's death"
    )
    if durability == "local":
        assert verdict.lost > 0
    else:
        assert verdict.is_clean, verdict
