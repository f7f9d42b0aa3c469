"""What was left owed is found, sent and confirmed, though no message leads to it any more."""

import json
import time
from typing import Any

import pytest
from anyio import create_task_group

from rigs import behind
from rigs.worker import Add, Count, Note, Rig, add, note, until
from streamapp.config import Config
from streamapp.errors import ServiceError
from streamapp.flow.batcher import Batcher
from streamapp.outbox.backlog import Backlog, Owing, survey
from streamapp.outbox.sweeper import SweepPace
from streamapp.redis.store import RedisStore, open_redis
from streamapp.state.store import Commit
from streamapp.testing import Fail, Partial
from streamapp.worker.assembly import Assembly, assemble
from streamapp.worker.worker import Worker
from streamapp_codecs import Json

AT_ONCE = SweepPace(every=0.05, age=120.0, pause=0.0)
OLD = 1000.0


def owed(sequence: int, body: str, at: float = OLD) -> str:
    """Return the text of an announcement, as its hash holds it."""
    return json.dumps([sequence, at, None, None, body], separators=(",", ":"))


async def leave_owed(rig: Rig, key: str, *bodies: str, at: float = OLD) -> str:
    """Leave a hash as a crash between commit and announcement does; answer its Redis key."""
    redis_key = rig.counts.redis_key(rig.config.key_prefix, key)
    pending = {f"_o:{body}": owed(n, body, at) for n, body in enumerate(bodies, 1)}
    commit = Commit(redis_key, "", f"t-{key}", {"total": "1", "times": "1", **pending}, keep=True)
    assert await rig.store.commit([commit]) == [True]
    return redis_key


async def sweep(rig: Rig, store: RedisStore | None = None) -> Assembly:
    """Sweep once, with the batchers that it needs; answer the parts."""
    parts = await assemble(rig.app.registry, rig.config, rig.sqs, store or rig.store, rig.tally, pace=AT_ONCE)
    batchers: list[Batcher[Any, Any]] = list(parts.batchers)
    async with create_task_group() as services:
        for batcher in batchers:
            await services.start(batcher.run)
        try:
            await parts.sweeper.sweep()
        finally:
            for batcher in batchers:
                batcher.close()
    return parts


async def test_what_was_left_owed_is_sent_and_confirmed(rig: Rig, store: RedisStore, redis_url: str) -> None:
    """A message that expired, or went to the DLQ, between commit and announcement never comes back."""
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


async def test_what_is_owed_since_a_moment_ago_is_in_somebodys_hand(rig: Rig) -> None:
    """Else each sweep would announce what every worker is about to announce."""
    rig.count()
    await leave_owed(rig, "a", "new", at=time.time() - 60)

    parts = await sweep(rig)

    assert rig.bodies() == []
    assert "_o:new" in await rig.fields("a")
    assert parts.sweeper.backlog is not None
    assert 60 <= parts.sweeper.backlog.oldest < 90


async def test_a_worker_sweeps_by_itself_and_drains(rig: Rig) -> None:
    """Nobody has to ask for it, and it keeps nobody from ending."""
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
    """What is owed stays owed; whoever sweeps next sends it."""
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
    """A failover would forget the change that it speaks of: the barrier counts for a sweep too."""
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
    """WAIT speaks of its own connection's writes alone, so there has to be one."""
    rig.config = Config(key_prefix=rig.config.key_prefix, replicas=1)
    rig.count()
    await leave_owed(rig, "a", "left")

    await sweep(rig)  # the rig's own store asks no replica

    assert rig.bodies() == ["left"]
    assert (await rig.fields("a"))["_t"] != "t-a"


async def test_a_key_that_somebody_changes_meanwhile_is_theirs(rig: Rig) -> None:
    """They found what it owes, and announce it."""
    rig.config = Config(key_prefix=rig.config.key_prefix, replicas=1)
    rig.count()
    key = await leave_owed(rig, "a", "left")
    parts = await rig.assemble()

    proven = await parts.sweeper._proven([Owing(key, "t-a", None, []), Owing(key, "older", None, [])])

    assert [it.token for it in proven] == ["t-a"]


async def test_one_that_sqs_refuses_is_parked_and_stops_no_other(rig: Rig) -> None:
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


async def test_what_is_not_ours_is_left_alone(rig: Rig, redis_url: str) -> None:
    """Keys of other programs, and of tables that announce nothing, may begin as ours do."""
    rig.count()
    start = rig.counts.folding.keys_prefix(rig.config.key_prefix)
    strangers: dict[str, dict[str, str | bytes]] = {
        "no-token": {"_o:x": owed(1, "stranger")},
        "nonsense": {"_t": "t", "_o:x": "nonsense"},
        "bytes": {"_t": "t", "_o:x": b"\xff"},
    }
    async with behind.client(redis_url) as redis:
        for name, fields in strangers.items():
            await redis.hset(f"{start}{name}", mapping=fields)
        await redis.set(f"{start}text", "text")
        await redis.sadd(f"{start}set", "member")

        await sweep(rig)

        assert rig.bodies() == []
        assert [await redis.ttl(f"{start}{name}") for name in ("no-token", "nonsense", "text", "set")] == [
            -1
        ] * 4


async def test_what_a_table_owes_whose_name_begins_like_another_goes_to_its_own_sink(rig: Rig) -> None:
    """Redis finds both by the beginning of the first."""
    rig.count()
    elsewhere = rig.app.sink("elsewhere", Json(Note))
    longer = rig.app.table("count:longer", Count, fold=add, announce=note, to=elsewhere)
    queue = await rig.sqs.create("elsewhere", {})
    commit = Commit(
        longer.redis_key(rig.config.key_prefix, "a"),
        "",
        "t",
        {"total": "1", "times": "1", "_o:x": owed(1, "said")},
        keep=True,
    )
    assert await rig.store.commit([commit]) == [True]

    await sweep(rig)

    assert (rig.bodies(), rig.sqs.bodies(queue)) == ([], ["said"])


async def test_a_hash_that_owes_nothing_expires_again(rig: Rig, redis_url: str) -> None:
    """A commit that still saw an announcement, and a crash just after it was confirmed, leave one that never would."""
    rig.count()
    key = await leave_owed(rig, "a")

    await sweep(rig)

    async with behind.client(redis_url) as redis:
        assert 0 < await redis.pttl(key) <= rig.config.state_ttl * 1000


async def test_a_survey_only_looks(rig: Rig) -> None:
    """A doctor may look at a shop without working in it."""
    rig.count()
    await leave_owed(rig, "a", "one", "two")
    await leave_owed(rig, "b", "three", at=OLD + 50)
    await leave_owed(rig, "c")

    backlog = await survey(rig.store, [it.folding for it in rig.app.tables.values()], rig.config)

    assert backlog == Backlog(keys=2, pending=3, since=OLD)
    assert backlog.oldest > 1e9
    assert rig.bodies() == []


async def test_without_a_backlog_nothing_is_old(rig: Rig) -> None:
    """A gauge of nothing is 0."""
    rig.count()

    backlog = await survey(rig.store, [it.folding for it in rig.app.tables.values()], rig.config)

    assert backlog == Backlog()
    assert backlog.oldest == 0
