"""What is unwise in settings, Redis and workers."""

import pytest

from streamapp.cli.doctor.flaws import announcement_flaws, redis_flaws, settings_flaws, skew_flaws
from streamapp.config import Config

INFO = {
    "redis_version": "7.2.4",
    "maxmemory": "0",
    "maxmemory_policy": "noeviction",
    "aof_enabled": "1",
    "role": "master",
    "connected_slaves": "0",
}


def test_good_settings_have_no_flaw() -> None:
    """A check with false alarms is soon turned off."""
    flaws = [
        *settings_flaws(Config(), 0.0),
        *redis_flaws(INFO, Config()),
        *skew_flaws(2.0, "SQS's"),
        *announcement_flaws(3, 2, 60.0, []),
    ]

    assert flaws == []


@pytest.mark.parametrize(
    ("info", "words", "is_problem"),
    [
        ({"redis_version": "6.0.16"}, "6.0.16 is too old", True),
        ({"maxmemory_policy": "allkeys-lru"}, "once maxmemory is set", False),
        (
            {"maxmemory_policy": "allkeys-lru", "maxmemory": "100", "used_memory": "1"},
            "can evict state",
            True,
        ),
        ({"maxmemory": "100", "used_memory": "95"}, "over 90 %", False),
        ({"aof_enabled": "0"}, "append-only is off", False),
        ({"role": "slave"}, "takes no writes", True),
    ],
)
def test_flaws_of_redis(info: dict[str, str], words: str, is_problem: bool) -> None:
    """State is only as safe as its Redis."""
    (flaw,) = redis_flaws(INFO | info, Config())

    assert words in flaw.text
    assert flaw.cure
    assert flaw.is_problem is is_problem


def test_missing_replicas_are_a_problem() -> None:
    """Without them every announcement waits for ever."""
    (flaw,) = redis_flaws(INFO | {"connected_slaves": "1"}, Config(replicas=2))

    assert flaw.is_problem
    assert "STREAMAPP_DURABILITY" in flaw.text


@pytest.mark.parametrize(
    ("config", "cure"),
    [
        (Config(drain_timeout=10), "STREAMAPP_DRAIN_TIMEOUT=15"),
        (Config(drain_timeout=60), "STREAMAPP_DRAIN_TIMEOUT=25"),
        (Config(wait_seconds=0), "STREAMAPP_WAIT_SECONDS=10"),
    ],
)
def test_settings_that_do_not_fit_together(config: Config, cure: str) -> None:
    """Each is good on its own."""
    (flaw,) = settings_flaws(config, 0.0)

    assert cure in flaw.cure


def test_a_clock_that_is_a_minute_off_is_a_problem() -> None:
    """At five minutes SQS refuses all calls."""
    (ahead,) = skew_flaws(61.0, "SQS's")
    (behind,) = skew_flaws(-300.0, "Redis's")

    assert "61 s ahead" in ahead.text
    assert "300 s behind" in behind.text


def test_overdue_announcements_need_a_worker() -> None:
    """With a worker, an announcement is pending for seconds, not minutes."""
    (flaw,) = announcement_flaws(3, 2, 600.0, [])

    assert "3 pending for 2 keys, the oldest for 600 s" in flaw.text
    assert "streamapp worker" in flaw.cure


def test_refused_announcements_are_reported_by_their_key() -> None:
    """Nobody receives them without help."""
    (flaw,) = announcement_flaws(0, 0, 0.0, ["42", "43"])

    assert "2 keys were refused" in flaw.text
    assert flaw.cure == "streamapp show 42"
