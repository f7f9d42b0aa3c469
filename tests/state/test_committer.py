"""Changes of state, in batches, on a real Valkey."""

from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from anyio import create_task_group, fail_after

from rigs import behind
from rigs.worker import Add, Count, Note, add, note
from streamapp.declared.sink import Sink
from streamapp.declared.table import Table
from streamapp.errors import Crowded, MessageTooLarge
from streamapp.flow.batcher import AGAIN, Batcher
from streamapp.flow.outage import Outage
from streamapp.messages import Queue
from streamapp.redis.store import RedisStore
from streamapp.state.announcement import FRESH
from streamapp.state.committer import Change, Changed, Committer
from streamapp.state.reads import StateUnreadable, good
from streamapp.state.store import MAX_PENDING, PENDING, Confirmed
from streamapp_codecs import Json


class CommitterRig:
    """A table, and a `Committer` to change it with."""

    def __init__(self, store: RedisStore, prefix: str, *, barrier: bool = False, **options: Any) -> None:
        self.store = store
        self.prefix = prefix
        sink: Sink[Any] = Sink("out", Json(Note))
        self.table: Table[Any, Any] = Table(
            "t", Count, **{"fold": add, "announce": note, "to": sink, **options}
        )
        self.committer = self.another(barrier=barrier)

    def another(self, *, barrier: bool = False) -> Committer:
        """Return one more process's `Committer`."""
        return Committer(self.store, Outage("Redis", self.store.ping), ttl=60.0, barrier=barrier)

    def change(self, key: str, event: object, max_bytes: int = 1000, cause: str = "") -> Change:
        """Return one change of *key*."""
        return Change(
            self.table.folding,
            key,
            self.redis_key(key),
            event,
            Queue("out", "url", max_bytes=max_bytes),
            cause,
        )

    def redis_key(self, key: str) -> str:
        """Return where the state of *key* is kept."""
        return self.table.redis_key(self.prefix, key)

    async def add(self, *events: Add) -> list[Any]:
        """Fold *events* in one flush, and return the outcomes."""
        return list(await self.committer.flush([self.change(event.key, event) for event in events]))

    async def total(self, key: str) -> int:
        """Return the stored total."""
        (fields,) = await self.store.read([self.redis_key(key)])
        state = self.table.folding.hash_codec.read(good(fields))
        return state.total if state else 0


@pytest.fixture
def rig(store: RedisStore, prefix: str) -> CommitterRig:
    """A table on the real Valkey."""
    return CommitterRig(store, prefix)


def bodies(changed: Changed) -> list[str]:
    """Return what *changed* owes."""
    return [announcement.message.body for announcement in changed.pending]


@pytest.mark.usefixtures("one_server")  # of a cluster only one master would be counted
async def test_events_of_one_key_are_folded_in_order_in_one_commit(rig: CommitterRig, redis_url: str) -> None:
    """A batch costs two round trips, however many events of one key it holds."""
    async with behind.client(redis_url) as redis:
        await rig.add(Add("a"))
        await redis.config_resetstat()
        outcomes = await rig.add(*(Add("b") for _ in range(10)))
        stats = await redis.info("commandstats")

    assert [outcome.state for outcome in outcomes] == [Count(n, n) for n in range(1, 11)]
    assert stats["cmdstat_evalsha"]["calls"] == 2  # one to read, one to commit
    assert stats["cmdstat_hgetall"]["calls"] == 1


async def test_each_event_of_a_commit_announces_and_all_is_owed_in_order(rig: CommitterRig) -> None:
    """Two events in one commit are still two announcements."""
    outcomes = await rig.add(Add("a"), Add("a", 2), Add("b"))

    assert bodies(outcomes[0]) == bodies(outcomes[1])
    assert [msgspec.json.decode(body)["key_total"] for body in bodies(outcomes[1])] == ["1", "3"]
    assert len(bodies(outcomes[2])) == 1


async def test_a_duplicate_finds_what_is_still_owed(rig: CommitterRig) -> None:
    """What a crash left unsent is announced by the next message of the key, even if that changes nothing."""
    (first,) = await rig.add(Add("a"))
    (again,) = await rig.add(Add("a", 0))

    assert [it.place for it in again.pending] == [it.place for it in first.pending]
    assert (first.is_new, again.is_new) == (True, False)


async def test_what_was_left_unsent_is_kept_by_the_first_message_that_finds_it(
    rig: CommitterRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise each of two workers that find it would announce it."""
    now = 1_800_000_000.0
    monkeypatch.setattr("streamapp.state.committer.time", SimpleNamespace(time=lambda: now))
    another = rig.another()

    async def kept(committer: Committer, cause: str, number: int) -> list[bool]:
        (changed,) = await committer.flush([rig.change("a", Add("a", number), cause=cause)])
        assert isinstance(changed, Changed)
        return [it.is_adopted for it in changed.keeps]

    assert await kept(rig.committer, "made it", 1) == [False]
    now += FRESH - 0.1
    assert await kept(another, "early", 0) == []
    assert await kept(rig.committer, "made it", 0) == [False]
    now += 0.2
    assert await kept(another, "finds it", 0) == [True]
    assert await kept(rig.committer, "comes second", 0) == []
    assert await kept(rig.committer, "made it", 0) == []
    assert await kept(another, "finds it", 0) == [False]
    now += FRESH
    assert await kept(rig.committer, "made it", 2) == [True, False]


async def test_a_message_that_fails_keeps_no_announcement(
    rig: CommitterRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A message that goes back to its queue sends nothing meanwhile."""
    monkeypatch.setattr("streamapp.state.announcement.FRESH", 0.0)
    await rig.add(Add("a"))
    failed, kept = await rig.committer.flush(
        [rig.change("a", "no event", cause="fails"), rig.change("a", Add("a", 0), cause="passes")]
    )

    assert isinstance(failed, Exception)
    assert isinstance(kept, Changed)
    assert [it.keeper for it in kept.keeps] == ["passes"]


async def test_what_is_confirmed_is_owed_no_more(rig: CommitterRig) -> None:
    """Otherwise each later event of the key would send it again."""
    (first,) = await rig.add(Add("a"))
    await rig.store.confirm(
        [Confirmed(rig.redis_key("a"), [(it.id, it.place.mark) for it in first.pending], ttl=60)]
    )

    assert bodies((await rig.add(Add("a", 0)))[0]) == []


async def test_the_same_content_owed_again_is_another_announcement(rig: CommitterRig) -> None:
    """On, off and on again are three announcements, though the first and the last have the same content."""
    (first,) = await rig.add(Add("a", 1))
    table: Table[Any, Any] = Table(
        "t",
        Count,
        fold=lambda _, event: Count(event.n, 0),
        announce=lambda _, after: Note(str(after.total), 1),
        to=Sink("out", Json(Note)),
    )
    rig.table = table
    (second,) = await rig.add(Add("a", 5))
    (third,) = await rig.add(Add("a", 1))
    last = third.pending[-1]

    assert last.id == first.pending[0].id
    assert last.place != first.pending[0].place
    await rig.store.confirm(
        [Confirmed(rig.redis_key("a"), [(first.pending[0].id, first.pending[0].place.mark)], ttl=60)]
    )
    assert last.place in {it.place for it in (await rig.add(Add("a", 1)))[0].pending}
    assert second.pending


async def test_what_was_left_unsent_does_not_take_the_place_of_what_is_owed_anew(
    rig: CommitterRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On, off and on again after a crash: the last announcement must be on."""
    now = 1_800_000_000.0
    monkeypatch.setattr("streamapp.state.committer.time", SimpleNamespace(time=lambda: now))
    rig.table = Table(
        "t",
        Count,
        fold=lambda _, event: Count(event.n, 0),
        announce=lambda before, after: None if before == after else Note(str(after.total), 1),
        to=Sink("out", Json(Note)),
    )
    await rig.add(Add("a", 1), Add("a", 2))
    now += FRESH + 1
    await rig.add(Add("a", 1))
    now += FRESH + 1
    (found,) = await rig.another().flush([rig.change("a", Add("a", 1))])

    assert isinstance(found, Changed)
    assert [msgspec.json.decode(body)["key_total"] for body in bodies(found)] == ["2", "1"]


async def test_what_no_message_keeps_is_kept_by_each_that_finds_it(rig: CommitterRig) -> None:
    """An event that an agent made of several messages belongs to none of them, and each may come again alone."""
    await rig.committer.flush([rig.change("a", Add("a"), cause="")])
    (found,) = await rig.another().flush([rig.change("a", Add("a", 0), cause="alone")])

    assert isinstance(found, Changed)
    assert [it.keeper for it in found.keeps] == [""]


async def test_a_table_that_announces_no_more_leaves_alone_what_it_owed(rig: CommitterRig) -> None:
    """Its sink was removed from the application; its events must still be applied."""
    await rig.add(Add("a"))
    rig.table = Table("t", Count, fold=add)
    (changed,) = await rig.add(Add("a", 2))
    (fields,) = await rig.store.read([rig.redis_key("a")])

    assert isinstance(changed, Changed)
    assert (changed.state, changed.pending) == (Count(3, 2), ())
    assert [name for name in good(fields) if name.startswith(PENDING)]


async def test_a_conflict_is_read_and_folded_again(store: RedisStore, prefix: str) -> None:
    """Two processes change one key: each adds a hundred times, and no change is lost."""
    rig = CommitterRig(store, prefix, announce=None, to=None)
    outcomes: list[Any] = []

    async def increment(committer: Committer) -> None:
        # One after the other, as a batcher does it: of several at once, each round would let only one through.
        done = 0
        while done < 100:
            (outcome,) = await committer.flush([rig.change("a", Add("a"))])
            if outcome is not AGAIN:
                outcomes.append(outcome)
                done += 1

    async with create_task_group() as tasks:
        tasks.start_soon(increment, rig.committer)
        tasks.start_soon(increment, rig.another())

    assert await rig.total("a") == 200
    assert sorted(outcome.state.total for outcome in outcomes) == list(range(1, 201))


async def test_a_key_in_conflict_keeps_no_other_key_waiting(rig: CommitterRig) -> None:
    """Another worker changes the hot key in between, twenty times; the cold key's outcome is known after the first."""
    committer, another, flushes = rig.committer, rig.another(), 0
    make, left = committer._make_commits, 20

    async def raced(plans: Any) -> list[str]:
        nonlocal left
        left -= 1
        if left >= 0:
            await another.flush([rig.change("hot", Add("hot"))])
        return await make(plans)

    async def flush(changes: list[Change]) -> Any:
        nonlocal flushes
        flushes += 1
        return await committer.flush(changes)

    committer._make_commits = raced  # type: ignore[method-assign]
    batcher: Batcher[Change, Changed] = Batcher(flush, name="state", limit=100)
    told: dict[str, int] = {}

    async def update(key: str) -> None:
        await batcher.submit(rig.change(key, Add(key)))
        told[key] = left

    async with create_task_group() as tasks:
        await tasks.start(batcher.run)
        async with create_task_group() as updates:
            updates.start_soon(update, "hot")
            updates.start_soon(update, "cold")
        batcher.close()

    assert (flushes, await rig.total("hot"), await rig.total("cold")) == (21, 21, 1)
    assert told["cold"] >= 18
    assert told["hot"] < 0


async def test_a_fold_that_raises_fails_alone(store: RedisStore, prefix: str) -> None:
    """A bad event does not fail the others of its key, nor of its batch."""

    def fold(state: Count | None, event: Add) -> Count | None:
        if event.n < 0:
            raise ZeroDivisionError
        return add(state, event)

    rig = CommitterRig(store, prefix, fold=fold)
    outcomes = await rig.add(Add("a", 1), Add("a", -1), Add("a", 2), Add("b", 3))

    assert isinstance(outcomes[1], ZeroDivisionError)
    assert (await rig.total("a"), await rig.total("b")) == (3, 3)


async def test_a_fold_that_raises_changes_nothing(store: RedisStore, prefix: str) -> None:
    """What was stored stays as it was."""

    def fold(state: Count | None, event: Add) -> Count | None:
        if event.n < 0:
            raise ZeroDivisionError
        return add(state, event)

    rig = CommitterRig(store, prefix, fold=fold)
    await rig.add(Add("a", 5))
    before = await store.read([rig.redis_key("a")])
    await rig.add(Add("a", -1))

    assert await store.read([rig.redis_key("a")]) == before


async def test_a_state_that_is_no_text_fails_alone(store: RedisStore, prefix: str) -> None:
    """The Redis client would refuse the whole batch, again and again, as if Redis were away."""

    class Name(msgspec.Struct, frozen=True):
        name: str

    rig = CommitterRig(store, prefix, announce=None, to=None)
    rig.table = Table("t", Name, fold=lambda _, event: Name(event))
    with fail_after(30):
        outcomes = await rig.committer.flush(
            [rig.change("a", 7), rig.change("b", "fine"), rig.change("a", "good")]
        )

    assert isinstance(outcomes[0], TypeError)
    assert [outcome.state.name for outcome in outcomes[1:] if isinstance(outcome, Changed)] == [
        "fine",
        "good",
    ]


async def test_a_message_that_is_too_large_is_not_owed(rig: CommitterRig) -> None:
    """What cannot be sent must not be stored either: it would stay there for ever."""
    outcomes = await rig.committer.flush([rig.change("a", Add("a"), max_bytes=5), rig.change("b", Add("b"))])

    assert isinstance(outcomes[0], MessageTooLarge)
    assert isinstance(outcomes[1], Changed)
    assert await rig.store.read([rig.redis_key("a")]) == [{}]


async def test_a_key_owes_a_limited_number_of_announcements(rig: CommitterRig) -> None:
    """A sink that never accepts must not fill the store; events that announce nothing are still applied."""
    outcomes = await rig.add(*(Add("a") for _ in range(MAX_PENDING + 3)))
    (silent,) = await rig.add(Add("a", 0))

    assert [isinstance(outcome, Crowded) for outcome in outcomes] == [False] * MAX_PENDING + [True] * 3
    assert await rig.total("a") == MAX_PENDING
    assert len(silent.pending) == MAX_PENDING


@pytest.mark.parametrize(
    "fields",
    [
        {"total": "many", "times": "1"},
        {"total": "1"},
        {"total": "1", "times": "1", "_o:x": "nonsense"},
        {"total": "1", "times": "1", "_o:x": "[]"},
        {"total": b"\xff", "times": "1"},
    ],
    ids=str,
)
async def test_a_corrupt_hash_fails_alone(rig: CommitterRig, redis_url: str, fields: dict[str, Any]) -> None:
    """A key of another program must not stop other keys."""
    async with behind.client(redis_url) as redis:
        await redis.hset(rig.redis_key("bad"), mapping=fields)
    outcomes = await rig.add(Add("bad"), Add("good"), Add("bad"))

    assert [type(outcome) for outcome in outcomes] == [StateUnreadable, Changed, StateUnreadable]
    assert await rig.total("good") == 1


async def test_a_key_of_another_type_fails_alone(rig: CommitterRig, redis_url: str) -> None:
    """A key that is no hash must not stop others either."""
    async with behind.client(redis_url) as redis:
        await redis.set(rig.redis_key("bad"), "text")
    outcomes = await rig.add(Add("bad"), Add("good"))

    assert [type(outcome) for outcome in outcomes] == [StateUnreadable, Changed]


async def test_a_state_of_none_removes_its_fields(store: RedisStore, prefix: str) -> None:
    """A fold may end a state."""
    rig = CommitterRig(store, prefix, fold=lambda state, event: None if event.n < 0 else add(state, event))
    await rig.add(Add("a", 5))
    await rig.add(Add("a", -1))

    (fields,) = await store.read([rig.redis_key("a")])
    assert isinstance(fields, dict)
    assert {"total", "times"}.isdisjoint(fields)
    assert await rig.total("a") == 0


async def test_a_duplicate_commits_nothing(rig: CommitterRig) -> None:
    """Most duplicates cost one read only."""
    await rig.add(Add("a"))
    before = await rig.store.read([rig.redis_key("a")])
    await rig.add(Add("a", 0))

    assert await rig.store.read([rig.redis_key("a")]) == before


async def test_behind_a_barrier_a_duplicate_commits(store: RedisStore, prefix: str) -> None:
    """Redis can confirm only a write of the same connection as received by the replicas."""
    rig = CommitterRig(store, prefix, barrier=True)
    await rig.add(Add("a"))
    (before,) = await store.read([rig.redis_key("a")])
    await rig.add(Add("a", 0))
    (after,) = await store.read([rig.redis_key("a")])

    assert isinstance(before, dict)
    assert isinstance(after, dict)
    assert before["_t"] != after["_t"]
