"""Servers that fail, restart, or change their role."""

import socket
from pathlib import Path

import pytest
from anyio import create_task_group, fail_after, sleep
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from chaos.valkey import free_port
from rigs.redis_6 import WRAPPED
from streamapp.cli.demo.servers import redis_server
from streamapp.errors import Fault, ServiceError, TimedOut
from streamapp.redis.errors import service_error
from streamapp.redis.store import open_redis
from streamapp.redis.url import open_servers
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


async def test_a_connection_that_redis_closed_while_it_was_idle_is_made_anew(prefix: str) -> None:
    """Redis's own `timeout` closes what is idle: a quiet queue would have an outage for each of its messages."""
    port = free_port()  # over TCP the client itself does not see that a connection was closed
    with redis_server("--timeout", "1", "--port", str(port)):
        url = f"redis://127.0.0.1:{port}/0"
        async with open_redis(url) as store:
            async with create_task_group() as tasks:
                for _ in range(5):
                    tasks.start_soon(store.ping)
            with fail_after(60):
                async with Redis.from_url(url) as redis:
                    while any(it["name"] == "streamapp" for it in await redis.client_list()):
                        await sleep(0.1)

            async with create_task_group() as tasks:
                for number in range(5):
                    commit = Commit(f"{prefix}{number}", "", "t1", {"a": "1"}, ttl=TTL)
                    tasks.start_soon(store.commit, [commit])

            assert (
                await store.read([f"{prefix}{number}" for number in range(5)]) == [{"a": "1", "_t": "t1"}] * 5
            )


async def test_a_server_that_is_gone_is_an_outage_at_once_for_a_connection_that_was_kept(prefix: str) -> None:
    """It is tried anew once, and no more."""
    with redis_server() as url:
        async with open_redis(url) as store:
            await store.ping()
            async with Redis.from_url(url) as redis:
                await redis.shutdown(nosave=True)

            with pytest.raises(ServiceError) as caught:
                await store.ping()

    assert caught.value.fault is Fault.TRANSIENT


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


async def test_connections_to_a_replica_are_closed_in_the_words_of_redis_6_too(own_redis_url: str) -> None:
    """Its scripts wrap READONLY in another error. A script gives back its words here, as Redis 6.2.14 sent them."""
    refuse = "return redis.error_reply(ARGV[1])"
    async with (
        open_servers(own_redis_url, name="streamapp") as servers,
        Redis.from_url(own_redis_url) as redis,
    ):
        await servers.ping()
        ours = {client["id"] for client in await redis.client_list() if client["name"] == "streamapp"}
        (other,) = await servers.run([("EVAL", refuse, 1, "k", "ERR of another kind")])
        kept = {client["id"] for client in await redis.client_list() if client["name"] == "streamapp"}
        (refusal,) = await servers.run([("EVAL", refuse, 1, "k", WRAPPED)])
        await servers.ping()
        after = {client["id"] for client in await redis.client_list() if client["name"] == "streamapp"}

    assert isinstance(other, ResponseError)
    assert kept == ours
    assert type(refusal) is ResponseError
    assert service_error(refusal).fault is Fault.TRANSIENT
    assert "READONLY" in service_error(refusal).detail
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
