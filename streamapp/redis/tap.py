"""The tap in Redis or Valkey: one capped stream a queue, many records an entry."""

import time
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from anyio import current_time, sleep
from redis.exceptions import RedisError

from streamapp.observe.presence import TTL, Presence, read_presence
from streamapp.observe.tap_writer import Entry
from streamapp.redis.errors import service_error
from streamapp.redis.servers import Servers
from streamapp.redis.topology import Command
from streamapp.redis.url import open_servers

LONGEST_WAIT = 5.0
"""Seconds that one read waits for news, at most."""

LOOK = 0.1
"""Seconds between two looks for news in a cluster, whose streams cannot be waited for together."""

ENTRIES = 100
"""Entries of a stream that one read takes, at most."""

FORGOTTEN = 3600.0
"""Seconds after which a worker that said no more is forgotten."""

FIELD = "r"
"""Field of an entry that holds its records, one JSON a line."""

Page = list[tuple[str, str]]
"""(entry id, records as JSON lines) in the order in which they were written."""


class RedisTap:
    """Writes and reads the tap, and the presence of workers.

    The streams `{prefix}tap:{queue}`, the set `{prefix}taps` of their queues, the hash `{prefix}workers`. Every call raises only `ServiceError`.
    """

    def __init__(self, servers: Servers, prefix: str) -> None:
        self._servers = servers
        self._prefix = prefix
        self._known: set[str] = set()

    async def append(self, entries: Sequence[Entry]) -> None:
        """Append each entry to its queue's stream, in one round trip; the oldest ones fall off."""
        asked: list[Command] = [
            ("SADD", self._index, entry.queue) for entry in entries if entry.queue not in self._known
        ]
        asked += [
            ("XADD", self._stream(entry.queue), "MAXLEN", "~", entry.keep, "*", FIELD, entry.lines)
            for entry in entries
        ]
        await self._ask(*asked)
        self._known.update(entry.queue for entry in entries)

    async def queues(self) -> list[str]:
        """Return the queues that a worker has ever written of, sorted."""
        (names,) = await self._ask(("SMEMBERS", self._index))
        return sorted(names)

    async def last_id(self, queue: str) -> str:
        """Return the id of the newest entry; `0-0` where there is none."""
        newest = await self.back(queue, "+", 1)
        return newest[0][0] if newest else "0-0"

    async def back(self, queue: str, until: str, count: int) -> Page:
        """Return the last *count* entries up to the id *until*, which is included unless it begins with `(`."""
        (page,) = await self._ask(("XREVRANGE", self._stream(queue), until, "-", "COUNT", count))
        return _page(reversed(page or ()))

    async def after(self, positions: Mapping[str, str], wait: float) -> dict[str, Page]:
        """Return what was written to each queue after the id that it is at, waiting up to *wait* seconds for any."""
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

    async def _read(self, positions: Mapping[str, str], *block: str | int) -> dict[str, Page]:
        """Return what was written after *positions*: those of a *block* in one command, which waits for any."""
        asked = [positions] if block else [{queue: position} for queue, position in positions.items()]
        answers = await self._ask(
            *[
                ("XREAD", "COUNT", ENTRIES, *block, "STREAMS", *map(self._stream, some), *some.values())
                for some in asked
            ]
        )
        begins = self._stream("")
        return {
            stream.removeprefix(begins): _page(page) for answer in answers for stream, page in answer or ()
        }

    async def beat(self, presence: Presence) -> None:
        """Say that a worker is there, and forget those who have long been silent."""
        await self._ask(("HSET", self._workers, presence.worker, presence.encode()))
        gone = [it.worker for it in await self._heard() if it.said < presence.said - FORGOTTEN]
        if gone:
            await self._ask(("HDEL", self._workers, *gone))

    async def leave(self, worker: str) -> None:
        """Take back that a worker is there."""
        await self._ask(("HDEL", self._workers, worker))

    async def workers(self) -> list[Presence]:
        """Return the workers that are there, by id: those that have said so within `TTL` seconds."""
        now = time.time()
        return [it for it in await self._heard() if it.said > now - TTL]

    async def _heard(self) -> list[Presence]:
        (answer,) = await self._ask(("HGETALL", self._workers))
        found = [presence for text in answer.values() if (presence := read_presence(text))]
        return sorted(found, key=lambda presence: presence.worker)

    async def _ask(self, *commands: Command) -> list[Any]:
        """Return each command's answer, in one round trip."""
        answers = await self._servers.ask(commands)
        for refused in (answer for answer in answers if isinstance(answer, RedisError)):
            raise service_error(refused) from refused
        return answers

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
    """Open the tap at *url*. Raises `ConfigError` for a URL that means nothing; connects at the first call."""
    async with open_servers(url, name="streamapp-tap", longest=LONGEST_WAIT) as servers:
        yield RedisTap(servers, prefix)


def _page(entries: Iterable[Any]) -> Page:
    # An entry that was deleted meanwhile has no fields, one of another program's has other ones.
    return [(identity, fields.get(FIELD, "") if fields else "") for identity, fields in entries]
