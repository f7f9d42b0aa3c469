"""What differs between Redis 6.2, 7, 8 and Valkey: scripts' errors, and what a connection may say of itself."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from chaos.services import running
from chaos.valkey import Valkey
from rigs.redis_builds import REDIS_BUILDS
from streamapp.errors import Fault, ServiceError
from streamapp.redis.store import open_redis
from streamapp.state.store import Commit

TTL = 60.0


@pytest.fixture(params=REDIS_BUILDS)
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Valkey]:
    """One server of each build."""
    with running(Valkey(tmp_path / "server", program=REDIS_BUILDS[request.param]())) as valkey:
        yield valkey


async def test_a_failover_costs_one_error_and_new_connections(server: Valkey) -> None:
    """Redis 6.2 wraps the replica's refusal in an error of the script: it is READONLY all the same."""
    async with open_redis(server.url) as store, Redis.from_url(server.url) as redis:
        assert await store.commit([Commit("t:0", "", "t1", {"a": "1"}, ttl=TTL)]) == [True]
        ours = {client["id"] for client in await redis.client_list() if client["name"] == "streamapp"}
        await redis.replicaof("127.0.0.1", "1")
        try:
            with pytest.raises(ServiceError) as caught:
                await store.commit([Commit("t:1", "", "t1", {"a": "1"}, ttl=TTL)])
        finally:
            await redis.replicaof("NO", "ONE")
        assert await store.commit([Commit("t:1", "", "t1", {"a": "1"}, ttl=TTL)]) == [True]
        after = {client["id"] for client in await redis.client_list() if client["name"] == "streamapp"}

    assert caught.value.fault is Fault.TRANSIENT
    assert ours
    assert not ours & after


async def test_a_right_to_a_name_is_not_needed(server: Valkey) -> None:
    """It is for whoever reads CLIENT LIST; state is kept without it."""
    async with Redis.from_url(server.url) as redis:
        await redis.acl_setuser(
            "plain",
            enabled=True,
            passwords=["+secret"],
            keys=["t:*"],
            commands=[
                "-@all",
                "+hello",
                "+auth",
                "+info",
                "+evalsha",
                "+script",
                "+hgetall",
                "+hset",
                "+hget",
            ],
        )
    url = server.url.replace("://", "://plain:secret@")

    async with open_redis(url) as store:
        assert await store.read(["t:0"]) == [{}]
