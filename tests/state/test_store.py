"""What a state store is: one suite, on a real Valkey, on a cluster of three and on the one in memory."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress

import pytest
from anyio import create_task_group, fail_after, sleep

from rigs import behind
from streamapp.errors import Fault, ServiceError
from streamapp.redis.store import open_redis
from streamapp.state.store import Commit, Confirmed, Store
from streamapp.testing import MemoryStore

TTL = 60.0

TtlOf = Callable[[str], Awaitable[float | None]]


@pytest.fixture(params=["valkey", "cluster", "memory"])
async def opened(request: pytest.FixtureRequest) -> AsyncIterator[tuple[Store, TtlOf]]:
    """A store, and a look behind its back: for how many seconds a key lives, None: for ever, or it is not there."""
    if request.param == "memory":
        memory = MemoryStore()

        async def ttl_in_memory(key: str) -> float | None:
            return memory.ttl(key)

        yield memory, ttl_in_memory
        return
    url = (
        request.getfixturevalue("valkeys").url
        if request.param == "cluster"
        else request.getfixturevalue("redis_url")
    )
    async with open_redis(url) as store, behind.client(url) as redis:

        async def ttl_in_redis(key: str) -> float | None:
            milliseconds = await redis.pttl(key)
            return milliseconds / 1000 if milliseconds > 0 else None

        yield store, ttl_in_redis


@pytest.fixture
def store(opened: tuple[Store, TtlOf]) -> Store:
    """The store."""
    return opened[0]


@pytest.fixture
def ttl_of(opened: tuple[Store, TtlOf]) -> TtlOf:
    """For how many seconds a key lives."""
    return opened[1]


async def test_a_commit_to_a_new_key_is_made_once(store: Store, prefix: str) -> None:
    """Who expects no hash and finds none may write."""
    assert await store.commit([Commit(prefix, "", "t1", {"a": "1"}, ttl=TTL)]) == [True]

    assert await store.read([prefix]) == [{"_t": "t1", "a": "1"}]


async def test_a_commit_on_another_token_is_a_conflict(store: Store, prefix: str) -> None:
    """Somebody else's change came first, and stays."""
    await store.commit([Commit(prefix, "", "t1", {"a": "1"}, ttl=TTL)])

    assert await store.commit([Commit(prefix, "", "t2", {"a": "2"}, ttl=TTL)]) == [False]
    assert await store.commit([Commit(prefix, "t0", "t2", {"a": "2"}, ttl=TTL)]) == [False]

    assert await store.read([prefix]) == [{"_t": "t1", "a": "1"}]


async def test_a_commit_that_is_repeated_finds_its_own_token(store: Store, prefix: str) -> None:
    """A client repeats a call whose answer was lost; that is no conflict with itself."""
    commit = Commit(prefix, "", "t1", {"a": "1"}, ttl=TTL)
    await store.commit([commit])

    assert await store.commit([commit]) == [True]


async def test_fields_that_became_unknown_are_dropped(store: Store, prefix: str) -> None:
    """Absent means unknown."""
    await store.commit([Commit(prefix, "", "t1", {"a": "1", "b": "2"}, ttl=TTL)])
    await store.commit([Commit(prefix, "t1", "t2", {"c": "3"}, drop=["a", "b"], ttl=TTL)])

    assert await store.read([prefix]) == [{"_t": "t2", "c": "3"}]


async def test_a_hash_expires_unless_something_is_pending(store: Store, ttl_of: TtlOf, prefix: str) -> None:
    """What is owed outlives the state's ttl, and only that."""
    await store.commit([Commit(prefix, "", "t1", {"a": "1"}, ttl=TTL)])
    without = await ttl_of(prefix)
    await store.commit([Commit(prefix, "t1", "t2", {"_o:x": "[1,2.5,null]"}, keep=True, ttl=TTL)])
    pending = await ttl_of(prefix)
    await store.confirm([Confirmed(prefix, [("x", "[1,2.5,")], ttl=TTL)])
    settled = await ttl_of(prefix)

    assert without
    assert TTL * 0.9 < without <= TTL
    assert pending is None
    assert settled
    assert TTL * 0.9 < settled <= TTL
    assert "_o:x" not in (await store.read([prefix]))[0]


async def test_without_ttl_a_hash_lives_for_ever(store: Store, ttl_of: TtlOf, prefix: str) -> None:
    """A catalogue does not expire, not after its announcements either."""
    await store.commit([Commit(prefix, "", "t1", {"_o:x": "[1,2.5,"}, keep=True)])
    await store.confirm([Confirmed(prefix, [("x", "[1,2.5,")])])

    assert await ttl_of(prefix) is None


async def test_settling_some_leaves_the_others_pending(store: Store, ttl_of: TtlOf, prefix: str) -> None:
    """An announcement that is not sent must not expire because another one is."""
    await store.commit([Commit(prefix, "", "t1", {"_o:x": "[1,1,x", "_o:y": "[2,1,y"}, keep=True, ttl=TTL)])
    await store.confirm([Confirmed(prefix, [("x", "[1,1,")], ttl=TTL)])

    assert await store.read([prefix]) == [{"_t": "t1", "_o:y": "[2,1,y"}]
    assert await ttl_of(prefix) is None


async def test_what_was_owed_again_since_is_not_settled(store: Store, prefix: str) -> None:
    """A change back and forth owes the same content a second time; the first one's confirmation is not its."""
    await store.commit([Commit(prefix, "", "t1", {"_o:x": "[3,9.5,new"}, keep=True, ttl=TTL)])
    await store.confirm(
        [Confirmed(prefix, sent=[("x", "[1,2.5,")], ttl=TTL), Confirmed(prefix, parked=[("x", "[1,2.5,")])]
    )

    assert await store.read([prefix]) == [{"_t": "t1", "_o:x": "[3,9.5,new"}]


async def test_what_was_refused_is_parked(store: Store, ttl_of: TtlOf, prefix: str) -> None:
    """It is set aside for a human, and does not keep the hash for ever."""
    await store.commit([Commit(prefix, "", "t1", {"_o:x": "[1,1,x", "_o:y": "[2,1,y"}, keep=True, ttl=TTL)])
    await store.confirm([Confirmed(prefix, [("y", "[2,1,")], parked=[("x", "[1,1,")], ttl=TTL)])

    assert await store.read([prefix]) == [{"_t": "t1", "_x:x": "[1,1,x"}]
    assert await ttl_of(prefix)


async def test_settling_twice_is_settling(store: Store, prefix: str) -> None:
    """Every script may be repeated."""
    await store.commit([Commit(prefix, "", "t1", {"_o:x": "[1,1,x"}, keep=True, ttl=TTL)])
    settled = Confirmed(prefix, parked=[("x", "[1,1,")], ttl=TTL)
    await store.confirm([settled])
    await store.confirm([settled])

    assert await store.read([prefix]) == [{"_t": "t1", "_x:x": "[1,1,x"}]


async def test_settling_a_key_that_is_gone_does_not_bring_it_back(store: Store, prefix: str) -> None:
    """A late confirmation must not leave half a hash."""
    await store.confirm([Confirmed(prefix, [("x", "[1,")], parked=[("y", "[2,")], ttl=TTL)])

    assert await store.read([prefix]) == [{}]


async def test_a_key_of_another_type_fails_alone(store: Store, ttl_of: TtlOf, prefix: str) -> None:
    """One key of another program must not stop a whole batch."""
    await store.add({f"{prefix}bad": ["a set"]}, TTL)
    bad, good = await store.read([f"{prefix}bad", f"{prefix}good"])
    done = await store.commit(
        [
            Commit(f"{prefix}bad", "", "t1", {"a": "1"}, ttl=TTL),
            Commit(f"{prefix}good", "", "t1", {"a": "1"}, ttl=TTL),
        ]
    )

    assert isinstance(bad, ServiceError)
    assert bad.fault is Fault.CONFIGURATION
    assert good == {}
    assert isinstance(done[0], ServiceError)
    assert done[1] is True


async def test_hostile_text_comes_back(store: Store, prefix: str) -> None:
    """No text is a command, a format or an end."""
    texts = {
        "a": "\r\n*1\r\n$8\r\nFLUSHALL\r\n",
        "b": "\0\x1b[2J",
        "c": "{x}\\u0000 %s",
        "d": "日本語 🍕",
        "": "e",
    }
    await store.commit([Commit(prefix, "", "t1", texts, ttl=TTL)])

    assert await store.read([prefix]) == [{"_t": "t1", **texts}]


async def test_what_is_owed_again_after_a_failover_keeps_the_hash(
    store: Store, ttl_of: TtlOf, prefix: str
) -> None:
    """A failover undoes a confirmation that the next commit's reader has seen; a sweep finds only what does not expire."""
    await store.commit([Commit(prefix, "", "t1", {"_o:x": "[1,"}, keep=True, ttl=TTL)])

    await store.commit([Commit(prefix, "t1", "t2", {"a": "1"}, keep=False, ttl=TTL)])

    assert await ttl_of(prefix) is None
    await store.confirm([Confirmed(prefix, [("x", "[1,")], ttl=TTL)])
    assert await ttl_of(prefix)


async def test_sets_grow_and_shrink(store: Store, ttl_of: TtlOf, prefix: str) -> None:
    """An index leads to keys."""
    await store.add({f"{prefix}a": ["1"], f"{prefix}b": ["1"]}, TTL)
    await store.add({f"{prefix}a": ["2"]}, TTL)
    await store.remove(f"{prefix}a", ["1", "9"])

    assert await store.members(f"{prefix}a") == {"2"}
    assert await store.members(f"{prefix}b") == {"1"}
    assert await store.members(f"{prefix}none") == set()
    assert await ttl_of(f"{prefix}a")


async def test_a_scan_finds_every_lasting_hash_and_nothing_else(store: Store, prefix: str) -> None:
    """What owes does not expire; whoever looks for it must miss none, nor read all the rest."""
    lasting = {f"{prefix}[a]*:{n}" for n in range(1200)}
    await store.commit([Commit(key, "", "t", {"a": "1"}) for key in lasting])
    await store.commit([Commit(f"{prefix}[a]*:dying{n}", "", "t", {"a": "1"}, ttl=TTL) for n in range(50)])
    await store.commit([Commit(f"{prefix}a:other", "", "t", {"a": "1"})])
    await store.add({f"{prefix}[a]*:set": ["1"]}, TTL)
    found: list[str] = []
    cursor = None
    while cursor != "":
        keys, cursor = await store.scan(f"{prefix}[a]*:", cursor or "")
        found += keys

    assert set(found) == lasting


async def test_two_hundred_commits_on_one_token_are_won_by_one(store: Store, prefix: str) -> None:
    """Compare and set is atomic."""
    won: list[bool | ServiceError] = []

    async def commit(token: str) -> None:
        won.extend(await store.commit([Commit(prefix, "", token, {"a": token}, ttl=TTL)]))

    async with create_task_group() as tasks:
        for n in range(200):
            tasks.start_soon(commit, f"t{n}")

    assert sum(answer is True for answer in won) == 1


async def test_a_set_where_a_hash_is_fails_loudly(store: Store, prefix: str) -> None:
    """An index that is not written would be noticed when it leads nowhere."""
    await store.commit([Commit(prefix, "", "t1", {"a": "1"}, ttl=TTL)])
    refused, taken = await store.add({prefix: ["1"], f"{prefix}other": ["1"]}, TTL)
    assert refused is not None
    assert refused.fault is Fault.CONFIGURATION
    assert taken is None
    for answer in (await store.members(prefix), await store.remove(prefix, ["1"])):
        assert isinstance(answer, ServiceError)
        assert answer.fault is Fault.CONFIGURATION
    assert await store.read([prefix]) == [{"_t": "t1", "a": "1"}]


async def test_settling_a_set_leaves_it(store: Store, prefix: str) -> None:
    """A confirmation for a key that is no hash is somebody's mistake, and not a reason to lose the set."""
    await store.add({prefix: ["1"]}, TTL)
    with suppress(ServiceError):
        await store.confirm([Confirmed(prefix, [("x", "[1,")], ttl=TTL)])

    assert await store.members(prefix) == {"1"}


async def test_what_has_expired_is_gone(store: Store, prefix: str) -> None:
    """A TTL is a promise to forget."""
    await store.commit([Commit(prefix, "", "t1", {"a": "1"}, ttl=0.02)])
    await store.add({f"{prefix}set": ["1"]}, 0.02)
    with fail_after(5):
        while (await store.read([prefix])) != [{}] or await store.members(f"{prefix}set"):
            await sleep(0.01)

    assert await store.commit([Commit(prefix, "", "t2", {"b": "1"}, ttl=TTL)]) == [True]
    assert await store.read([prefix]) == [{"_t": "t2", "b": "1"}]
