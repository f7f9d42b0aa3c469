"""A plain Redis client beside the store, for one server or for a cluster."""

from typing import Any

from redis.asyncio import Redis, RedisCluster

import redis


def client(url: str, **options: Any) -> Any:
    """Return a client for *url*, for the whole cluster if it names several members."""
    first, *others = url.removesuffix("/0").split(",")
    return RedisCluster.from_url(first, **options) if others else Redis.from_url(url, **options)


def blocking(url: str, **options: Any) -> Any:
    """Return a synchronous client for *url*."""
    first, *others = url.removesuffix("/0").split(",")
    return (redis.RedisCluster if others else redis.Redis).from_url(first if others else url, **options)
