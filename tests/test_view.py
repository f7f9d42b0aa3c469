"""State that is read from outside a worker."""

import msgspec
import pytest

from streamapp import App, Config, open_view
from streamapp.errors import ServiceError
from streamapp.redis.store import RedisStore
from streamapp.state.store import Commit


class Count(msgspec.Struct, frozen=True):
    """A state."""

    total: int = 0


def add(state: Count | None, n: int) -> Count:
    """Add *n*."""
    return Count((state.total if state else 0) + n)


counts = App("view").table("count", Count, fold=add)


async def test_a_view_reads_what_a_worker_has_committed(
    redis_url: str, store: RedisStore, prefix: str
) -> None:
    """A service beside the worker must see the same states, with their types."""
    config = Config(redis_url=redis_url, key_prefix=f"{prefix}:")
    await store.commit([Commit(counts.redis_key(config.key_prefix, "a"), "", "t1", {"total": "3"}, ttl=60)])

    async with open_view(config) as view:
        one, many = await view.get(counts, "a"), await view.get_many(counts, ["b", "a"])

    assert one == Count(3)
    assert many == [None, Count(3)]


async def test_a_view_of_a_store_that_is_away_raises(prefix: str) -> None:
    """No state and no answer are not the same."""
    async with open_view(Config(redis_url="redis://127.0.0.1:1/0", key_prefix=f"{prefix}:")) as view:
        with pytest.raises(ServiceError):
            await view.ping()
        with pytest.raises(ServiceError):
            await view.get(counts, "a")
