"""What is unwise in the settings, Redis and workers, each with its cure. Plain functions that make no calls."""

import re
from collections.abc import Iterator, Mapping, Sequence

from streamapp.config import Config
from streamapp.observe.presence import Presence, dropped_records
from streamapp.redis.url import redis_cli
from streamapp.sqs.queue_flaws import Flaw

OLDEST_REDIS = (6, 2)
"""The oldest version that has what our scripts and streams use."""

MOST_SKEW = 60.0
"""Seconds between our clock and another; SQS refuses signatures at 300."""

LONGEST_PENDING = 120.0
"""Seconds after which no worker has a pending announcement in hand any more, so that it waits for a sweep."""

KILLED_AFTER = 30.0
"""Seconds that ECS and Kubernetes wait after SIGTERM by default."""


def settings_flaws(config: Config, longest_timeout: float) -> Iterator[Flaw]:
    """Return the flaws of settings that do not fit together. *longest_timeout* is that of the agents, 0 without one."""
    needed = min(config.wait_seconds, 20) + longest_timeout + 5
    if config.drain_timeout < needed:
        yield Flaw(
            f"a drain of {config.drain_timeout:g} s cuts off polls of {config.wait_seconds:g} s and what they bring",
            f"STREAMAPP_DRAIN_TIMEOUT={needed:g}",
        )
    if config.drain_timeout >= KILLED_AFTER:
        yield Flaw(
            f"a drain of {config.drain_timeout:g} s: ECS and Kubernetes kill after {KILLED_AFTER:g} s",
            "STREAMAPP_DRAIN_TIMEOUT=25, or a longer stopTimeout or terminationGracePeriodSeconds",
        )
    if config.wait_seconds < 1:
        yield Flaw(
            "short polls: each costs as much as a long one, and misses messages", "STREAMAPP_WAIT_SECONDS=10"
        )


def redis_flaws(info: Mapping[str, str], config: Config) -> Iterator[Flaw]:
    """Return the flaws of Redis or Valkey, from its INFO."""
    version = info.get("redis_version", "0")
    if tuple(int(part) for part in re.findall(r"\d+", version)[:2]) < OLDEST_REDIS:
        yield Flaw(f"version {version} is too old", "use Redis 6.2 or newer, or Valkey", is_problem=True)
    policy, limit = info.get("maxmemory_policy", "noeviction"), int(info.get("maxmemory", "0"))
    if policy != "noeviction":
        yield Flaw(
            f"maxmemory-policy {policy} can evict state" + ("" if limit else " once maxmemory is set"),
            f"{redis_cli(config.redis_url)} CONFIG SET maxmemory-policy noeviction",
            is_problem=limit > 0,
        )
    if limit and int(info.get("used_memory", "0")) > 0.9 * limit:
        yield Flaw("over 90 % of maxmemory is used: soon nothing can be stored", "raise maxmemory")
    if info.get("aof_enabled", "0") == "0":
        yield Flaw(
            "append-only is off: a crash of Redis forgets state",
            f"{redis_cli(config.redis_url)} CONFIG SET appendonly yes",
        )
    if info.get("role", "master") != "master":
        yield Flaw("it is a replica: it takes no writes", "set REDIS_URL to the master", is_problem=True)
    if int(info.get("connected_slaves", "0")) < config.replicas:
        yield Flaw(
            f"{info.get('connected_slaves', '0')} replicas, STREAMAPP_DURABILITY asks for {config.replicas}: "
            "nothing will be announced",
            "attach a replica, or STREAMAPP_DURABILITY=local",
            is_problem=True,
        )


def skew_flaws(skew: float, whose: str) -> Iterator[Flaw]:
    """Return the flaw of a clock that is *skew* seconds ahead of ours."""
    if abs(skew) >= MOST_SKEW:
        way = "ahead of" if skew > 0 else "behind"
        yield Flaw(f"{whose} clock is {abs(skew):.0f} s {way} ours", "set the clock (NTP)", is_problem=True)


def worker_flaws(
    workers: Sequence[Presence], waiting: Mapping[str, int], agents: Mapping[str, str]
) -> Iterator[Flaw]:
    """Return the flaws of the workers that run.

    *waiting* is how many messages wait in each source queue, *agents* the name of the agent that reads it.
    """
    taken = {queue for worker in workers for queue in worker.queues}
    for queue, number in waiting.items():
        if number and queue not in taken:
            options = f" --agents {agents[queue]}" if workers else ""
            yield Flaw(
                f"{number} waiting in {queue}, and no worker is there that takes them",
                f"streamapp worker{options}",
            )
    dropped = dropped_records(workers)
    if dropped:
        yield Flaw(
            f"{dropped} records of the tap were dropped: `tail` and `show` miss them, no message does",
            "STREAMAPP_TAP=errors, if Redis is well and there are too many",
        )


def announcement_flaws(pending: int, keys: int, oldest: float, parked: Sequence[str]) -> Iterator[Flaw]:
    """Return the flaws of announcements that were not sent.

    *oldest* is the age in seconds of the oldest pending one. *parked* are the arguments with which `show` shows each
    key that holds refused announcements.
    """
    if parked:
        yield Flaw(
            f"announcements of {len(parked)} keys were refused by SQS for good: nobody was told of those changes",
            f"streamapp show {parked[0]}",
        )
    if pending and oldest > LONGEST_PENDING:
        yield Flaw(
            f"{pending} pending for {keys} keys, the oldest for {oldest:.0f} s: changes that nobody was told of",
            "streamapp worker (it sends them within 8 minutes)",
        )
