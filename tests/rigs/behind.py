"""A look behind the store's back, at one server or at a cluster."""

from typing import Any

from redis.asyncio import Redis, RedisCluster

import redis


def client(url: str, **options: Any) -> Any:
    """Return a client for *url*, which asks the whole of a cluster if it names several members."""
    first, *others = url.removesuffix("/0").split(",")
    return RedisCluster.from_url(first, **options) if others else Redis.from_url(url, **options)


def blocking(url: str, **options: Any) -> Any:
    """Return one that does not know async."""
    first, *others = url.removesuffix("/0").split(",")
    return (redis.RedisCluster if others else redis.Redis).from_url(first if others else url, **options)
