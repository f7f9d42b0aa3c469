"""What a state store does: one suite for a real Valkey, for a cluster of three, and for the store in memory."""

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
    """A store, and a function that returns for how many seconds a key lives (None: for ever, or it is not there)."""
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
    """A commit that expects no hash, and finds none, is made."""
    assert await store.commit([Commit(prefix, "", "t1", {"a": "1"}, ttl=TTL)]) == [True]

    assert await store.read([prefix]) == [{"_t": "t1", "a": "1"}]


async def test_a_commit_on_another_token_is_a_conflict(store: Store, prefix: str) -> None:
    """Another change came first, and stays."""
    await store.commit([Commit(prefix, "", "t1", {"a": "1"}, ttl=TTL)])

    assert await store.commit([Commit(prefix, "", "t2", {"a": "2"}, ttl=TTL)]) == [False]
    assert await store.commit([Commit(prefix, "t0", "t2", {"a": "2"}, ttl=TTL)]) == [False]

    assert await store.read([prefix]) == [{"_t": "t1", "a": "1"}]


async def test_a_commit_that_is_repeated_finds_its_own_token(store: Store, prefix: str) -> None:
    """A client repeats a call whose response was lost; that is no conflict with itself."""
    commit = Commit(prefix, "", "t1", {"a": "1"}, ttl=TTL)
    await store.commit([commit])

    assert await store.commit([commit]) == [True]


async def test_fields_that_became_unknown_are_dropped(store: Store, prefix: str) -> None:
    """An absent field means unknown."""
    await store.commit([Commit(prefix, "", "t1", {"a": "1", "b": "2"}, ttl=TTL)])
    await store.commit([Commit(prefix, "t1", "t2", {"c": "3"}, drop=["a", "b"], ttl=TTL)])

    assert await store.read([prefix]) == [{"_t": "t2", "c": "3"}]


async def test_a_hash_expires_unless_something_is_pending(store: Store, ttl_of: TtlOf, prefix: str) -> None:
    """What is owed must not expire with the state."""
    await store.commit([Commit(prefix, "", "t1", {"a": "1"}, ttl=TTL)])
    without = await ttl_of(prefix)
    await store.commit([Commit(prefix, "t1", "t2", {"_o:x": "[1,2.5,null]"}, keep=True, ttl=TTL)])
    pending = await ttl_of(prefix)
    await store.confirm([Confirmed(prefix, [("x", "[1,2.5,")], ttl=TTL)])
    confirmed = await ttl_of(prefix)

    assert without
    assert TTL * 0.9 < without <= TTL
    assert pending is None
    assert confirmed
    assert TTL * 0.9 < confirmed <= TTL
    assert "_o:x" not in (await store.read([prefix]))[0]


async def test_without_ttl_a_hash_lives_for_ever(store: Store, ttl_of: TtlOf, prefix: str) -> None:
    """A catalogue does not expire, also not after its announcements."""
    await store.commit([Commit(prefix, "", "t1", {"_o:x": "[1,2.5,"}, keep=True)])
    await store.confirm([Confirmed(prefix, [("x", "[1,2.5,")])])

    assert await ttl_of(prefix) is None


async def test_confirming_some_leaves_the_others_pending(store: Store, ttl_of: TtlOf, prefix: str) -> None:
    """An announcement that is not sent must not expire because another one is."""
    await store.commit([Commit(prefix, "", "t1", {"_o:x": "[1,1,x", "_o:y": "[2,1,y"}, keep=True, ttl=TTL)])
    await store.confirm([Confirmed(prefix, [("x", "[1,1,")], ttl=TTL)])

    assert await store.read([prefix]) == [{"_t": "t1", "_o:y": "[2,1,y"}]
    assert await ttl_of(prefix) is None


async def test_what_was_owed_again_since_is_not_confirmed(store: Store, prefix: str) -> None:
    """A change back and forth owes the same content twice; the confirmation of the first is not for the second."""
    await store.commit([Commit(prefix, "", "t1", {"_o:x": "[3,9.5,new"}, keep=True, ttl=TTL)])
    await store.confirm(
        [Confirmed(prefix, sent=[("x", "[1,2.5,")], ttl=TTL), Confirmed(prefix, parked=[("x", "[1,2.5,")])]
    )

    assert await store.read([prefix]) == [{"_t": "t1", "_o:x": "[3,9.5,new"}]


async def test_what_was_refused_is_parked(store: Store, ttl_of: TtlOf, prefix: str) -> None:
    """It is set aside for an operator, and does not keep the hash for ever."""
    await store.commit([Commit(prefix, "", "t1", {"_o:x": "[1,1,x", "_o:y": "[2,1,y"}, keep=True, ttl=TTL)])
    await store.confirm([Confirmed(prefix, [("y", "[2,1,")], parked=[("x", "[1,1,")], ttl=TTL)])

    assert await store.read([prefix]) == [{"_t": "t1", "_x:x": "[1,1,x"}]
    assert await ttl_of(prefix)


async def test_a_second_confirmation_changes_nothing(store: Store, prefix: str) -> None:
    """Every script may be repeated."""
    await store.commit([Commit(prefix, "", "t1", {"_o:x": "[1,1,x"}, keep=True, ttl=TTL)])
    confirmed = Confirmed(prefix, parked=[("x", "[1,1,")], ttl=TTL)
    await store.confirm([confirmed])
    await store.confirm([confirmed])

    assert await store.read([prefix]) == [{"_t": "t1", "_x:x": "[1,1,x"}]


async def test_confirming_a_key_that_is_gone_does_not_bring_it_back(store: Store, prefix: str) -> None:
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


async def test_hostile_text_comes_back_unchanged(store: Store, prefix: str) -> None:
    """No text may act as a command, a format or an end."""
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
    """A failover can undo a confirmation that the next commit has seen; a sweep finds only hashes that do not expire."""
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
    """A hash that owes something does not expire: a sweep must miss none of them, and need not read the rest."""
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


async def test_of_two_hundred_commits_on_one_token_one_is_made(store: Store, prefix: str) -> None:
    """To compare the token and to write are one step."""
    won: list[bool | ServiceError] = []

    async def commit(token: str) -> None:
        won.extend(await store.commit([Commit(prefix, "", token, {"a": token}, ttl=TTL)]))

    async with create_task_group() as tasks:
        for n in range(200):
            tasks.start_soon(commit, f"t{n}")

    assert sum(outcome is True for outcome in won) == 1


async def test_adding_to_a_set_where_a_hash_is_fails(store: Store, prefix: str) -> None:
    """An index that is silently not written would be noticed only when it is read."""
    await store.commit([Commit(prefix, "", "t1", {"a": "1"}, ttl=TTL)])
    refused, taken = await store.add({prefix: ["1"], f"{prefix}other": ["1"]}, TTL)
    assert refused is not None
    assert refused.fault is Fault.CONFIGURATION
    assert taken is None
    for outcome in (await store.members(prefix), await store.remove(prefix, ["1"])):
        assert isinstance(outcome, ServiceError)
        assert outcome.fault is Fault.CONFIGURATION
    assert await store.read([prefix]) == [{"_t": "t1", "a": "1"}]


async def test_confirming_a_set_leaves_it_as_it_is(store: Store, prefix: str) -> None:
    """A confirmation for a key that is no hash is a mistake, and no reason to lose the set."""
    await store.add({prefix: ["1"]}, TTL)
    with suppress(ServiceError):
        await store.confirm([Confirmed(prefix, [("x", "[1,")], ttl=TTL)])

    assert await store.members(prefix) == {"1"}


async def test_what_has_expired_is_gone(store: Store, prefix: str) -> None:
    """Expired state must be forgotten for certain."""
    await store.commit([Commit(prefix, "", "t1", {"a": "1"}, ttl=0.02)])
    await store.add({f"{prefix}set": ["1"]}, 0.02)
    with fail_after(30):
        while (await store.read([prefix])) != [{}] or await store.members(f"{prefix}set"):
            await sleep(0.01)

    assert await store.commit([Commit(prefix, "", "t2", {"b": "1"}, ttl=TTL)]) == [True]
    assert await store.read([prefix]) == [{"_t": "t2", "b": "1"}]


async def test_a_large_set_is_read_in_pages(store: Store, ttl_of: TtlOf, prefix: str) -> None:
    """A product may be in any number of orders; what is discarded on the way keeps nothing else from coming."""
    members = {f"m{n}" for n in range(2500)}
    for start in range(0, 2500, 500):
        await store.add({prefix: sorted(members)[start : start + 500]}, TTL)
    found: set[str] = set()
    largest, cursor = 0, None
    while cursor != "":
        page = await store.members_page(prefix, cursor or "", 50)
        assert not isinstance(page, ServiceError)
        some, cursor = page
        found.update(some)
        largest = max(largest, len(some))
        if over := [member for member in some if member.endswith("7")]:
            assert await store.remove(prefix, over) is None

    assert found == members
    assert largest < 200
    assert await store.members(prefix) == {member for member in members if not member.endswith("7")}
    assert await ttl_of(prefix)
    assert await store.members_page(f"{prefix}none") == ([], "")
    await store.commit([Commit(f"{prefix}hash", "", "t1", {"a": "1"}, ttl=TTL)])
    assert isinstance(await store.members_page(f"{prefix}hash"), ServiceError)


async def test_a_key_that_is_claimed_is_held_for_a_while(store: Store, prefix: str) -> None:
    """A claim that nobody gives back must end by itself; a scan that takes long keeps it."""
    key = f"{prefix}_sweeper:t"

    assert not await store.claim(key, 60, again=True), "nobody holds it"
    assert await store.claim(key, 0.2)
    assert not await store.claim(key, 60)
    await sleep(0.3)
    assert await store.claim(key, 0.2)
    assert await store.claim(key, 60, again=True)
    await sleep(0.3)
    assert not await store.claim(key, 60)
