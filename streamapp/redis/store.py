"""The state store in Redis or Valkey: on the servers that a URL leads to."""

import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from hashlib import sha1
from typing import Any

import msgspec
from redis.exceptions import RedisError

from streamapp.errors import ServiceError
from streamapp.redis.errors import one_keys
from streamapp.redis.scripts import ADD, COMMIT, CONFIRM, READ
from streamapp.redis.servers import Servers
from streamapp.redis.topology import Command
from streamapp.redis.url import open_servers
from streamapp.state.store import Commit, Confirmed

SCAN = 500
"""Keys that one step of a scan looks at: some 0.2 ms of a server that serves others meanwhile."""

_FOR_EVER = -1  # PTTL's answer

_SHA = {text: sha1(text.encode(), usedforsecurity=False).hexdigest() for text in (READ, COMMIT, CONFIRM, ADD)}
"""The name by which a server that was taught a script knows it."""


class RedisStore:
    """State in Redis. With *replicas*, a commit counts as durable once that many replicas have it."""

    def __init__(self, servers: Servers, *, replicas: int = 0) -> None:
        self._servers = servers
        self._replicas = replicas

    async def read(self, keys: Sequence[str]) -> list[dict[str, str] | ServiceError]:
        """Return the fields of each hash, or why this key alone has none; an empty one is not there."""
        answers = await self._run(READ, keys)
        return [
            answer if isinstance(answer, ServiceError) else dict(zip(answer[::2], answer[1::2], strict=True))
            for answer in answers
        ]

    async def commit(self, commits: Sequence[Commit]) -> list[bool | ServiceError]:
        """Make each change; False where somebody else's came first. When this returns, they are durable."""
        asked = [
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
        answers = await self._run(COMMIT, [commit.key for commit in commits], asked, self._replicas)
        return [answer if isinstance(answer, ServiceError) else answer == 1 for answer in answers]

    async def confirm(self, confirmed: Sequence[Confirmed]) -> None:
        """Take announcements off the pending ones; a hash with none left expires by its ttl again."""
        asked = [
            (
                _milliseconds(each.ttl),
                [text for pair in each.sent for text in pair],
                [text for pair in each.parked for text in pair],
            )
            for each in confirmed
        ]
        await self._run(CONFIRM, [each.key for each in confirmed], asked)

    async def add(self, members: Mapping[str, Sequence[str]], ttl: float) -> list[ServiceError | None]:
        """Add members to each set, by its key, which lives *ttl* seconds from now; answer why a set takes none."""
        asked = [(_milliseconds(ttl), texts) for texts in members.values()]
        answers = await self._run(ADD, list(members), asked)
        return [answer if isinstance(answer, ServiceError) else None for answer in answers]

    async def members(self, key: str) -> set[str] | ServiceError:
        """Return a set's members, or why this key alone has none."""
        (answer,) = await self._servers.ask([("SMEMBERS", key)])
        return one_keys(answer) if isinstance(answer, RedisError) else set(answer)

    async def remove(self, key: str, members: Sequence[str]) -> ServiceError | None:
        """Take members out of a set; answer why this key alone has none."""
        (answer,) = await self._servers.ask([("SREM", key, *members)])
        return one_keys(answer) if isinstance(answer, RedisError) else None

    async def scan(self, prefix: str, cursor: str = "") -> tuple[list[str], str]:
        """Return some keys of the hashes that begin with *prefix* and do not expire, as what owes does not."""
        keys, following = await self.keys(prefix, cursor)
        lives = await self._ask(*[("PTTL", key) for key in keys])
        lasting = [key for key, life in zip(keys, lives, strict=True) if life == _FOR_EVER]
        return lasting, following

    async def keys(self, prefix: str, cursor: str = "") -> tuple[list[str], str]:
        """Return some keys of hashes that begin with *prefix*, and where to go on, empty when all were seen."""
        return await self._servers.scan(
            cursor, "MATCH", f"{_literal(prefix)}*", "COUNT", SCAN, "TYPE", "HASH"
        )

    async def info(self) -> dict[str, dict[str, str]]:
        """Return what each server that takes writes says of itself, as INFO names it."""
        told = await self._servers.ask_each("INFO")
        return {name: {str(word): str(value) for word, value in it.items()} for name, it in told.items()}

    async def ping(self) -> None:
        """Return when the store answers."""
        await self._servers.ping()

    async def _run(
        self, script: str, keys: Sequence[str], asked: Sequence[object] = (), replicas: int = 0
    ) -> list[Any]:
        """Run *script* on all *keys* in one round trip; answer each key's answer, or the error that is its alone.

        When it returns, *replicas* have what it wrote.
        """
        # In a cluster a call may speak of one slot's keys only.
        step = 1 if await self._servers.is_cluster() else len(keys)
        calls: list[Command] = []
        for start in range(0, len(keys), step):
            part = keys[start : start + step]
            what = msgspec.msgpack.encode(asked[start : start + step])
            calls.append(("EVALSHA", _SHA[script], len(part), *part, what))
        answers = await self._servers.ask(calls, replicas=replicas)
        return [
            one_keys(each) if isinstance(each, RedisError) else each
            for answer in answers
            for each in _good(answer)
        ]

    async def _ask(self, *commands: Command) -> list[Any]:
        """Return each command's answer, in one round trip."""
        return [_good(answer) for answer in await self._servers.ask(commands)]


@asynccontextmanager
async def open_redis(url: str, *, replicas: int = 0) -> AsyncGenerator[RedisStore]:
    """Open the store at *url*. Raises `ConfigError` for a URL that means nothing; connects at the first call."""
    async with open_servers(url, name="streamapp", scripts=list(_SHA)) as servers:
        yield RedisStore(servers, replicas=replicas)


def _good(answer: Any) -> Any:  # noqa: ANN401 - Redis's answer
    if isinstance(answer, RedisError):
        raise one_keys(answer) from answer
    return answer


def _literal(text: str) -> str:
    """Return the pattern that matches *text* alone."""
    return re.sub(r"([*?\[\]\\])", r"\\\1", text)


def _milliseconds(seconds: float | None) -> int:
    return 0 if seconds is None else max(1, int(seconds * 1000))
