"""Counts by queue and name."""

from streamapp.observe.counters import Counters


def test_counts_are_read_by_queue_and_by_name_and_in_all() -> None:
    """Metrics need them by queue, the summary at the end in all, and reading must not reset them."""
    counters = Counters()
    counters.add("orders", "ok", 2)
    counters.add("orders", "dead")
    counters.add("payments", "ok")

    for _ in range(2):
        assert (counters.of("ok"), counters.of("ok", "orders"), counters.of("lost")) == (3, 2, 0)
        assert counters.in_queue("orders") == {"ok": 2, "dead": 1}
        assert counters.words() == {"ok": 3, "dead": 1}
        assert counters.counts()["payments", "ok"] == 1


def test_what_has_begun_is_counted_from_0() -> None:
    """A series that begins with its first event has no increase."""
    counters = Counters()
    counters.add("orders", "ok")

    counters.begin("orders", ["ok", "dead"])

    assert counters.counts() == {("orders", "ok"): 1, ("orders", "dead"): 0}
    assert counters.words() == counters.in_queue("orders") == {"ok": 1}
