"""Row 38: sweeps of many workers over many keys."""

import time
from collections.abc import Callable

import pytest
from anyio import create_task_group, sleep

from outbox.owing import OLD, leave_owed
from rigs import behind
from rigs.worker import Rig, until
from streamapp.outbox.sweeper import SweepPace
from streamapp.redis.store import SCAN, RedisStore
from streamapp.state.store import Commit
from streamapp.testing.state.memory_store import MemoryStore
from streamapp.worker.assembly import assemble
from streamapp.worker.worker import Worker

EVERY = 1.0
PACE = SweepPace(every=EVERY, age=0.2, pause=0.0)


async def fleet_of(rig: Rig, workers: int, *, seconds: float, pace: SweepPace = PACE) -> None:
    """Run that many idle workers for that long."""
    fleet = [
        Worker(
            await assemble(rig.app.registry, rig.config, rig.sqs, rig.store, rig.tally, pace=pace),
            watch=False,
        )
        for _ in range(workers)
    ]
    async with create_task_group() as tasks:
        for worker in fleet:
            await tasks.start(worker.run)
        await sleep(seconds)
        for worker in fleet:
            worker.stop()


@pytest.mark.parametrize("workers", [1, 10])
async def test_a_fleet_scans_a_table_no_oftener_than_a_worker(
    workers: int, figure: Callable[[str], None]
) -> None:
    """A million keys and ten workers were 33,000 commands a second, by which nothing was found."""
    store = MemoryStore()
    rig = await Rig(store, "sweeps").create()
    rig.count()
    await leave_owed(rig, "a", "left", at=time.time() - 10)

    await fleet_of(rig, workers, seconds=6 * EVERY)
    scans = len(store.ledger.calls("scan"))

    figure(f"{workers} workers, {6} sweeps by one: {scans} scans of the table; sent {rig.bodies()}")
    assert rig.bodies() == ["left"]
    assert 3 <= scans <= 6 / 0.45 + 1


async def test_another_worker_sweeps_after_one_that_died_sweeping() -> None:
    """A claim ends by itself: nobody has to give it back."""
    store = MemoryStore()
    rig = await Rig(store, "sweeps").create()
    rig.count()
    assert await store.claim("sweeps:_sweeper:count", PACE.claim), "as a worker that was killed then"
    await leave_owed(rig, "a", "left", at=time.time() - 10)

    await fleet_of(rig, 1, seconds=3 * EVERY)

    assert rig.bodies() == ["left"]


@pytest.mark.timeout(600)
async def test_a_sweep_asks_one_command_a_page(
    store: RedisStore, redis_url: str, prefix: str, long: bool, figure: Callable[[str], None]
) -> None:
    """It asked a command a key, and Redis has one thread for all."""
    keys = 1_000_000 if long else 20_000
    rig = await Rig(store, prefix).create()
    rig.count()
    for start in range(0, keys, 1000):
        await store.commit(
            [
                Commit(
                    rig.counts.redis_key(rig.config.key_prefix, f"k{n}"),
                    "",
                    f"t{n}",
                    {"total": "1", "times": "1"},
                    ttl=600,
                )
                for n in range(start, start + 1000)
            ]
        )
    await leave_owed(rig, "a", "left", at=OLD)
    async with behind.client(redis_url) as redis:
        stats = await redis.info("commandstats")
        before = sum(stats.get(f"cmdstat_{it}", {}).get("calls", 0) for it in ("scan", "evalsha", "set"))
        began = time.monotonic()
        worker = Worker(
            await assemble(
                rig.app.registry, rig.config, rig.sqs, store, rig.tally, pace=SweepPace(every=2.0, pause=0.0)
            ),
            watch=False,
        )
        async with create_task_group() as tasks:
            await tasks.start(worker.run)
            await until(lambda: worker.sweeper.backlog is not None, within=300)
            took = time.monotonic() - began
            stats = await redis.info("commandstats")
            asked = (
                sum(stats.get(f"cmdstat_{it}", {}).get("calls", 0) for it in ("scan", "evalsha", "set"))
                - before
            )
            worker.stop()
        # As many pages as the whole keyspace has: other tests have keys in it too.
        pages = -(-await redis.dbsize() // SCAN)

    figure(f"{keys} keys: a sweep of {pages} pages in {asked} commands, after {took:.1f} s")
    assert rig.bodies() == ["left"]
    assert asked <= 4 * pages + 20
