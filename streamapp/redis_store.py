"""The state store in Redis or Valkey: the only module that knows the Redis client."""

import re
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from anyio import Semaphore
from redis.asyncio import Redis
from redis.asyncio.client import Pipeline
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, ReadOnlyError, RedisError

from streamapp.errors import ConfigError, Fault, ServiceError
from streamapp.redis_errors import one_keys, service_error
from streamapp.redis_scripts import ADD, COMMIT, READ, SETTLE
from streamapp.store import Commit, Settled

TIMEOUT = 2.0
"""Seconds to reach Redis, and to wait for an answer; ten times what a busy server needs."""

CONNECTIONS = 32
"""Calls under way at once; more would only wait in Redis, which does one after the other."""

SCAN = 500
"""Keys that one step of a scan looks at: some 0.2 ms of a server that serves others meanwhile."""

_FOR_EVER = -1  # PTTL's answer


class RedisStore:
    """State in Redis. With *replicas*, a commit counts as durable once that many replicas have it."""

    def __init__(self, client: Redis, *, replicas: int = 0) -> None:
        self._client = client
        self._replicas = replicas
        # The client raises when its pool of 100 is used up, which would look like an outage.
        self._places = Semaphore(CONNECTIONS, fast_acquire=True)
        self._scripts = {text: client.register_script(text).sha for text in (READ, COMMIT, SETTLE, ADD)}
        self._one_call = True

    async def read(self, keys: Sequence[str]) -> list[dict[str, str] | ServiceError]:
        """Answer the fields of each hash, or why this key alone has none; an empty one is not there."""
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

    async def settle(self, settled: Sequence[Settled]) -> None:
        """Take announcements off the pending ones; a hash with none left expires by its ttl again."""
        asked = [
            (
                _milliseconds(each.ttl),
                [text for pair in each.sent for text in pair],
                [text for pair in each.parked for text in pair],
            )
            for each in settled
        ]
        await self._run(SETTLE, [each.key for each in settled], asked)

    async def add(self, members: Mapping[str, Sequence[str]], ttl: float) -> list[ServiceError | None]:
        """Add members to each set, by its key, which lives *ttl* seconds from now; answer why a set takes none."""
        asked = [(_milliseconds(ttl), texts) for texts in members.values()]
        answers = await self._run(ADD, list(members), asked)
        return [answer if isinstance(answer, ServiceError) else None for answer in answers]

    async def members(self, key: str) -> set[str]:
        """Answer a set's members."""
        (members,) = await self._pipeline(lambda pipe: pipe.smembers(key))
        return set(_good(members))

    async def remove(self, key: str, members: Sequence[str]) -> None:
        """Take members out of a set."""
        (removed,) = await self._pipeline(lambda pipe: pipe.srem(key, *members))
        _good(removed)

    async def scan(self, prefix: str, cursor: str = "") -> tuple[list[str], str]:
        """Answer some keys of the hashes that begin with *prefix* and do not expire, as what owes does not."""
        keys, following = await self.keys(prefix, cursor)
        lives = await self._pipeline(lambda pipe: [pipe.pttl(key) for key in keys]) if keys else []
        lasting = [key for key, life in zip(keys, lives, strict=True) if life == _FOR_EVER]
        return lasting, following

    async def keys(self, prefix: str, cursor: str = "") -> tuple[list[str], str]:
        """Answer some keys of hashes that begin with *prefix*, and where to go on, empty when all were seen."""
        (answer,) = await self._pipeline(
            lambda pipe: pipe.scan(int(cursor or "0"), f"{_literal(prefix)}*", SCAN, "HASH")  # pyright: ignore[reportUnknownMemberType]  # redis-py's own
        )
        following, keys = _good(answer)
        return keys, str(following) if following else ""

    async def info(self) -> dict[str, str]:
        """Answer what the server says of itself, as INFO names it."""
        (text,) = await self._pipeline(lambda pipe: pipe.info())  # pyright: ignore[reportUnknownMemberType]  # redis-py's own
        return {str(name): str(value) for name, value in _good(text).items()}

    async def ping(self) -> None:
        """Return when the store answers."""
        await self._pipeline(lambda pipe: pipe.ping())  # pyright: ignore[reportUnknownMemberType]  # redis-py's own

    async def _run(
        self, script: str, keys: Sequence[str], asked: Sequence[object] = (), replicas: int = 0
    ) -> list[Any]:
        """Run *script* on all *keys* in one round trip; answer each key's answer, or the error that is its alone.

        When it returns, *replicas* have what it wrote.
        """
        # Behind an endpoint with several slots a call may speak of one key only.
        step = len(keys) if self._one_call else 1
        sha = self._scripts[script]

        def ask(pipe: Pipeline) -> None:
            for start in range(0, len(keys), step):
                part = keys[start : start + step]
                pipe.evalsha(sha, len(part), *part, msgspec.msgpack.encode(asked[start : start + step]))
            if replicas:
                # WAIT speaks of the writes of its own connection only, so it goes with them.
                pipe.execute_command("WAIT", replicas, int(TIMEOUT * 500))  # pyright: ignore[reportUnknownMemberType]  # redis-py's own

        try:
            answers = await self._pipeline(ask)
        except ServiceError as error:
            if not self._one_call or "CrossSlot" not in error.detail:
                raise
            self._one_call = False
            return await self._run(script, keys, asked, replicas)
        if replicas and _good(answers.pop()) < replicas:
            raise ServiceError("Redis", Fault.TRANSIENT, f"fewer than {replicas} replicas have the commit")
        return [
            one_keys(each) if isinstance(each, RedisError) else each
            for answer in answers
            for each in _good(answer)
        ]

    async def _pipeline(self, ask: Callable[[Pipeline], object]) -> list[Any]:
        """Send all that *ask* queues in one round trip; answer each answer, or the error that is its alone.

        A server that lost our scripts is taught them again. What may heal is raised, for the whole of it.
        """
        answers = await self._execute(ask)
        if any(isinstance(answer, ReadOnlyError) for answer in answers):
            # A failover made this server a replica: new connections find the new master.
            await self._client.connection_pool.disconnect()
        if any(isinstance(answer, NoScriptError) for answer in answers):
            loads = await self._execute(lambda pipe: [pipe.script_load(text) for text in self._scripts])
            for refused in (answer for answer in loads if isinstance(answer, RedisError)):
                raise service_error(refused) from refused
            answers = await self._execute(ask)
        return [one_keys(answer) if isinstance(answer, RedisError) else answer for answer in answers]

    async def _execute(self, ask: Callable[[Pipeline], object]) -> list[Any]:
        try:
            async with self._places, self._client.pipeline(transaction=False) as pipe:
                ask(pipe)
                return list(await pipe.execute(raise_on_error=False))
        except RedisError as error:
            raise service_error(error) from error


@asynccontextmanager
async def open_redis(url: str, *, replicas: int = 0) -> AsyncGenerator[RedisStore]:
    """Open the store at *url*. Raises `ConfigError` for a URL that means nothing; connects at the first call."""
    try:
        client = Redis.from_url(  # pyright: ignore[reportUnknownMemberType]  # redis-py's own
            url,
            decode_responses=True,
            # What others wrote into a hash may be no text; it must not end the batch that reads it.
            encoding_errors="backslashreplace",
            socket_timeout=TIMEOUT,
            socket_connect_timeout=TIMEOUT,
            # Every wait of ours is counted above this client: its own retries would hide an outage for a minute.
            retry=Retry(NoBackoff(), 0),
            client_name="streamapp",
        )
    except ValueError as error:
        raise ConfigError(f"REDIS_URL: {error}") from error
    try:
        yield RedisStore(client, replicas=replicas)
    finally:
        await client.aclose()


def _good(answer: Any) -> Any:  # noqa: ANN401 - Redis's answer
    if isinstance(answer, ServiceError):
        raise answer
    return answer


def _literal(text: str) -> str:
    """Answer the pattern that matches *text* alone."""
    return re.sub(r"([*?\[\]\\])", r"\\\1", text)


def _milliseconds(seconds: float | None) -> int:
    return 0 if seconds is None else max(1, int(seconds * 1000))
