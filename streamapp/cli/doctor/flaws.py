"""What is unwise in the settings of queues and of Redis, each with its cure; nobody is asked here."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import urlsplit

from streamapp.config import Config
from streamapp.messages import Queue
from streamapp.observe.presence import Presence
from streamapp.sqs.queue_flaws import CREATE, Flaw

OLDEST_REDIS = (6, 2)
"""The version that the scripts and the streams here were made for."""

MOST_SKEW = 60.0
"""Seconds between our clock and theirs; SQS refuses signatures at 300."""

LONGEST_OWED = 120.0
"""Seconds after which a pending announcement is in nobody's hand any more, and waits for a sweep."""

KILLED_AFTER = 30.0
"""Seconds that ECS and Kubernetes wait after SIGTERM, unless told otherwise."""


def letters_flaws(queue: Queue, source: Mapping[str, str], letters: Mapping[str, str]) -> Iterator[Flaw]:
    """Look at a dead-letter queue beside its *source*, by their attributes."""
    name = queue.dead_letters or ""
    if queue.fifo != (letters.get("FifoQueue") == "true"):
        kind = "FIFO" if queue.fifo else "standard"
        yield Flaw(
            f"{name} is of the other kind: the letters of a {kind} queue need one too",
            CREATE,
            is_problem=True,
        )
    kept, age = (float(it.get("MessageRetentionPeriod", 345_600)) for it in (letters, source))
    if kept <= age:
        # SQS counts the age of a letter that it moved itself from its first day.
        yield Flaw(
            f"{name} keeps letters {kept / 86_400:g} days, its source {age / 86_400:g}: letters vanish",
            CREATE,
        )
    allowed = json.loads(letters.get("RedriveAllowPolicy") or "{}")
    arns = allowed.get("sourceQueueArns", [])
    permission = allowed.get("redrivePermission", "allowAll")
    if permission == "denyAll" or (permission == "byQueue" and source.get("QueueArn") not in arns):
        yield Flaw(
            f"{name} takes no letters from it (RedriveAllowPolicy)",
            f"allow it in {name}'s RedriveAllowPolicy",
            is_problem=True,
        )
    if letters.get("RedrivePolicy"):
        yield Flaw(
            f"{name} has a redrive policy of its own: who looks at its letters moves them on", "remove it"
        )


def settings_flaws(config: Config, longest_timeout: float) -> Iterator[Flaw]:
    """Look at settings beside each other; *longest_timeout* is that of the agents, 0 where none has one."""
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
    """Look at what Redis or Valkey says of itself in INFO."""
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


def redis_cli(url: str) -> str:
    """Return how to call the server at *url*; a password is left to REDISCLI_AUTH, for it does not belong on a screen."""
    parts = urlsplit(url)
    if parts.scheme == "unix":
        return f"redis-cli -s {parts.path}"
    host, _, port = parts.netloc.rpartition("@")[2].partition(",")[0].partition(":")
    tls = " --tls" if parts.scheme.startswith("rediss") else ""
    elsewhere = (
        f" -h {host} -p {port or 6379}"
        if (host, port) not in {("localhost", ""), ("localhost", "6379")}
        else ""
    )
    number = parts.path.strip("/").rpartition("/")[2]
    database = f" -n {number}" if number not in {"", "0"} else ""
    return f"redis-cli{tls}{elsewhere}{database}"


def skew_flaws(skew: float, whose: str) -> Iterator[Flaw]:
    """Look at how many seconds another clock is ahead of ours."""
    if abs(skew) >= MOST_SKEW:
        way = "ahead of" if skew > 0 else "behind"
        yield Flaw(f"{whose} clock is {abs(skew):.0f} s {way} ours", "set the clock (NTP)", is_problem=True)


def worker_flaws(
    workers: Sequence[Presence], waiting: Mapping[str, int], streams: Mapping[str, str]
) -> Iterator[Flaw]:
    """Look at the workers that are there.

    *waiting* is how many messages wait in each source queue, *streams* what `worker --agents` calls who reads it.
    """
    taken = {queue for worker in workers for queue in worker.queues}
    for queue, number in waiting.items():
        if number and queue not in taken:
            agents = f" --agents {streams[queue]}" if workers else ""
            yield Flaw(
                f"{number} waiting in {queue}, and no worker is there that takes them",
                f"streamapp worker{agents}",
            )
    dropped = dropped_by(workers)
    if dropped:
        yield Flaw(
            f"{dropped} records of the tap were dropped: `tail` and `show` miss them, no message does",
            "STREAMAPP_TAP=errors, if Redis is well and there are too many",
        )


def dropped_by(workers: Sequence[Presence]) -> int:
    """Return how many records of the tap these workers have dropped since they started."""
    return sum(counts.get("tap_dropped", 0) for worker in workers for counts in worker.counts.values())


def owed_flaws(pending: int, keys: int, oldest: float, parked: Sequence[str]) -> Iterator[Flaw]:
    """Look at what is owed to the outside.

    *oldest* is since how many seconds, *parked* what `show` takes for each key that holds refused announcements.
    """
    if parked:
        yield Flaw(
            f"announcements of {len(parked)} keys were refused by SQS for good: nobody was told of those changes",
            f"streamapp show {parked[0]}",
        )
    if pending and oldest > LONGEST_OWED:
        yield Flaw(
            f"{pending} pending for {keys} keys, the oldest for {oldest:.0f} s: changes that nobody was told of",
            "streamapp worker (it sends them within 8 minutes)",
        )
