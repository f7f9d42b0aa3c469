"""What is owed, found by a scan."""

from outbox.owing import OLD, leave_owed, owed, sweep
from rigs import behind
from rigs.worker import Count, Note, Rig, add, note
from streamapp.outbox.backlog import Backlog, survey
from streamapp.state.store import Commit
from streamapp_codecs import Json


async def test_a_survey_sends_nothing(rig: Rig) -> None:
    """`doctor` may look at a shop that is in use."""
    rig.count()
    await leave_owed(rig, "a", "one", "two")
    await leave_owed(rig, "b", "three", at=OLD + 50)
    await leave_owed(rig, "c")

    backlog = await survey(rig.store, [it.folding for it in rig.app.tables.values()], rig.config)

    assert backlog == Backlog(keys=2, pending=3, since=OLD)
    assert backlog.oldest > 1e9
    assert rig.bodies() == []


async def test_without_a_backlog_nothing_is_old(rig: Rig) -> None:
    """A gauge then shows 0."""
    rig.count()

    backlog = await survey(rig.store, [it.folding for it in rig.app.tables.values()], rig.config)

    assert backlog == Backlog()
    assert backlog.oldest == 0


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
    """A scan for the keys of the table with the shorter name finds those of both."""
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
