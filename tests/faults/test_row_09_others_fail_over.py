"""Row 9, again: a master dies under load, and a cluster or Sentinels promote its replica."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from anyio import current_time, sleep, to_thread

from chaos.cluster import ask, cluster
from chaos.services import FaultServices, bench, in_step, running
from chaos.shop import LOOK, drain
from chaos.valkey import Sentinel, Valkey
from chaos.verdict import Verdict, judge
from faults.test_row_09_failover import IN_HAND, SWEEPS, order


@dataclass(frozen=True)
class Watched:
    """Where workers find state, the master that will die, and where the test reads state afterwards."""

    url: str
    victim: Valkey
    found: Callable[[], str]
    is_followed: Callable[[], bool]
    """Whether another server is master in its place."""


@asynccontextmanager
async def by_a_cluster(rig: FaultServices) -> AsyncIterator[Watched]:
    """Three masters, each with a replica."""
    with cluster(rig.folder / "cluster", replicas=1, node_timeout=2_000) as valkeys:
        for master in valkeys.masters:
            await in_step(master)
        alive = ",".join(f"127.0.0.1:{node.port}" for node in reversed(valkeys.masters))
        victim, heir = valkeys.masters[0], valkeys.nodes[len(valkeys.masters)]
        yield Watched(
            valkeys.url,
            victim,
            found=lambda: f"redis://{alive}/0",
            is_followed=lambda: ask(heir, "ROLE")[0] == "master",
        )


@asynccontextmanager
async def by_sentinels(rig: FaultServices) -> AsyncIterator[Watched]:
    """One master, two replicas, so that the new master has one too, and three Sentinels."""
    with ExitStack() as all_of_them:
        master = all_of_them.enter_context(running(Valkey(rig.folder / "master")))
        words = ("--replicaof", "127.0.0.1", str(master.port))
        for n in range(2):
            all_of_them.enter_context(running(Valkey(rig.folder / f"replica{n}", *words)))
        await in_step(master, replicas=2)
        watchers = [
            all_of_them.enter_context(running(Sentinel(rig.folder / f"sentinel{n}", master)))
            for n in range(3)
        ]

        def whom_they_name() -> str:
            host, port = ask(watchers[0], "SENTINEL", "GET-MASTER-ADDR-BY-NAME", "mymaster")
            return f"redis://{host}:{port}/0"

        def know_all(watcher: Valkey) -> bool:
            told = ask(watcher, "SENTINEL", "MASTER", "mymaster")
            return (told["num-other-sentinels"], told["num-slaves"]) == ("2", "2")

        while not all(know_all(watcher) for watcher in watchers):
            await sleep(0.1)
        hosts = ",".join(f"127.0.0.1:{watcher.port}" for watcher in watchers)
        yield Watched(
            f"redis+sentinel://{hosts}/mymaster",
            master,
            found=whom_they_name,
            is_followed=lambda: not whom_they_name().endswith(f":{master.port}/0"),
        )


@pytest.mark.parametrize("watch", [by_a_cluster, by_sentinels], ids=lambda it: it.__name__)
@pytest.mark.timeout(600)
async def test_a_watched_master_loses_nothing_that_was_replicated(
    tmp_path: Path,
    prefix: str,
    long: bool,
    figure: Callable[[str], None],
    judged: Callable[[str, int, Verdict], None],
    watch: Callable[[FaultServices], AbstractAsyncContextManager[Watched]],
) -> None:
    """Workers find the new master by themselves, and it has the effect of all that they deleted."""
    orders = 6000 if long else 300
    async with (
        bench(tmp_path) as rig,
        watch(rig) as valkeys,
        rig.shop(
            prefix,
            redis_url=valkeys.url,
            visibility=30,
            STREAMAPP_DURABILITY="replicated:1",
            STREAMAPP_CONCURRENCY=IN_HAND,
        ) as shop,
    ):
        await shop.send([order(number) for number in range(orders)])
        workers = [shop.start(["pedidos"], pace=SWEEPS), shop.start(["pedidos"], pace=SWEEPS)]
        deleted = shop.sqs.simulator.ledger.deleted
        while len(deleted(shop.name("pedido-events"))) < orders // 3:
            await sleep(LOOK)
        valkeys.victim.kill()
        died_at, before = current_time(), len(deleted(shop.name("pedido-events")))
        while not valkeys.is_followed():
            await sleep(0.1)
        # It comes back as a replica: in the cluster the new master has no other, and nothing would be durable.
        await to_thread.run_sync(valkeys.victim.start)
        await shop.drained()
        await shop.told(valkeys.found())
        took = current_time() - died_at
        await drain(*workers)
        expected = {str(n): {"id_pedido": str(n), "conhecido": "1", "versao": "1"} for n in range(orders)}
        verdict = Verdict(recovery=took) + await judge(
            shop, {"acompanhamento": expected}, redis_url=valkeys.found()
        )

    name = watch.__name__.replace("_", " ")
    judged(f"9 failover {name}, durability replicated:1", 1, verdict)
    figure(
        f"{name}, durability replicated:1: {before} of {orders} messages were deleted when the master died; lost "
        f"{verdict.lost}, wrong {verdict.wrong}, unannounced {verdict.unannounced}; {verdict.duplicates} of "
        f"{verdict.announced} announcements were repetitions; all was done {took:.1f} s after its death"
    )
    assert verdict.is_clean, verdict
