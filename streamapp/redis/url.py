"""What a Redis URL means: one server, some members of a cluster, or the master that Sentinels name."""

import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from urllib.parse import SplitResult, urlsplit

from redis.asyncio import Redis
from redis.asyncio.connection import parse_url
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from streamapp.errors import ConfigError
from streamapp.redis.exchange import greet
from streamapp.redis.servers import TIMEOUT, Servers
from streamapp.redis.topology import Members

SENTINEL_PORT = 26_379

_DATABASE = re.compile(r"/?\d*/?")


@asynccontextmanager
async def open_servers(
    url: str, *, name: str, longest: float = 0.0, scripts: Sequence[str] = ()
) -> AsyncGenerator[Servers]:
    """Open what *url* means; it connects at the first call. *name* is what Redis shows of it.

    A command may ask Redis to wait up to *longest* seconds. Raises `ConfigError` for a URL that means nothing.
    """
    options: dict[str, Any] = {
        "decode_responses": True,
        # What others wrote into a hash may be no text; it must not end the batch that reads it.
        "encoding_errors": "backslashreplace",
        "socket_connect_timeout": TIMEOUT,
        # Whoever asks says how long: the client would start a timer for each answer, and a task for each write.
        "socket_timeout": None,
        "redis_connect_func": _greet,
        # Every wait of ours is counted above this client: its own retries would hide an outage for a minute.
        "retry": Retry(NoBackoff(), 0),
        "client_name": name,
    }
    async with AsyncExitStack() as stack:
        try:
            parts = urlsplit(url)
            user, at, hosts = parts.netloc.rpartition("@")

            def connect(host: str) -> Any:  # noqa: ANN401 - its commands are untyped
                return Redis.from_url(parts._replace(netloc=f"{user}{at}{host}").geturl(), **options)  # pyright: ignore[reportUnknownMemberType]  # redis-py's own

            if parts.scheme.endswith("+sentinel"):
                sentinel, master = _behind_sentinels(parts, options)
                stack.push_async_callback(sentinel.aclose)
                clients = {hosts: master}
            else:
                if parts.scheme != "unix" and not _DATABASE.fullmatch(parts.path):
                    raise ConfigError(
                        "REDIS_URL: expected the number of a database after the port, such as /0"
                    )
                clients = {host: connect(host) for host in hosts.split(",")}
            for client in clients.values():
                # An option that nobody knows shows when a connection is made of it.
                client.connection_pool.make_connection()
        except (ValueError, TypeError, RedisError):
            # Its text may quote what stands for the port: half a password, if a slash is in it.
            raise ConfigError(
                "REDIS_URL cannot be read: expected redis://USER:PASSWORD@HOST:PORT/NUMBER; "
                "in a password each of / ? # @ [ ] and % is percent-encoded, a slash as %2F, "
                "and an option after ? is one of redis-py's"
            ) from None
        members = Members(clients, connect)
        stack.push_async_callback(members.aclose)
        yield Servers(members, scripts, longest=longest)


async def _greet(connection: Any) -> None:  # noqa: ANN401 - untyped
    await greet(connection, TIMEOUT)


def _behind_sentinels(url: SplitResult, options: dict[str, Any]) -> tuple[Sentinel, Any]:
    """Return the Sentinels, and a client whose connections lead to whom they name at the time."""
    user, at, hosts = url.netloc.rpartition("@")
    service, _, database = url.path.removeprefix("/").partition("/")
    if not service:
        raise ConfigError(f"REDIS_URL: {url.scheme}://HOST,HOST/NAME needs the master's NAME")
    secure = url.scheme.startswith("rediss")
    asked = [urlsplit(f"//{host}") for host in hosts.split(",")]
    build: Any = Sentinel  # it is untyped
    sentinel = build(
        [(host.hostname, host.port or SENTINEL_PORT) for host in asked],
        sentinel_kwargs={**options, "socket_timeout": TIMEOUT, "ssl": secure},
    )
    # User, password and query are the master's: Sentinels are asked without.
    its = parse_url(f"redis://{user}{at}/{database}?{url.query}")
    return sentinel, sentinel.master_for(service, redis_class=Redis, ssl=secure, **{**options, **its})


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
