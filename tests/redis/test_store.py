"""The state store on a real Valkey."""

import re
import socket
from collections.abc import Iterator

import pytest
from anyio import current_time, fail_after, sleep
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

from rigs import behind
from streamapp.cli.demo.servers import redis_server
from streamapp.errors import ConfigError, Fault, ServiceError
from streamapp.redis.errors import fault_of
from streamapp.redis.store import RedisStore, open_redis
from streamapp.state.store import Commit, Confirmed

TTL = 60.0


@pytest.fixture
async def redis(redis_url: str):
    """A client of the test's own, to look behind the store's back."""
    client = behind.client(redis_url, decode_responses=True)
    yield client
    await client.aclose()


@pytest.fixture(scope="module")
def own_redis_url() -> Iterator[str]:
    """A Valkey that tests may disturb."""
    with redis_server("--enable-debug-command", "yes") as url:
        yield url


@pytest.mark.usefixtures("one_server")
async def test_a_repeated_commit_writes_something(store: RedisStore, redis: Redis, prefix: str) -> None:
    """WAIT speaks only of what its own connection wrote, so a repetition without a write would prove nothing."""
    await redis.config_resetstat()
    commit = Commit(prefix, "", "t1", {"a": "1"}, ttl=TTL)
    await store.commit([commit])
    before = (await redis.info("commandstats"))["cmdstat_hset"]["calls"]
    await store.commit([commit])

    assert (await redis.info("commandstats"))["cmdstat_hset"]["calls"] == before + 1


async def test_scripts_that_the_server_lost_are_taught_again(
    store: RedisStore, redis: Redis, prefix: str
) -> None:
    """A restart forgets all scripts."""
    await redis.script_flush()
    assert await store.commit([Commit(prefix, "", "t1", {"_o:x": "[1,"}, keep=True, ttl=TTL)]) == [True]
    await redis.script_flush()
    await store.confirm([Confirmed(prefix, [("x", "[1,")], ttl=TTL)])

    assert await store.read([prefix]) == [{"_t": "t1"}]


async def test_bytes_that_are_no_text_are_read_all_the_same(
    store: RedisStore, redis: Redis, prefix: str
) -> None:
    """They are another program's; the other keys of the batch are ours."""
    await redis.hset(f"{prefix}bad", mapping={"a": b"\xff\xfe"})
    await redis.hset(f"{prefix}good", mapping={"a": "é"})

    assert await store.read([f"{prefix}bad", f"{prefix}good"]) == [{"a": "\\xff\\xfe"}, {"a": "é"}]


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


@pytest.mark.parametrize(
    "url",
    [
        *("nonsense", "http://x", "redis://h:port", "redis+sentinel://h:26379"),
        *(
            "redis://h/x",
            "redis://h/1/2",
            "redis://h/0?db=x",
            "redis://h?none=1",
            "rediss://h?ssl_cert_reqs=x",
        ),
        *("redis+sentinel://h/main?none=1", "unix:///h?socket_timeout=x"),
    ],
)
async def test_a_url_that_means_nothing_is_a_config_error(url: str) -> None:
    """Said at start, in words, not as a traceback."""
    with pytest.raises(ConfigError, match="REDIS_URL"):
        async with open_redis(url):
            pass


@pytest.mark.parametrize(
    "url", ["redis://h", "redis://h/", "redis://h:1/7", "unix:///h?db=7", "redis://h?db=7"]
)
async def test_a_url_means_what_it_always_meant(url: str) -> None:
    """A database by its number, and none is the first."""
    async with open_redis(url):
        pass


async def test_sentinels_that_do_not_answer_are_named_in_a_few_words() -> None:
    """Not in those that Python has for its objects."""
    async with open_redis("redis+sentinel://127.0.0.1:1/main") as store:
        with pytest.raises(ServiceError) as caught:
            await store.ping()

    assert caught.value.heals
    assert caught.value.detail == "No master found for 'main'"


@pytest.mark.parametrize("sign", "/?#[")
@pytest.mark.parametrize("scheme", ["redis", "redis+sentinel"])
async def test_a_url_that_cannot_be_read_shows_nothing_of_its_password(scheme: str, sign: str) -> None:
    """One that is not encoded ends where nobody looks for it: in the port, which an error quotes."""
    with pytest.raises(ConfigError, match="REDIS_URL") as caught:
        async with open_redis(f"{scheme}://:canary{sign}canary@localhost:6379/main"):
            pass

    assert "canary" not in str(caught.value)
    assert caught.value.__cause__ is None


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
        (
            RedisConnectionError("HELLO must be called with the client already authenticated"),
            Fault.CONFIGURATION,
        ),
        (ResponseError("ACL failure in script: User default has no permissions"), Fault.CONFIGURATION),
        (ResponseError("The user executing the script can't run this command"), Fault.CONFIGURATION),
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


@pytest.fixture(scope="module")
def slotted_redis_url() -> Iterator[str]:
    """A Valkey that is a cluster of one: it serves every slot, and no call that speaks of two."""
    with redis_server("--cluster-enabled", "yes") as url:
        yield url


async def test_where_keys_have_slots_each_goes_alone(slotted_redis_url: str, prefix: str) -> None:
    """A store behind one endpoint may be a cluster all the same."""
    keys = [f"{prefix}{n}" for n in range(20)]
    async with open_redis(slotted_redis_url) as store, Redis.from_url(slotted_redis_url) as redis:
        await redis.execute_command("CLUSTER ADDSLOTSRANGE 0 16383")
        with fail_after(10):
            while not re.search(r"cluster_state\W+ok", str(await redis.execute_command("CLUSTER INFO"))):
                await sleep(0.05)
        await redis.sadd(keys[0], "no hash")

        answers = await store.commit([Commit(key, "", "t", {"_o:x": "[1,"}, keep=True) for key in keys])
        await store.confirm([Confirmed(key, [("x", "[1,")]) for key in keys])
        states = await store.read(keys)

    assert isinstance(answers[0], ServiceError)
    assert answers[1:] == [True] * 19
    assert isinstance(states[0], ServiceError)
    assert states[1:] == [{"_t": "t"}] * 19


@pytest.mark.usefixtures("one_server")
async def test_a_batch_is_one_call(store: RedisStore, redis: Redis, prefix: str) -> None:
    """A call costs the client and the server more than what it does for one key."""
    keys = [f"{prefix}{n}" for n in range(20)]
    await store.read(keys)
    await store.commit([Commit(key, "", "t0", {"a": "1"}) for key in keys])
    await store.confirm([Confirmed(key, [("x", "[1,")]) for key in keys])
    await redis.config_resetstat()

    await store.read(keys)
    await store.commit([Commit(key, "t0", "t1", {"a": "1"}) for key in keys])
    await store.confirm([Confirmed(key, [("x", "[1,")]) for key in keys])

    assert (await redis.info("commandstats"))["cmdstat_evalsha"]["calls"] == 3
