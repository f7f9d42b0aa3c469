"""Servers that fail, restart, or change their role."""

import socket
from pathlib import Path

import pytest
from anyio import fail_after
from redis.asyncio import Redis

from streamapp.errors import Fault, ServiceError, TimedOut
from streamapp.redis.store import open_redis
from streamapp.state.store import Commit

TTL = 60.0


async def test_a_server_that_refuses_connections_is_transient_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An outage must be noticed in time: no timeout is waited for."""
    for limit in ("exchange.CONNECT", "url.TIMEOUT", "servers.TIMEOUT"):
        monkeypatch.setattr(f"streamapp.redis.{limit}", 3600.0)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with fail_after(30):
        async with open_redis(f"redis://127.0.0.1:{port}/0") as store:
            with pytest.raises(ServiceError) as caught:
                await store.ping()

    assert caught.value.fault is Fault.TRANSIENT


@pytest.mark.parametrize("limit", ["exchange.CONNECT", "url.TIMEOUT"])
async def test_a_server_that_does_not_answer_is_transient_at_either_limit(
    limit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hung server counts as an outage."""
    for each in ("exchange.CONNECT", "url.TIMEOUT", "servers.TIMEOUT"):
        monkeypatch.setattr(f"streamapp.redis.{each}", 0.2 if each == limit else 3600.0)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        async with open_redis(f"redis://127.0.0.1:{silent.getsockname()[1]}/0") as store:
            with fail_after(30), pytest.raises(ServiceError) as caught:
                await store.ping()

    assert caught.value.fault is Fault.TRANSIENT


async def test_a_server_that_accepts_a_unix_socket_and_stays_silent_is_transient_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client does not limit this handshake; without a limit of ours a hung Redis would never count as an outage."""
    monkeypatch.setattr("streamapp.redis.exchange.CONNECT", 0.2)
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "redis.sock"))
        silent.listen()
        async with open_redis(f"unix://{tmp_path}/redis.sock") as store:
            for _ in range(2):  # a connection that is half made is not used again
                with fail_after(30), pytest.raises(TimedOut):
                    await store.ping()


async def test_connections_to_a_master_that_became_a_replica_are_closed(
    own_redis_url: str, prefix: str
) -> None:
    """They would reply READONLY for ever; new connections may find the new master."""
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


async def test_the_store_reconnects_after_a_connection_was_cut(own_redis_url: str, prefix: str) -> None:
    """It fails one call at most."""
    async with open_redis(own_redis_url) as store, Redis.from_url(own_redis_url) as redis:
        await store.ping()
        await redis.client_kill_filter(_type="normal", skipme=True)
        try:
            await store.ping()
        except ServiceError as error:
            assert error.fault is Fault.TRANSIENT  # noqa: PT017 - it may or may not be noticed
        assert await store.commit([Commit(prefix, "", "t1", {"a": "1"}, ttl=TTL)]) == [True]
