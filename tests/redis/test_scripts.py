"""The store's scripts, on a real Valkey."""

import pytest
from redis.asyncio import Redis

from streamapp.redis.store import RedisStore
from streamapp.state.store import Commit, Confirmed

TTL = 60.0


@pytest.mark.usefixtures("one_server")
async def test_a_repeated_commit_writes_again(store: RedisStore, redis: Redis, prefix: str) -> None:
    """WAIT covers only the writes of its own connection, so a repetition without a write would prove nothing."""
    await redis.config_resetstat()
    commit = Commit(prefix, "", "t1", {"a": "1"}, ttl=TTL)
    await store.commit([commit])
    before = (await redis.info("commandstats"))["cmdstat_hset"]["calls"]
    await store.commit([commit])

    assert (await redis.info("commandstats"))["cmdstat_hset"]["calls"] == before + 1


async def test_scripts_that_the_server_lost_are_loaded_again(
    store: RedisStore, redis: Redis, prefix: str
) -> None:
    """A restarted server has no scripts."""
    await redis.script_flush()
    assert await store.commit([Commit(prefix, "", "t1", {"_o:x": "[1,"}, keep=True, ttl=TTL)]) == [True]
    await redis.script_flush()
    await store.confirm([Confirmed(prefix, [("x", "[1,")], ttl=TTL)])

    assert await store.read([prefix]) == [{"_t": "t1"}]
