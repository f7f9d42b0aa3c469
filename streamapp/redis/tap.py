"""The tap and the presence of workers in Redis or Valkey: one capped stream for each queue, many records an entry."""

import time
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from anyio import current_time, sleep
from redis.exceptions import RedisError

from streamapp.observe.presence import TTL, Presence, read_presence
from streamapp.observe.tap_reader import StoredEntries
from streamapp.observe.tap_writer import TapEntry
from streamapp.redis.errors import service_error
from streamapp.redis.servers import RedisServers
from streamapp.redis.topology import Command
from streamapp.redis.url import open_servers

LONGEST_WAIT = 5.0
"""Seconds that one read waits for new entries at most."""

LOOK = 0.1
"""Seconds between two reads in a cluster, where no command can wait for streams of several slots."""

ENTRIES = 100
"""Entries of a stream that one read returns at most."""

FORGOTTEN = 3600.0
"""Seconds after which the report of a worker that has stopped reporting is removed."""

FIELD = "r"
"""Field of an entry with its records, one JSON for each line."""


class RedisTap:
    """Writes and reads the tap, and the presence of workers.

    They are in the streams `{prefix}tap:{queue}`, the set `{prefix}taps` of their queues, and the hash
    `{prefix}workers`. Every call raises only `ServiceError`.
    """

    def __init__(self, servers: RedisServers, prefix: str) -> None:
        self._servers = servers
        self._prefix = prefix
        self._known: set[str] = set()

    async def append(self, entries: Sequence[TapEntry]) -> None:
        """Append each entry to its queue's stream, in one round trip; the oldest entries are removed."""
        commands: list[Command] = [
            ("SADD", self._index, entry.queue) for entry in entries if entry.queue not in self._known
        ]
        commands += [
            ("XADD", self._stream(entry.queue), "MAXLEN", "~", entry.keep, "*", FIELD, entry.lines)
            for entry in entries
        ]
        await self._run(*commands)
        self._known.update(entry.queue for entry in entries)

    async def queues(self) -> list[str]:
        """Return the queues that have ever had an entry, sorted."""
        (names,) = await self._run(("SMEMBERS", self._index))
        return sorted(names)

    async def last_id(self, queue: str) -> str:
        """Return the id of the newest entry; `0-0` if there is none."""
        newest = await self.up_to(queue, "+", 1)
        return newest[0][0] if newest else "0-0"

    async def up_to(self, queue: str, until: str, count: int) -> StoredEntries:
        """Return the last *count* entries up to the id *until*, which is included unless it begins with `(`."""
        (entries,) = await self._run(("XREVRANGE", self._stream(queue), until, "-", "COUNT", count))
        return _stored(reversed(entries or ()))

    async def after(self, positions: Mapping[str, str], wait: float) -> dict[str, StoredEntries]:
        """Return the entries after each queue's position, an id; wait up to *wait* seconds if there are none."""
        if not positions:
            await sleep(wait)
            return {}
        wait = min(wait, LONGEST_WAIT)
        if not await self._servers.is_cluster():
            return await self._read(positions, "BLOCK", max(1, int(wait * 1000)))
        deadline = current_time() + wait
        found = await self._read(positions)
        while not found and current_time() < deadline:
            await sleep(LOOK)
            found = await self._read(positions)
        return found

    async def _read(self, positions: Mapping[str, str], *block: str | int) -> dict[str, StoredEntries]:
        """Return the entries after *positions*. With *block* it is one command, which waits for the first entry."""
        commands = [positions] if block else [{queue: position} for queue, position in positions.items()]
        replies = await self._run(
            *[
                ("XREAD", "COUNT", ENTRIES, *block, "STREAMS", *map(self._stream, some), *some.values())
                for some in commands
            ]
        )
        prefix = self._stream("")
        return {
            stream.removeprefix(prefix): _stored(entries)
            for reply in replies
            for stream, entries in reply or ()
        }

    async def beat(self, presence: Presence) -> None:
        """Store the report of a worker, and remove reports that are older than `FORGOTTEN`."""
        await self._run(("HSET", self._workers, presence.worker, presence.encode()))
        gone = [it.worker for it in await self._reports() if it.said < presence.said - FORGOTTEN]
        if gone:
            await self._run(("HDEL", self._workers, *gone))

    async def leave(self, worker: str) -> None:
        """Remove the report of a worker."""
        await self._run(("HDEL", self._workers, worker))

    async def workers(self) -> list[Presence]:
        """Return the workers that run, sorted by id: those that have reported within `TTL` seconds."""
        now = time.time()
        return [it for it in await self._reports() if it.said > now - TTL]

    async def _reports(self) -> list[Presence]:
        (reply,) = await self._run(("HGETALL", self._workers))
        found = [presence for text in reply.values() if (presence := read_presence(text))]
        return sorted(found, key=lambda presence: presence.worker)

    async def _run(self, *commands: Command) -> list[Any]:
        """Return each command's reply, in one round trip."""
        replies = await self._servers.run(commands)
        for refused in (reply for reply in replies if isinstance(reply, RedisError)):
            raise service_error(refused) from refused
        return replies

    @property
    def _index(self) -> str:
        return f"{self._prefix}taps"

    @property
    def _workers(self) -> str:
        return f"{self._prefix}workers"

    def _stream(self, queue: str) -> str:
        return f"{self._prefix}tap:{queue}"


@asynccontextmanager
async def open_tap(url: str, prefix: str) -> AsyncGenerator[RedisTap]:
    """Open the tap at *url*; it connects at the first call. Raises `ConfigError` for an invalid URL."""
    async with open_servers(url, name="streamapp-tap", longest=LONGEST_WAIT) as servers:
        yield RedisTap(servers, prefix)


def _stored(entries: Iterable[Any]) -> StoredEntries:
    # An entry that was deleted meanwhile has no fields; an entry of another program has other ones.
    return [(entry_id, fields.get(FIELD, "") if fields else "") for entry_id, fields in entries]
