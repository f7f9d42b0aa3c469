"""The state store in Redis or Valkey."""

import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from hashlib import sha1
from typing import Any

import msgspec
from redis.exceptions import RedisError

from streamapp.errors import ServiceError
from streamapp.redis.errors import error_of_key
from streamapp.redis.scripts import ADD, COMMIT, CONFIRM, LIVES, READ
from streamapp.redis.servers import RedisServers
from streamapp.redis.topology import Command
from streamapp.redis.url import open_servers
from streamapp.state.store import PAGE, Commit, Confirmed

SCAN = 500
"""Keys that one step of a scan looks at: this blocks the server for about 0.2 ms."""

_FOR_EVER = -1  # PTTL's reply for a key that does not expire

_SHA = {
    text: sha1(text.encode(), usedforsecurity=False).hexdigest()
    for text in (READ, LIVES, COMMIT, CONFIRM, ADD)
}
"""The name that a server gives to a script that was loaded."""


class RedisStore:
    """The state store. A commit is durable once *replicas* replicas have it."""

    def __init__(self, servers: RedisServers, *, replicas: int = 0) -> None:
        self._servers = servers
        self._replicas = replicas

    async def read(self, keys: Sequence[str]) -> list[dict[str, str] | ServiceError]:
        """Return the fields of each hash, or why this key alone cannot be read; a missing hash is empty."""
        replies = await self._run(READ, keys)
        return [
            reply if isinstance(reply, ServiceError) else dict(zip(reply[::2], reply[1::2], strict=True))
            for reply in replies
        ]

    async def commit(self, commits: Sequence[Commit]) -> list[bool | ServiceError]:
        """Make each change; False if another one came first. When this returns, all are durable."""
        requests = [
            (
                commit.seen,
                commit.token,
                _milliseconds(commit.ttl),
                commit.keep,
                [text for pair in commit.put.items() for text in pair],
                commit.drop,
            )
            for commit in commits
        ]
        replies = await self._run(COMMIT, [commit.key for commit in commits], requests, self._replicas)
        return [reply if isinstance(reply, ServiceError) else reply == 1 for reply in replies]

    async def confirm(self, confirmed: Sequence[Confirmed]) -> None:
        """Remove announcements from the pending ones; a hash without any expires after its ttl again."""
        requests = [
            (
                _milliseconds(each.ttl),
                [text for pair in each.sent for text in pair],
                [text for pair in each.parked for text in pair],
            )
            for each in confirmed
        ]
        await self._run(CONFIRM, [each.key for each in confirmed], requests)

    async def add(self, members: Mapping[str, Sequence[str]], ttl: float) -> list[ServiceError | None]:
        """Add members to the set of each key, which then expires in *ttl* seconds; return why a set could not be changed."""
        requests = [(_milliseconds(ttl), texts) for texts in members.values()]
        replies = await self._run(ADD, list(members), requests)
        return [reply if isinstance(reply, ServiceError) else None for reply in replies]

    async def members(self, key: str) -> set[str] | ServiceError:
        """Return all members of a set, or why this key alone cannot be read."""
        found: set[str] = set()
        cursor: str | None = None
        while cursor != "":
            page = await self.members_page(key, cursor or "")
            if isinstance(page, ServiceError):
                return page
            members, cursor = page
            found.update(members)
        return found

    async def members_page(
        self, key: str, cursor: str = "", size: int = PAGE
    ) -> tuple[list[str], str] | ServiceError:
        """Return some members of a set, and the next cursor, which is empty at the end; or why this key alone cannot be read."""
        server = await self._servers.server_of(key)
        source, _, position = cursor.rpartition("|")
        # A cursor means something only to the server that gave it: after a move of the key all begins again.
        position = position if cursor and source == server else "0"
        (reply,) = await self._servers.run([("SSCAN", key, position, "COUNT", size)])
        if isinstance(reply, RedisError):
            return error_of_key(reply)
        following, members = reply
        is_over = not int(following) and await self._servers.server_of(key) == server
        return list(members), "" if is_over else f"{server}|{following}"

    async def remove(self, key: str, members: Sequence[str]) -> ServiceError | None:
        """Remove members from a set; return why this key alone could not be changed."""
        (reply,) = await self._servers.run([("SREM", key, *members)])
        return error_of_key(reply) if isinstance(reply, RedisError) else None

    async def claim(self, key: str, seconds: float, *, again: bool = False) -> bool:
        """Hold *key* for *seconds* from now, *again* if somebody holds it already; return whether that was possible."""
        option = "XX" if again else "NX"
        (reply,) = await self._replies(("SET", key, "1", option, "PX", _milliseconds(seconds)))
        return reply is not None

    async def scan(self, prefix: str, cursor: str = "") -> tuple[list[str], str]:
        """Return some keys of hashes that begin with *prefix* and do not expire: a hash with pending announcements does not."""
        keys, following = await self.keys(prefix, cursor)
        lives = await self._lives(keys)
        lasting = [key for key, life in zip(keys, lives, strict=True) if life == _FOR_EVER]
        return lasting, following

    async def keys(self, prefix: str, cursor: str = "") -> tuple[list[str], str]:
        """Return some keys of hashes that begin with *prefix*, and the next cursor, which is empty at the end."""
        return await self._servers.scan(
            cursor, "MATCH", f"{_literal(prefix)}*", "COUNT", SCAN, "TYPE", "HASH"
        )

    async def info(self) -> dict[str, dict[str, str]]:
        """Return the fields of INFO of each master, by its name."""
        replies = await self._servers.run_on_masters("INFO")
        return {
            name: {str(field): str(value) for field, value in info.items()} for name, info in replies.items()
        }

    async def ping(self) -> None:
        """Check that the store replies."""
        await self._servers.ping()

    async def _lives(self, keys: Sequence[str]) -> list[int]:
        """Return PTTL's reply for each key: in one command, or one for each key where they are of different slots."""
        if not keys or await self._servers.is_cluster():
            return await self._replies(*[("PTTL", key) for key in keys])
        return await self._run(LIVES, keys)

    async def _run(
        self, script: str, keys: Sequence[str], requests: Sequence[object] = (), replicas: int = 0
    ) -> list[Any]:
        """Run *script* on all *keys* in one round trip; return the reply for each key, or the error of this key alone.

        When it returns, *replicas* have its writes.
        """
        # In a cluster all keys of a call must be of one slot.
        step = 1 if await self._servers.is_cluster() else len(keys)
        calls: list[Command] = []
        for start in range(0, len(keys), step):
            part = keys[start : start + step]
            packed = msgspec.msgpack.encode(requests[start : start + step])
            calls.append(("EVALSHA", _SHA[script], len(part), *part, packed))
        replies = await self._servers.run(calls, replicas=replicas)
        return [
            error_of_key(each) if isinstance(each, RedisError) else each
            for reply in replies
            for each in _checked(reply)
        ]

    async def _replies(self, *commands: Command) -> list[Any]:
        """Return each command's reply, in one round trip."""
        return [_checked(reply) for reply in await self._servers.run(commands)]


@asynccontextmanager
async def open_redis(url: str, *, replicas: int = 0) -> AsyncGenerator[RedisStore]:
    """Open the store at *url*; it connects at the first call. Raises `ConfigError` for an invalid URL."""
    async with open_servers(url, name="streamapp", scripts=list(_SHA)) as servers:
        yield RedisStore(servers, replicas=replicas)


def _checked(reply: Any) -> Any:  # noqa: ANN401 - Redis's reply
    if isinstance(reply, RedisError):
        raise error_of_key(reply) from reply
    return reply


def _literal(text: str) -> str:
    """Return the pattern that matches exactly *text*."""
    return re.sub(r"([*?\[\]\\])", r"\\\1", text)


def _milliseconds(seconds: float | None) -> int:
    return 0 if seconds is None else max(1, int(seconds * 1000))
