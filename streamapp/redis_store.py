"""The state store in Redis or Valkey: the only module that knows the Redis client."""

import re
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from anyio import Semaphore
from redis.asyncio import Redis
from redis.asyncio.client import Pipeline
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import (
    AuthenticationError,
    ClusterDownError,
    DataError,
    MasterDownError,
    NoPermissionError,
    NoScriptError,
    ReadOnlyError,
    RedisError,
    ResponseError,
    TryAgainError,
)
from redis.exceptions import (
    ConnectionError as RedisConnectionError,
)
from redis.exceptions import (
    TimeoutError as RedisTimeoutError,
)

from streamapp.errors import ConfigError, Fault, ServiceError
from streamapp.store import PARKED, PENDING, Commit, Settled

TIMEOUT = 2.0
"""Seconds to reach Redis, and to wait for an answer; ten times what a busy server needs."""

CONNECTIONS = 32
"""Calls under way at once; more would only wait in Redis, which does one after the other."""

SCAN = 500
"""Keys that one step of a scan looks at: some 0.2 ms of a server that serves others meanwhile."""

# ARGV: token seen, new token, ttl in ms (0: for ever), 1 to keep, number of fields to set, field, value, ...,
# fields to unset. A client repeats a call whose answer was lost, so finding its own token is success too; it is
# written again all the same, because WAIT speaks only of what its own connection wrote.
_COMMIT = """
local token = redis.call('HGET', KEYS[1], '_t') or ''
if token == ARGV[2] then redis.call('HSET', KEYS[1], '_t', token) return 1 end
if token ~= ARGV[1] then return 0 end
local last = 5 + 2 * tonumber(ARGV[5])
redis.call('HSET', KEYS[1], '_t', ARGV[2], unpack(ARGV, 6, last))
if #ARGV > last then redis.call('HDEL', KEYS[1], unpack(ARGV, last + 1)) end
if ARGV[4] == '1' or ARGV[3] == '0' then redis.call('PERSIST', KEYS[1])
else redis.call('PEXPIRE', KEYS[1], ARGV[3]) end
return 1
"""

# ARGV: ttl in ms, number sent, id, mark, ..., then id, mark, ... of those to park.
_SETTLE = """
local last = 2 + 2 * tonumber(ARGV[2])
for i = 3, #ARGV, 2 do
  local body = redis.call('HGET', KEYS[1], '_o:' .. ARGV[i])
  if body and string.sub(body, 1, #ARGV[i + 1]) == ARGV[i + 1] then
    if i > last then redis.call('HSET', KEYS[1], '_x:' .. ARGV[i], body) end
    redis.call('HDEL', KEYS[1], '_o:' .. ARGV[i])
  end
end
if ARGV[1] == '0' then return 0 end
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
  if string.sub(field, 1, 3) == '_o:' then return 0 end
end
return redis.call('PEXPIRE', KEYS[1], ARGV[1])
"""
_FOR_EVER = -1  # PTTL's answer

assert PENDING == "_o:"  # noqa: S101 - the scripts above spell both out
assert PARKED == "_x:"  # noqa: S101


class RedisStore:
    """State in Redis. With *replicas*, a commit counts as durable once that many replicas have it."""

    def __init__(self, client: Redis, *, replicas: int = 0) -> None:
        self._client = client
        self._replicas = replicas
        # The client raises when its pool of 100 is used up, which would look like an outage.
        self._places = Semaphore(CONNECTIONS, fast_acquire=True)
        self._commit = client.register_script(_COMMIT)
        self._settle = client.register_script(_SETTLE)

    async def read(self, keys: Sequence[str]) -> list[dict[str, str] | ServiceError]:
        """Answer the fields of each hash, or why this key alone has none; an empty one is not there."""
        return list(await self._pipeline(lambda pipe: [pipe.hgetall(key) for key in keys]))

    async def commit(self, commits: Sequence[Commit]) -> list[bool | ServiceError]:
        """Make each change; False where somebody else's came first. When this returns, they are durable."""

        def ask(pipe: Pipeline) -> None:
            for commit in commits:
                pipe.evalsha(self._commit.sha, 1, commit.key, *_arguments(commit))
            if self._replicas:
                # WAIT speaks of the writes of its own connection only, so it goes with them.
                pipe.execute_command("WAIT", self._replicas, int(TIMEOUT * 500))  # pyright: ignore[reportUnknownMemberType]  # redis-py's own

        answers = await self._pipeline(ask)
        if self._replicas and _good(answers.pop()) < self._replicas:
            raise ServiceError(
                "Redis", Fault.TRANSIENT, f"fewer than {self._replicas} replicas have the commit"
            )
        return [answer if isinstance(answer, ServiceError) else answer == 1 for answer in answers]

    async def settle(self, settled: Sequence[Settled]) -> None:
        """Take announcements off the pending ones; a hash with none left expires by its ttl again."""

        def ask(pipe: Pipeline) -> None:
            for each in settled:
                arguments: list[str | int] = [
                    _milliseconds(each.ttl),
                    len(each.sent),
                    *(text for pair in (*each.sent, *each.parked) for text in pair),
                ]
                pipe.evalsha(self._settle.sha, 1, each.key, *arguments)

        await self._pipeline(ask)

    async def add(self, keys: Sequence[str], member: str, ttl: float) -> None:
        """Add a member to each set, which lives *ttl* seconds from now."""

        def ask(pipe: Pipeline) -> None:
            for key in keys:
                pipe.sadd(key, member)
                pipe.pexpire(key, _milliseconds(ttl))

        for answer in await self._pipeline(ask):
            _good(answer)

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
        (answer,) = await self._pipeline(
            lambda pipe: pipe.scan(int(cursor or "0"), f"{_literal(prefix)}*", SCAN, "HASH")  # pyright: ignore[reportUnknownMemberType]  # redis-py's own
        )
        following, keys = _good(answer)
        lives = await self._pipeline(lambda pipe: [pipe.pttl(key) for key in keys]) if keys else []
        lasting = [key for key, life in zip(keys, lives, strict=True) if life == _FOR_EVER]
        return lasting, str(following) if following else ""

    async def info(self) -> dict[str, str]:
        """Answer what the server says of itself, as INFO names it."""
        (text,) = await self._pipeline(lambda pipe: pipe.info())  # pyright: ignore[reportUnknownMemberType]  # redis-py's own
        return {str(name): str(value) for name, value in _good(text).items()}

    async def ping(self) -> None:
        """Return when the store answers."""
        await self._pipeline(lambda pipe: pipe.ping())  # pyright: ignore[reportUnknownMemberType]  # redis-py's own

    async def _pipeline(self, ask: Callable[[Pipeline], object]) -> list[Any]:
        """Send all that *ask* queues in one round trip; answer each answer, or the error that is its alone.

        A server that lost our scripts is taught them again. What may heal is raised, for the whole of it.
        """
        answers = await self._execute(ask)
        if any(isinstance(answer, ReadOnlyError) for answer in answers):
            # A failover made this server a replica: new connections find the new master.
            await self._client.connection_pool.disconnect()
        if any(isinstance(answer, NoScriptError) for answer in answers):
            loads = await self._execute(lambda pipe: [pipe.script_load(_COMMIT), pipe.script_load(_SETTLE)])
            for refused in (answer for answer in loads if isinstance(answer, RedisError)):
                raise service_error(refused) from refused
            answers = await self._execute(ask)
        return [_ours(answer) if isinstance(answer, RedisError) else answer for answer in answers]

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


_CAPACITY = ("OOM", "MISCONF")
_CONFIGURATION = (
    *("NOAUTH", "WRONGPASS", "NOPERM", "CROSSSLOT", "WRONGTYPE"),
    "HELLO must be called with the client already authenticated",  # the client makes a lost connection of it
    "ACL failure in script",  # Valkey's words for NOPERM within one
    "The user executing the script can't",  # and Redis's
)


def fault_of(error: RedisError) -> Fault:  # noqa: PLR0911 - one a class
    """Answer the class of a Redis error; what is unknown is a request that will never succeed."""
    words = str(error)
    if isinstance(error, (AuthenticationError, NoPermissionError)) or any(
        it in words for it in _CONFIGURATION
    ):
        return Fault.CONFIGURATION
    if isinstance(error, (RedisConnectionError, RedisTimeoutError)):
        return Fault.TRANSIENT
    if isinstance(error, (ReadOnlyError, MasterDownError, ClusterDownError, TryAgainError)):
        # The client takes the code off the text of errors that it has a class for.
        return Fault.TRANSIENT
    if isinstance(error, DataError):
        return Fault.SENDER
    if any(word in words for word in _CAPACITY) or type(error).__name__ == "OutOfMemoryError":
        return Fault.CAPACITY
    transient = ("LOADING", "BUSY", "TRYAGAIN", "CLUSTERDOWN", "MASTERDOWN", "NOREPLICAS", "READONLY")
    if any(word in words for word in transient) or not isinstance(error, ResponseError):
        return Fault.TRANSIENT
    return Fault.SENDER


def _ours(error: RedisError) -> ServiceError:
    """Answer *error* as one key's own, or raise it where it speaks of the whole server."""
    ours = service_error(error)
    if ours.heals or "WRONGTYPE" not in str(error):
        raise ours from error
    return ours


def service_error(error: RedisError) -> ServiceError:
    """Answer *error* as one of ours."""
    return ServiceError("Redis", fault_of(error), _detail(error))


def _good(answer: Any) -> Any:  # noqa: ANN401 - Redis's answer
    if isinstance(answer, ServiceError):
        raise answer
    return answer


def _literal(text: str) -> str:
    """Answer the pattern that matches *text* alone."""
    return re.sub(r"([*?\[\]\\])", r"\\\1", text)


def _arguments(commit: Commit) -> list[str | int]:
    fields = [text for pair in commit.put.items() for text in pair]
    ttl = _milliseconds(commit.ttl)
    return [commit.seen, commit.token, ttl, int(commit.keep), len(commit.put), *fields, *commit.drop]


def _milliseconds(seconds: float | None) -> int:
    return 0 if seconds is None else max(1, int(seconds * 1000))


def _detail(error: RedisError) -> str:
    # Server texts begin with a code; the rest may hold what was sent.
    if isinstance(error, ResponseError):
        return f"{type(error).__name__} {str(error).split(' ', 1)[0]}"
    return (
        f"{type(error).__name__}: {error}"
        if isinstance(error, RedisConnectionError)
        else type(error).__name__
    )
