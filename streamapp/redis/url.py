"""A Redis URL: one server, some servers of a cluster, or Sentinels, which name the master."""

import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any
from urllib.parse import SplitResult, urlsplit

from redis.asyncio import Redis
from redis.asyncio.connection import parse_url
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.maint_notifications import MaintNotificationsConfig

from streamapp.errors import ConfigError
from streamapp.redis.exchange import handshake
from streamapp.redis.servers import TIMEOUT, RedisServers
from streamapp.redis.topology import Topology

SENTINEL_PORT = 26_379

_EXPECTED = {"ssl_cert_reqs": "expected none, optional or required"}
"""By an option that is often mistaken, what it takes."""

_DATABASE = re.compile(r"/?\d*/?")


@asynccontextmanager
async def open_servers(
    url: str, *, name: str, longest: float = 0.0, scripts: Sequence[str] = ()
) -> AsyncGenerator[RedisServers]:
    """Open the servers of *url*; they are connected to at the first call. *name* is the client's name in Redis.

    A command may make Redis wait up to *longest* seconds. Raises `ConfigError` for an invalid URL.
    """
    options: dict[str, Any] = {
        "decode_responses": True,
        # Another program may have written bytes that are not UTF-8; they must not fail the batch that reads them.
        "encoding_errors": "backslashreplace",
        "socket_connect_timeout": TIMEOUT,
        # `exchange` limits the time: the client would start a timer for each reply, and a task for each write.
        "socket_timeout": None,
        "redis_connect_func": partial(_handshake, name),
        # CLIENT SETINFO and CLIENT MAINT_NOTIFICATIONS: a Redis that does not know them refuses a user who may send them.
        "driver_info": None,
        "maint_notifications_config": MaintNotificationsConfig(enabled=False),
        # Outages are handled above this client: its own retries would hide one for a minute.
        "retry": Retry(NoBackoff(), 0),
    }
    async with AsyncExitStack() as stack:
        try:
            parts = urlsplit(url)
            user, at, hosts = parts.netloc.rpartition("@")

            def connect(host: str) -> Any:  # noqa: ANN401 - its commands are untyped
                return Redis.from_url(parts._replace(netloc=f"{user}{at}{host}").geturl(), **options)  # pyright: ignore[reportUnknownMemberType]  # redis-py's own

            if parts.scheme.endswith("+sentinel"):
                sentinel, master = _master_of_sentinels(parts, options)
                stack.push_async_callback(sentinel.aclose)
                clients = {hosts: master}
            else:
                if parts.scheme != "unix" and not _DATABASE.fullmatch(parts.path):
                    raise ConfigError(
                        "REDIS_URL: expected the number of a database after the port, such as /0"
                    )
                clients = {host: connect(host) for host in hosts.split(",")}
            for client in clients.values():
                # An unknown option raises only when a connection is made.
                client.connection_pool.make_connection()
        except (ValueError, TypeError, RedisError):
            if (wrong := _wrong_option(url)) is not None:
                raise ConfigError(
                    f"REDIS_URL: the option {wrong} cannot be used; "
                    + _EXPECTED.get(wrong, "its name or its value is none of redis-py's")
                ) from None
            # The text of the error may quote the port, which is half a password if that contains a slash.
            raise ConfigError(
                "REDIS_URL cannot be read: expected redis://USER:PASSWORD@HOST:PORT/NUMBER; "
                "in a password each of / ? # @ [ ] and % is percent-encoded, a slash as %2F, "
                "and an option after ? is one of redis-py's"
            ) from None
        topology = Topology(clients, connect)
        stack.push_async_callback(topology.aclose)
        yield RedisServers(topology, scripts, longest=longest)


async def _handshake(name: str, connection: Any) -> None:  # noqa: ANN401 - untyped
    await handshake(connection, name, TIMEOUT)


def _wrong_option(url: str) -> str | None:
    """Return the name of the first option after the `?` of *url* that alone would be refused as well."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    scheme = parts.scheme.removesuffix("+sentinel")
    for option in parts.query.split("&") if parts.query else []:
        try:
            made: Any = Redis.from_url(f"{scheme}://localhost?{option}")  # pyright: ignore[reportUnknownMemberType]  # as above
            made.connection_pool.make_connection()
        except (ValueError, TypeError, RedisError):
            return option.partition("=")[0]
    return None


def _master_of_sentinels(url: SplitResult, options: dict[str, Any]) -> tuple[Sentinel, Any]:
    """Return the Sentinels, and a client each of whose connections goes to the master that they name then."""
    user, at, hosts = url.netloc.rpartition("@")
    service, _, database = url.path.removeprefix("/").partition("/")
    if not service:
        raise ConfigError(f"REDIS_URL: {url.scheme}://HOST,HOST/NAME needs the NAME of the master")
    secure = url.scheme.startswith("rediss")
    sentinels = [urlsplit(f"//{host}") for host in hosts.split(",")]
    build: Any = Sentinel  # it is untyped
    sentinel = build(
        [(host.hostname, host.port or SENTINEL_PORT) for host in sentinels],
        sentinel_kwargs={**options, "socket_timeout": TIMEOUT, "ssl": secure},
    )
    # User, password and query are for the master; the Sentinels are connected to without them.
    of_master = parse_url(f"redis://{user}{at}/{database}?{url.query}")
    return sentinel, sentinel.master_for(service, redis_class=Redis, ssl=secure, **{**options, **of_master})


def redis_cli(url: str) -> str:
    """Return the `redis-cli` command for the server at *url*, without the password: that is left to REDISCLI_AUTH."""
    parts = urlsplit(url)
    if parts.scheme == "unix":
        return f"redis-cli -s {parts.path}"
    host, _, port = parts.netloc.rpartition("@")[2].partition(",")[0].partition(":")
    tls = " --tls" if parts.scheme.startswith("rediss") else ""
    elsewhere = (
        f" -h {host} -p {port or 6379}"
        if (host, port) not in {("localhost", ""), ("localhost", "6379")}
        else ""
    )
    number = parts.path.strip("/").rpartition("/")[2]
    database = f" -n {number}" if number not in {"", "0"} else ""
    return f"redis-cli{tls}{elsewhere}{database}"
