"""What was left owed is found, sent and confirmed, though no message comes that would find it."""

import time

import pytest
from anyio import create_task_group, current_time, sleep

from outbox.owing import AT_ONCE, OLD, leave_owed, sweep
from rigs import behind
from rigs.worker import Add, Rig, until
from streamapp.config import Config
from streamapp.errors import ServiceError
from streamapp.outbox.backlog import Backlog, Owing
from streamapp.redis.store import RedisStore, open_redis
from streamapp.testing import Fail, Partial
from streamapp.worker.assembly import assemble
from streamapp.worker.worker import Worker


async def test_what_was_left_owed_is_sent_and_confirmed(rig: Rig, store: RedisStore, redis_url: str) -> None:
    """A message that expired, or was dead-lettered, between commit and announcement never comes back."""
    rig.count()
    keys = [await leave_owed(rig, f"k{n}", f"first {n}", f"second {n}") for n in range(3)]

    parts = await sweep(rig)

    assert sorted(rig.bodies()) == sorted(f"{word} {n}" for n in range(3) for word in ("first", "second"))
    assert rig.bodies().index("first 1") < rig.bodies().index("second 1")
    assert rig.tally.of("swept", "out") == 6
    assert parts.sweeper.backlog == Backlog(3, 6, OLD)
    for fields in await store.read(keys):
        assert isinstance(fields, dict)
        assert [name for name in fields if name.startswith("_o:")] == []
    async with behind.client(redis_url) as redis:
        assert await redis.pttl(keys[0]) > 0


async def test_what_was_owed_only_lately_is_left_to_its_message(rig: Rig) -> None:
    """Otherwise each sweep would announce what every worker is about to announce."""
    rig.count()
    await leave_owed(rig, "a", "new", at=time.time() - 60)

    parts = await sweep(rig)

    assert rig.bodies() == []
    assert "_o:new" in await rig.fields("a")
    assert parts.sweeper.backlog is not None
    assert 60 <= parts.sweeper.backlog.oldest < 90


async def test_a_worker_sweeps_by_itself_and_drains(rig: Rig) -> None:
    """No operator has to start a sweep, and it does not keep the worker from ending."""
    rig.count()
    await leave_owed(rig, "a", "left")
    worker = Worker(await assemble(rig.app.registry, rig.config, rig.sqs, rig.store, rig.tally, pace=AT_ONCE))
    async with create_task_group() as tasks:
        await tasks.start(worker.run)
        await until(lambda: rig.bodies() == ["left"])
        await rig.send([Add("b")])
        await until(lambda: rig.tally.of("ok") == 1)
        worker.stop()

    assert sorted(rig.bodies()) == sorted(["left", '{"key_total":"1","times":1}'])
    assert not [name for name in await rig.fields("a") if name.startswith("_o:")]


async def test_a_drain_does_not_wait_for_a_sweep_that_cannot_end(rig: Rig) -> None:
    """What is owed stays owed; the next sweep, of any worker, sends it."""
    rig.config = Config(key_prefix=rig.config.key_prefix, wait_seconds=0.1, drain_timeout=0.3)
    rig.count()
    await leave_owed(rig, "a", "left")
    rig.sqs.faults.add("send", Fail("InternalError"))
    worker = Worker(await assemble(rig.app.registry, rig.config, rig.sqs, rig.store, rig.tally, pace=AT_ONCE))
    async with create_task_group() as tasks:
        await tasks.start(worker.run)
        await until(lambda: rig.tally.of("sends") > 0)
        worker.stop()

    assert "_o:left" in await rig.fields("a")


async def test_nothing_is_sent_that_no_replica_has(rig: Rig, redis_url: str) -> None:
    """A failover would lose the change that it announces, so a sweep waits for the replicas too."""
    rig.config = Config(key_prefix=rig.config.key_prefix, replicas=1)
    rig.count()
    await leave_owed(rig, "a", "left")

    async with open_redis(redis_url, replicas=1) as store:
        with pytest.raises(ExceptionGroup) as caught:
            await sweep(rig, store)

    assert caught.group_contains(ServiceError, match="replicas")
    assert rig.bodies() == []
    assert "_o:left" in await rig.fields("a")


async def test_behind_a_barrier_a_sweep_writes_before_it_sends(rig: Rig) -> None:
    """Redis's WAIT covers only writes of the same connection, so there has to be one."""
    rig.config = Config(key_prefix=rig.config.key_prefix, replicas=1)
    rig.count()
    await leave_owed(rig, "a", "left")

    await sweep(rig)  # the rig's own store asks no replica

    assert rig.bodies() == ["left"]
    assert (await rig.fields("a"))["_t"] != "t-a"


async def test_a_key_that_was_changed_meanwhile_is_not_swept(rig: Rig) -> None:
    """The message that changed it found what it owes, and announces it."""
    rig.config = Config(key_prefix=rig.config.key_prefix, replicas=1)
    rig.count()
    key = await leave_owed(rig, "a", "left")
    parts = await rig.assemble()

    proven = await parts.sweeper._proven([Owing(key, "t-a", None, []), Owing(key, "older", None, [])])

    assert [it.token for it in proven] == ["t-a"]


async def test_an_announcement_that_sqs_refuses_is_parked_and_stops_no_other(rig: Rig) -> None:
    """One bad announcement must not keep the sweep from the rest."""
    rig.count()
    for n in range(3):
        await leave_owed(rig, f"k{n}", f"body {n}")
    rig.sqs.faults.add("send", Partial(1, "InvalidMessageContents", sender_fault=True), times=1)

    await sweep(rig)

    assert len(rig.bodies()) == 2
    names = [name for n in range(3) for name in await rig.fields(f"k{n}")]
    assert sum(name.startswith("_x:") for name in names) == 1
    assert not [name for name in names if name.startswith("_o:")]


async def test_a_hash_that_owes_nothing_expires_again(rig: Rig, redis_url: str) -> None:
    """A crash just before a confirmation can leave one that owes nothing and never expires."""
    rig.count()
    key = await leave_owed(rig, "a")

    await sweep(rig)

    async with behind.client(redis_url) as redis:
        assert 0 < await redis.pttl(key) <= rig.config.state_ttl * 1000


async def test_a_worker_that_does_not_sweep_says_nothing_of_the_backlog(rig: Rig) -> None:
    """What it found before may be sent by now: another one has swept since."""
    rig.count()
    await leave_owed(rig, "a", "left")
    sweeper = (await sweep(rig)).sweeper
    assert sweeper.backlog is not None
    assert await rig.store.claim(f"{rig.config.key_prefix}_sweeper:count", 60)

    await sweeper._try()

    assert sweeper.backlog is None


async def test_a_long_sweep_keeps_its_claim(rig: Rig) -> None:
    """A scan of many keys takes longer than a claim, and would be made by each worker in turn."""
    rig.count()
    sweeper = (await rig.assemble()).sweeper
    sweeper._claimed = list(sweeper._foldings)
    sweeper._claimed_at = current_time() - sweeper._pace.claim / 2
    key = f"{rig.config.key_prefix}_sweeper:count"
    assert await rig.store.claim(key, 0.05)

    await sweeper._send_while_claimed([])
    await sleep(0.1)

    assert not await rig.store.claim(key, 60)
