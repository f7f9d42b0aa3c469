"""A fold that is no merge is applied once to each event, however often the event comes."""

import time
from typing import Any

import msgspec
import pytest
from anyio import create_task_group, fail_after
from hypothesis import given
from hypothesis import strategies as st

from rigs.worker import Add, Count, Parts, Rig, add, note
from streamapp.redis.store import RedisStore
from streamapp.state.dedupe import AT_ONCE, KEPT, MOST, SEEN, Deduplication, identity_of
from streamapp.state.store import Commit
from streamapp.testing import Duplicate, Fail, Lose, MemoryStore
from streamapp.worker.worker import Worker
from streamapp_codecs import Json


def counting(rig: Rig, **options: Any) -> Rig:
    """Give *rig* a table that applies each event once, and the usual agent for it."""
    rig.app.registry.tables.clear()
    rig.counts = rig.app.table(
        "count", Count, fold=add, announce=note, to=rig.out, **{"once": True, **options}
    )
    rig.count()
    return rig


@pytest.fixture
async def once(store: RedisStore, prefix: str) -> Rig:
    """A rig whose counts apply each event once."""
    return counting(await Rig(store, prefix).create(visibility=1))


def events(*numbers: int, key: str = "a") -> list[str]:
    """Return bodies that differ from each other, each of which adds 1 to *key*."""
    return [f'{{"key":"{key}","n":1,"id":{number}}}' for number in numbers]


async def test_a_message_that_is_delivered_twice_counts_once(once: Rig) -> None:
    """SQS documents that it may happen, and it does."""
    once.sqs.faults.add("receive", Duplicate(after=0.1), times=2)
    await once.send(events(*range(12)))
    await once.work_off(idle=0.5)

    assert await once.state("a") == Count(12, 12)
    assert once.tally.of("duplicate") > 0


async def test_a_message_that_comes_back_from_the_dlq_counts_once(once: Rig) -> None:
    """A redrive gives it a new id; only its body stays the same."""
    await once.send(events(1))
    await once.work_off()
    await once.send(events(1))
    await once.work_off()

    assert await once.state("a") == Count(1, 1)
    assert len(once.bodies()) == 1


async def test_a_crash_after_the_commit_counts_once(once: Rig) -> None:
    """The commit was made and the message not deleted: the next worker finds the event's identity in the hash."""
    once.sqs.faults.add("delete", Fail("InternalError"))
    await once.send(events(1, 2, 3))
    await once.work_off()
    once.sqs.faults.clear()
    with fail_after(20):
        while await once.state("a") == Count(3, 3) and not once.sqs.ledger.deleted("orders"):
            await once.work_off(idle=1.2)

    assert await once.state("a") == Count(3, 3)
    assert len(once.sqs.ledger.deleted("orders")) == 3


async def test_two_workers_count_each_message_once(once: Rig) -> None:
    """Both read that it was not seen; only one of their commits is made."""
    bodies = events(*range(60))
    await once.send([*bodies, *bodies])
    workers = [Worker(await once.assemble()) for _ in range(2)]
    with fail_after(50):
        async with create_task_group() as tasks:
            for worker in workers:
                tasks.start_soon(lambda it: it.run(idle=0.3), worker)

    assert await once.state("a") == Count(60, 60)


async def test_equal_events_of_one_body_count_each(once: Rig) -> None:
    """The place in the body is a part of the identity."""
    once.app.registry.agents.clear()
    once.count(codec=Parts())
    body = '[{"key":"a","n":5},{"key":"a","n":5},{"key":"b","n":5}]'
    await once.send([body])
    await once.work_off()
    await once.send([body])
    await once.work_off()

    assert (await once.state("a"), await once.state("b")) == (Count(10, 2), Count(5, 1))


async def test_events_of_a_batch_are_known_by_their_own_messages(once: Rig) -> None:
    """With several messages in hand, each event still has its own identity."""

    async def counting_batches(stream: Any) -> None:
        async for batch in stream.take(10, within=0.05):
            await once.counts.update_many([(event.key, event) for event in batch])

    once.app.registry.agents.clear()
    once.agent(counting_batches)
    bodies = events(*range(20))
    await once.send([*bodies, *bodies[:7]])
    await once.work_off()

    assert await once.state("a") == Count(20, 20)


async def test_a_declared_identity_tells_events_apart(store: RedisStore, prefix: str) -> None:
    """If producers give their events ids, two bodies with one id are one event."""

    class Hit(msgspec.Struct, frozen=True):
        key: str
        id: int
        n: int = 1

    rig = counting(await Rig(store, prefix).create(), identity=lambda hit: str(hit.id))
    rig.app.registry.agents.clear()
    rig.count(codec=Json(Hit))
    await rig.send(['{"key":"a","id":1}', '{"id":1,"key":"a"}', '{"key":"a","id":2}'])
    await rig.work_off()

    assert await rig.state("a") == Count(2, 2)


async def test_an_event_that_the_agent_made_needs_a_declared_identity(once: Rig) -> None:
    """Whether it came before cannot be known; the error says what to declare."""
    errors: list[Exception] = []

    async def made_up(stream: Any) -> None:
        async for event in stream:
            try:
                await once.counts.update(event.key, Add(event.key))
            except Exception as error:
                errors.append(error)
                raise

    once.app.registry.agents.clear()
    once.agent(made_up)
    await once.send(events(1))
    await once.work_off(idle=0.3)

    assert "identity=" in str(errors[0])
    assert await once.state("a") is None


async def test_an_event_whose_fold_raises_was_not_seen(store: RedisStore, prefix: str) -> None:
    """Its next try must count."""
    tries: list[Add] = []

    def second_time(state: Count | None, event: Add) -> Count | None:
        tries.append(event)
        if len(tries) == 1:
            raise ZeroDivisionError
        return add(state, event)

    rig = await Rig(store, prefix).create()
    rig.app.registry.tables.clear()
    rig.counts = rig.app.table("count", Count, fold=second_time, once=True)
    rig.count()
    await rig.send(events(1))
    await rig.work_off(idle=1.5)

    assert await rig.state("a") == Count(1, 1)


async def test_a_commit_whose_response_is_lost_counts_once(prefix: str) -> None:
    """The commit is repeated, and finds its own token."""
    store = MemoryStore()
    rig = counting(await Rig(store, prefix).create())
    store.faults.add("commit", Lose(), times=1)
    await rig.send(events(1))
    await rig.work_off(idle=0.5)

    assert await rig.state("a") == Count(1, 1)


async def test_the_oldest_identities_make_room_and_are_told(
    once: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    """A hash must not grow for ever, and an operator must see that an old event could now count twice."""
    key = once.counts.redis_key(once.config.key_prefix, "a")
    now = int(time.time())
    old = {f"{SEEN}{n:05}": str(now - MOST + n) for n in range(MOST)}
    names, seen_token = list(old), ""
    for start in range(0, MOST, 2000):
        some = {name: old[name] for name in names[start : start + 2000]}
        token = f"t{start}"
        assert await once.store.commit(
            [Commit(key, seen_token, token, {"total": "5", "times": "5", **some})]
        ) == [True]
        seen_token = token
    await once.send(events(1, 2, 3))
    await once.work_off()
    seen = [name for name in await once.fields("a") if name.startswith(SEEN)]

    assert await once.state("a") == Count(8, 8)
    assert len(seen) == MOST
    assert {f"{SEEN}{n:05}" for n in range(3)}.isdisjoint(seen)
    assert once.tally.of("evicted", "count") == 3
    assert "counts twice" in caplog.text


async def test_two_thousand_events_between_two_deliveries_count_each_once(prefix: str) -> None:
    """A message may come again after four weeks, however busy its key is meanwhile."""
    rig = counting(await Rig(MemoryStore(), prefix).create())
    await rig.send(events(*range(2000)))
    await rig.work_off()
    await rig.send(events(0, 1, 2))
    await rig.work_off()

    assert await rig.state("a") == Count(2000, 2000)
    assert rig.tally.of("evicted", "count") == 0


async def test_without_once_the_same_traffic_counts_twice(store: RedisStore, prefix: str) -> None:
    """Without this control, the tests above could pass by accident."""
    rig = await Rig(store, prefix).create()
    rig.count()
    await rig.send(events(1))
    await rig.work_off()
    await rig.send(events(1))
    await rig.work_off()

    assert await rig.state("a") == Count(2, 2)


@given(st.dictionaries(st.text("abcd", min_size=1, max_size=3), st.integers(0, 99), max_size=30))
def test_what_is_kept_long_enough_is_forgotten_first(ages: dict[str, int]) -> None:
    """An identity that is older than any message needs no place."""
    now = 10 * KEPT
    fields = {SEEN + name: str(int(now - age * KEPT / 50)) for name, age in ages.items()}
    seen = Deduplication(fields, now)
    unchanged = seen.drop()
    seen.add("new")
    dropped, evicted = seen.drop()

    assert unchanged == ([], 0)
    assert evicted == 0
    assert set(dropped) == {SEEN + name for name, age in ages.items() if age > 50}


def test_one_commit_forgets_no_more_than_a_script_takes() -> None:
    """A burst of events grows old at once, a month later."""
    now = 10 * KEPT
    seen = Deduplication({f"{SEEN}{n}": str(n) for n in range(5000)}, now)
    seen.add("new")

    dropped, evicted = seen.drop()

    assert dropped == [f"{SEEN}{n}" for n in range(AT_ONCE)]
    assert evicted == 0


def test_an_identity_is_of_the_body_and_the_place() -> None:
    """Nothing else stays the same when a message is moved."""
    assert identity_of("a", 0) == identity_of("a", 0)
    assert len({identity_of("a", 0), identity_of("a", 1), identity_of("b", 0), identity_of("0\0a", 0)}) == 4
