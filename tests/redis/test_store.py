"""The state store on a real Valkey."""

import re

import pytest
from anyio import fail_after, sleep
from redis.asyncio import Redis

from streamapp.errors import Fault, ServiceError
from streamapp.redis.store import RedisStore, open_redis
from streamapp.state.store import Commit, Confirmed

TTL = 60.0


async def test_bytes_that_are_not_text_are_readable(store: RedisStore, redis: Redis, prefix: str) -> None:
    """Another program wrote them; they must not fail the other keys of the batch."""
    await redis.hset(f"{prefix}bad", mapping={"a": b"\xff\xfe"})
    await redis.hset(f"{prefix}good", mapping={"a": "é"})

    assert await store.read([f"{prefix}bad", f"{prefix}good"]) == [{"a": "\\xff\\xfe"}, {"a": "é"}]


async def test_a_commit_without_its_replica_is_not_durable(redis_url: str, prefix: str) -> None:
    """A write that no replica has may be lost with the master."""
    async with open_redis(redis_url, replicas=1) as store:
        with pytest.raises(ServiceError) as caught:
            await store.commit([Commit(prefix, "", "t1", {"a": "1"}, ttl=TTL)])

    assert caught.value.fault is Fault.TRANSIENT


async def test_a_full_server_is_a_capacity_fault(own_redis_url: str, prefix: str) -> None:
    """Somebody has to free memory; nothing is lost meanwhile."""
    async with open_redis(own_redis_url) as store, Redis.from_url(own_redis_url) as redis:
        await redis.config_set("maxmemory", "1")
        try:
            with pytest.raises(ServiceError) as caught:
                await store.commit([Commit(prefix, "", "t1", {"a": "1"}, ttl=TTL)])
        finally:
            await redis.config_set("maxmemory", "0")

    assert caught.value.fault is Fault.CAPACITY


async def test_in_a_cluster_each_key_has_a_call_of_its_own(slotted_redis_url: str, prefix: str) -> None:
    """Even a single endpoint may be a cluster."""
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
    """A call costs client and server more than the work for one key."""
    keys = [f"{prefix}{n}" for n in range(20)]
    await store.read(keys)
    await store.commit([Commit(key, "", "t0", {"a": "1"}) for key in keys])
    await store.confirm([Confirmed(key, [("x", "[1,")]) for key in keys])
    await redis.config_resetstat()

    await store.read(keys)
    await store.commit([Commit(key, "t0", "t1", {"a": "1"}) for key in keys])
    await store.confirm([Confirmed(key, [("x", "[1,")]) for key in keys])

    assert (await redis.info("commandstats"))["cmdstat_evalsha"]["calls"] == 3
