"""The state store on a real Valkey."""

import socket
from collections.abc import Iterator

import pytest
from anyio import create_task_group, current_time, fail_after
from redis.asyncio import Redis
from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    ClusterDownError,
    DataError,
    InvalidResponse,
    MasterDownError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
    TryAgainError,
)
from redis.exceptions import (
    ConnectionError as RedisConnectionError,
)
from redis.exceptions import (
    TimeoutError as RedisTimeoutError,
)

from streamapp.cli.embedded import redis_server
from streamapp.errors import ConfigError, Fault, ServiceError
from streamapp.redis_store import RedisStore, fault_of, open_redis
from streamapp.store import Commit, Settled

TTL = 60.0


@pytest.fixture
async def redis(redis_url: str):
    """A client of the test's own, to look behind the store's back."""
    client = Redis.from_url(redis_url, decode_responses=True)
    yield client
    await client.aclose()


@pytest.fixture(scope="module")
def own_redis_url() -> Iterator[str]:
    """A Valkey that tests may disturb."""
    with redis_server("--enable-debug-command", "yes") as url:
        yield url


async def test_a_commit_to_a_new_key_is_made_once(store: RedisStore, prefix: str) -> None:
    """Who expects no hash and finds none may write."""
    assert await store.commit([Commit(prefix, "", "t1", {"a": "1"}, ttl=TTL)]) == [True]

    assert await store.read([prefix]) == [{"_t": "t1", "a": "1"}]


async def test_a_commit_on_another_token_is_a_conflict(store: RedisStore, prefix: str) -> None:
    """Somebody else's change came first, and stays."""
    await store.commit([Commit(prefix, "", "t1", {"a": "1"}, ttl=TTL)])

    assert await store.commit([Commit(prefix, "", "t2", {"a": "2"}, ttl=TTL)]) == [False]
    assert await store.commit([Commit(prefix, "t0", "t2", {"a": "2"}, ttl=TTL)]) == [False]

    assert await store.read([prefix]) == [{"_t": "t1", "a": "1"}]


async def test_a_commit_that_is_repeated_finds_its_own_token(store: RedisStore, prefix: str) -> None:
    """A client repeats a call whose answer was lost; that is no conflict with itself."""
    commit = Commit(prefix, "", "t1", {"a": "1"}, ttl=TTL)
    await store.commit([commit])

    assert await store.commit([commit]) == [True]


async def test_a_repeated_commit_writes_something(store: RedisStore, redis: Redis, prefix: str) -> None:
    """WAIT speaks only of what its own connection wrote, so a repetition without a write would prove nothing."""
    await redis.config_resetstat()
    commit = Commit(prefix, "", "t1", {"a": "1"}, ttl=TTL)
    await store.commit([commit])
    before = (await redis.info("commandstats"))["cmdstat_hset"]["calls"]
    await store.commit([commit])

    assert (await redis.info("commandstats"))["cmdstat_hset"]["calls"] == before + 1


async def test_fields_that_became_unknown_are_dropped(store: RedisStore, prefix: str) -> None:
    """Absent means unknown."""
    await store.commit([Commit(prefix, "", "t1", {"a": "1", "b": "2"}, ttl=TTL)])
    await store.commit([Commit(prefix, "t1", "t2", {"c": "3"}, drop=["a", "b"], ttl=TTL)])

    assert await store.read([prefix]) == [{"_t": "t2", "c": "3"}]


async def test_a_hash_expires_unless_something_is_pending(
    store: RedisStore, redis: Redis, prefix: str
) -> None:
    """What is owed outlives the state's ttl, and only that."""
    await store.commit([Commit(prefix, "", "t1", {"a": "1"}, ttl=TTL)])
    without = await redis.pttl(prefix)
    await store.commit([Commit(prefix, "t1", "t2", {"_o:x": "[1,2.5,null]"}, keep=True, ttl=TTL)])
    pending = await redis.pttl(prefix)
    await store.settle([Settled(prefix, [("x", "[1,2.5,")], ttl=TTL)])
    settled = await redis.pttl(prefix)

    assert TTL * 900 < without <= TTL * 1000
    assert pending == -1
    assert TTL * 900 < settled <= TTL * 1000
    assert "_o:x" not in (await store.read([prefix]))[0]


async def test_without_ttl_a_hash_lives_for_ever(store: RedisStore, redis: Redis, prefix: str) -> None:
    """A catalogue does not expire, not after its announcements either."""
    await store.commit([Commit(prefix, "", "t1", {"_o:x": "[1,2.5,"}, keep=True)])
    await store.settle([Settled(prefix, [("x", "[1,2.5,")])])

    assert await redis.pttl(prefix) == -1


async def test_settling_some_leaves_the_others_pending(store: RedisStore, redis: Redis, prefix: str) -> None:
    """An announcement that is not sent must not expire because another one is."""
    await store.commit([Commit(prefix, "", "t1", {"_o:x": "[1,1,x", "_o:y": "[2,1,y"}, keep=True, ttl=TTL)])
    await store.settle([Settled(prefix, [("x", "[1,1,")], ttl=TTL)])

    assert await store.read([prefix]) == [{"_t": "t1", "_o:y": "[2,1,y"}]
    assert await redis.pttl(prefix) == -1


async def test_what_was_owed_again_since_is_not_settled(store: RedisStore, prefix: str) -> None:
    """A change back and forth owes the same content a second time; the first one's confirmation is not its."""
    await store.commit([Commit(prefix, "", "t1", {"_o:x": "[3,9.5,new"}, keep=True, ttl=TTL)])
    await store.settle(
        [Settled(prefix, sent=[("x", "[1,2.5,")], ttl=TTL), Settled(prefix, parked=[("x", "[1,2.5,")])]
    )

    assert await store.read([prefix]) == [{"_t": "t1", "_o:x": "[3,9.5,new"}]


async def test_what_was_refused_is_parked(store: RedisStore, redis: Redis, prefix: str) -> None:
    """It is set aside for a human, and does not keep the hash for ever."""
    await store.commit([Commit(prefix, "", "t1", {"_o:x": "[1,1,x", "_o:y": "[2,1,y"}, keep=True, ttl=TTL)])
    await store.settle([Settled(prefix, [("y", "[2,1,")], parked=[("x", "[1,1,")], ttl=TTL)])

    assert await store.read([prefix]) == [{"_t": "t1", "_x:x": "[1,1,x"}]
    assert await redis.pttl(prefix) > 0


async def test_settling_twice_is_settling(store: RedisStore, prefix: str) -> None:
    """Every script may be repeated."""
    await store.commit([Commit(prefix, "", "t1", {"_o:x": "[1,1,x"}, keep=True, ttl=TTL)])
    settled = Settled(prefix, parked=[("x", "[1,1,")], ttl=TTL)
    await store.settle([settled])
    await store.settle([settled])

    assert await store.read([prefix]) == [{"_t": "t1", "_x:x": "[1,1,x"}]


async def test_settling_a_key_that_is_gone_does_not_bring_it_back(store: RedisStore, prefix: str) -> None:
    """A late confirmation must not leave half a hash."""
    await store.settle([Settled(prefix, [("x", "[1,")], parked=[("y", "[2,")], ttl=TTL)])

    assert await store.read([prefix]) == [{}]


async def test_scripts_that_the_server_lost_are_taught_again(
    store: RedisStore, redis: Redis, prefix: str
) -> None:
    """A restart forgets all scripts."""
    await redis.script_flush()
    assert await store.commit([Commit(prefix, "", "t1", {"_o:x": "[1,"}, keep=True, ttl=TTL)]) == [True]
    await redis.script_flush()
    await store.settle([Settled(prefix, [("x", "[1,")], ttl=TTL)])

    assert await store.read([prefix]) == [{"_t": "t1"}]


async def test_a_key_of_another_type_fails_alone(store: RedisStore, redis: Redis, prefix: str) -> None:
    """One key of another program must not stop a whole batch."""
    await redis.set(f"{prefix}bad", "text")
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


async def test_bytes_that_are_no_text_are_read_all_the_same(
    store: RedisStore, redis: Redis, prefix: str
) -> None:
    """They are another program's; the other keys of the batch are ours."""
    await redis.hset(f"{prefix}bad", mapping={"a": b"\xff\xfe"})
    await redis.hset(f"{prefix}good", mapping={"a": "é"})

    assert await store.read([f"{prefix}bad", f"{prefix}good"]) == [{"a": "\\xff\\xfe"}, {"a": "é"}]


async def test_hostile_text_comes_back(store: RedisStore, prefix: str) -> None:
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


async def test_sets_grow_and_shrink(store: RedisStore, redis: Redis, prefix: str) -> None:
    """An index leads to keys."""
    await store.add([f"{prefix}a", f"{prefix}b"], "1", TTL)
    await store.add([f"{prefix}a"], "2", TTL)
    await store.remove(f"{prefix}a", ["1", "9"])

    assert await store.members(f"{prefix}a") == {"2"}
    assert await store.members(f"{prefix}b") == {"1"}
    assert await store.members(f"{prefix}none") == set()
    assert await redis.pttl(f"{prefix}a") > 0


async def test_two_hundred_commits_on_one_token_are_won_by_one(store: RedisStore, prefix: str) -> None:
    """Compare and set is atomic."""
    won: list[bool | ServiceError] = []

    async def commit(token: str) -> None:
        won.extend(await store.commit([Commit(prefix, "", token, {"a": token}, ttl=TTL)]))

    async with create_task_group() as tasks:
        for n in range(200):
            tasks.start_soon(commit, f"t{n}")

    assert sum(answer is True for answer in won) == 1


async def test_a_server_that_refuses_connections_is_transient_at_once() -> None:
    """An outage heals; it must be noticed in time."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with fail_after(3):
        async with open_redis(f"redis://127.0.0.1:{port}/0") as store:
            with pytest.raises(ServiceError) as caught:
                await store.ping()

    assert caught.value.fault is Fault.TRANSIENT


async def test_a_server_that_does_not_answer_is_transient_within_3_s() -> None:
    """A hung server is as good as none."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        began = current_time()
        async with open_redis(f"redis://127.0.0.1:{silent.getsockname()[1]}/0") as store:
            with pytest.raises(ServiceError) as caught:
                await store.ping()

    assert caught.value.fault is Fault.TRANSIENT
    assert current_time() - began < 3


async def test_a_commit_without_its_replica_is_not_durable(redis_url: str, prefix: str) -> None:
    """What no replica has may be lost with the master."""
    async with open_redis(redis_url, replicas=1) as store:
        with pytest.raises(ServiceError) as caught:
            await store.commit([Commit(prefix, "", "t1", {"a": "1"}, ttl=TTL)])

    assert caught.value.fault is Fault.TRANSIENT


async def test_a_server_that_is_full_is_told_so(own_redis_url: str, prefix: str) -> None:
    """Somebody has to make room; nothing is lost meanwhile."""
    async with open_redis(own_redis_url) as store, Redis.from_url(own_redis_url) as redis:
        await redis.config_set("maxmemory", "1")
        try:
            with pytest.raises(ServiceError) as caught:
                await store.commit([Commit(prefix, "", "t1", {"a": "1"}, ttl=TTL)])
        finally:
            await redis.config_set("maxmemory", "0")

    assert caught.value.fault is Fault.CAPACITY


async def test_a_master_that_became_a_replica_is_left(own_redis_url: str, prefix: str) -> None:
    """Its connections would answer READONLY for ever; new ones may find the new master."""
    async with open_redis(own_redis_url) as store, Redis.from_url(own_redis_url) as redis:
        await store.commit([Commit(f"{prefix}0", "", "t1", {"a": "1"}, ttl=TTL)])
        ours = {client["id"] for client in await redis.client_list() if client["name"] == "streamapp"}
        await redis.replicaof("127.0.0.1", "1")
        try:
            with pytest.raises(ServiceError) as caught:
                await store.commit([Commit(prefix, "", "t1", {"a": "1"}, ttl=TTL)])
        finally:
            await redis.replicaof("NO", "ONE")
        assert await store.commit([Commit(prefix, "", "t1", {"a": "1"}, ttl=TTL)]) == [True]
        after = {client["id"] for client in await redis.client_list() if client["name"] == "streamapp"}

    assert caught.value.fault is Fault.TRANSIENT
    assert not ours & after


async def test_the_store_uses_a_server_again_that_was_away(own_redis_url: str, prefix: str) -> None:
    """A connection that was cut is not an outage for longer than one call."""
    async with open_redis(own_redis_url) as store, Redis.from_url(own_redis_url) as redis:
        await store.ping()
        await redis.client_kill_filter(_type="normal", skipme=True)
        try:
            await store.ping()
        except ServiceError as error:
            assert error.fault is Fault.TRANSIENT  # noqa: PT017 - it may or may not be noticed
        assert await store.commit([Commit(prefix, "", "t1", {"a": "1"}, ttl=TTL)]) == [True]


@pytest.mark.parametrize("url", ["nonsense", "http://x", "redis://h:port"])
async def test_a_url_that_means_nothing_is_a_config_error(url: str) -> None:
    """Said at start, in words, not as a traceback."""
    with pytest.raises(ConfigError, match="REDIS_URL"):
        async with open_redis(url):
            pass


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (RedisConnectionError("Connection refused"), Fault.TRANSIENT),
        (RedisTimeoutError("Timeout reading"), Fault.TRANSIENT),
        (BusyLoadingError("Redis is loading the dataset in memory"), Fault.TRANSIENT),
        (ResponseError("LOADING Redis is loading the dataset in memory"), Fault.TRANSIENT),
        (ResponseError("BUSY Redis is busy running a script."), Fault.TRANSIENT),
        (TryAgainError("Multiple keys request during rehashing of slot"), Fault.TRANSIENT),
        (ClusterDownError("The cluster is down"), Fault.TRANSIENT),
        (MasterDownError("Link with MASTER is down"), Fault.TRANSIENT),
        (ResponseError("NOREPLICAS Not enough good replicas to write."), Fault.TRANSIENT),
        (ReadOnlyError("You can't write against a read only replica."), Fault.TRANSIENT),
        (ResponseError("READONLY You can't write against a read only replica."), Fault.TRANSIENT),
        (InvalidResponse("Protocol Error: b'x'"), Fault.TRANSIENT),
        (OutOfMemoryError("command not allowed when used memory > 'maxmemory'."), Fault.CAPACITY),
        (ResponseError("OOM command not allowed when used memory > 'maxmemory'."), Fault.CAPACITY),
        (ResponseError("MISCONF Errors writing to the AOF file: No space left"), Fault.CAPACITY),
        (AuthenticationError("Authentication required."), Fault.CONFIGURATION),
        (ResponseError("NOAUTH Authentication required."), Fault.CONFIGURATION),
        (ResponseError("WRONGPASS invalid username-password pair"), Fault.CONFIGURATION),
        (NoPermissionError("this user has no permissions to run the 'hset' command"), Fault.CONFIGURATION),
        (ResponseError("NOPERM this user has no permissions"), Fault.CONFIGURATION),
        (ResponseError("CROSSSLOT Keys in request don't hash to the same slot"), Fault.CONFIGURATION),
        (ResponseError("WRONGTYPE Operation against a key holding the wrong kind"), Fault.CONFIGURATION),
        (ResponseError("ERR unknown command 'X'"), Fault.SENDER),
        (DataError("Invalid input of type: 'dict'."), Fault.SENDER),
    ],
    ids=lambda value: str(value)[:30],
)
def test_an_error_of_redis_has_its_class(error: RedisError, fault: Fault) -> None:
    """The table of error classes, line by line."""
    assert fault_of(error) is fault
