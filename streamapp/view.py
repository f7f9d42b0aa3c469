"""Read states outside a worker, for example in a web service: typed, and without a way to change them."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import msgspec

from streamapp.config import Config
from streamapp.declared.table import Table
from streamapp.errors import ServiceError
from streamapp.redis.store import RedisStore, open_redis

S = TypeVar("S", bound=msgspec.Struct)


class View:
    """Reads the states of tables as they are committed."""

    def __init__(self, store: RedisStore, prefix: str) -> None:
        self._store = store
        self._prefix = prefix

    async def get(self, table: Table[S, Any], key: str) -> S | None:
        """Return the state of *key*, None if there is none. Raises `ServiceError`."""
        (state,) = await self.get_many(table, [key])
        return state

    async def get_many(self, table: Table[S, Any], keys: Sequence[str]) -> list[S | None]:
        """Return the state of each key, in one round trip. Raises `ServiceError`."""
        hashes = await self._store.read([table.redis_key(self._prefix, key) for key in keys])
        return [self._state(table, fields) for fields in hashes]

    async def ping(self) -> None:
        """Return when Redis responds. Raises `ServiceError`."""
        await self._store.ping()

    def _state(self, table: Table[S, Any], fields: "dict[str, str] | ServiceError") -> S | None:
        if isinstance(fields, ServiceError):
            raise fields
        state: S | None = table.folding.hash_codec.read(fields)
        return state


@asynccontextmanager
async def open_view(config: Config) -> AsyncGenerator[View]:
    """Open a view of the state of workers with the same settings; it connects at the first read."""
    async with open_redis(config.redis_url) as store:
        yield View(store, config.key_prefix)
