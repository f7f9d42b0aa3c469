"""The tap: what it records about each message, and that it delays no message."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from anyio import Event, create_task_group

from observe.tap import EndedAttempt, recorded
from rigs.valkey import RestartableValkey
from rigs.worker import Add, Count, Parts, Rig, add, until
from streamapp.errors import Fault, Reject, Retry, ServiceError, Skip
from streamapp.observe.counters import Counters
from streamapp.observe.tap_writer import BUFFERED, PACK, Tap, TapEntry
from streamapp.redis.tap import RedisTap, open_tap
from streamapp.testing import MemoryStore


async def test_each_attempt_and_each_announcement_is_recorded_with_what_it_changed(
    rig: Rig, taps: RedisTap
) -> None:
    """It is all that an operator sees of a message."""
    rig.count()
    await rig.send([Add("a", 2), Add("a", 0), "no json"])

    await rig.work_off()

    orders = {record.outcome: record for record in await recorded(taps, "orders")}
    assert sorted(orders) == ["duplicate", "invalid", "ok"]
    done = orders["ok"]
    assert (done.key, done.attempt, done.worker, done.truncated) == ("a", 1, rig.tap.worker, False)
    assert [(it.table, it.key, it.fields) for it in done.effects] == [
        ("count", "a", {"total": (None, "2"), "times": (None, "1")})
    ]
    assert done.content == {"key": "a", "n": 2}
    assert done.sent_ms is not None
    assert done.received_ms is not None
    assert done.sent_ms - 1000 <= done.received_ms <= done.done_ms
    assert done.took_ms is not None
    assert orders["duplicate"].effects == ()
    assert (orders["invalid"].reason, orders["invalid"].content) == ("not_json", None)
    (sent,) = await recorded(taps, "out")
    assert (sent.outcome, sent.key) == ("sent", "a")
    assert sent.content == {"key_total": "2", "times": 1}


@pytest.mark.parametrize(
    ("error", "outcomes", "reason"),
    [
        (Retry(0), ["retry", "retry", "dead"], "attempts_exhausted"),
        (ValueError("secret 39053344705"), ["retry", "retry", "dead"], "attempts_exhausted"),
        (Reject("odd", "at `$`"), ["dead"], "odd"),
        (Skip("no need"), ["skipped"], None),
    ],
)
async def test_a_failure_is_recorded_with_its_reason_and_never_with_the_text_of_a_foreign_error(
    rig: Rig, taps: RedisTap, error: Exception, outcomes: list[str], reason: str | None
) -> None:
    """Operators ask why an order stands still; the text of an exception may quote a customer."""

    async def failing(events: Any) -> None:
        async for _ in events:
            raise error

    rig.agent(failing)
    await rig.send([Add("a")])

    await rig.work_off()

    records = await recorded(taps, "orders")
    assert [record.outcome for record in records] == outcomes
    assert [record.attempt for record in records] == list(range(1, len(outcomes) + 1))
    assert records[-1].reason == reason
    assert all(record.delay_s is not None for record in records if record.outcome == "retry")
    assert "39053344705" not in repr(records)


async def test_the_cure_in_an_error_of_our_own_is_recorded_beside_its_name(rig: Rig, taps: RedisTap) -> None:
    """`NoIdentity` alone does not say what to do. A dead letter has the name alone: a text may name a key of Redis."""
    once = rig.app.table("once", Count, fold=add, once=True)

    async def making(events: Any) -> None:
        async for event in events:
            await once.update(event.key, Add("made up"))

    rig.agent(making)
    await rig.send([Add("a")])

    await rig.work_off()

    told = [(record.outcome, record.reason, record.detail or "") for record in await recorded(taps, "orders")]
    assert [it[:2] for it in told] == [
        ("retry", "NoIdentity"),
        ("retry", "NoIdentity"),
        ("dead", "attempts_exhausted"),
    ]
    assert all(
        "declare the table with identity=" in detail for outcome, _, detail in told if outcome == "retry"
    )
    (letter,) = await rig.letters()
    assert letter.attributes["streamapp-detail"] == "NoIdentity"


async def test_in_a_batch_each_message_is_recorded_with_its_own_change_or_none(
    rig: Rig, taps: RedisTap
) -> None:
    """A change by another message would be misleading."""

    async def in_batches(events: Any) -> None:
        async for batch in events.take(10, within=0.2):
            for event in batch:
                await rig.counts.update(event.key, event)

    rig.agent(in_batches, instances=1)
    await rig.send([Add("a"), Add("b")])

    await rig.work_off()

    for record in await recorded(taps, "orders"):
        assert {effect.key for effect in record.effects} <= {record.key}


async def test_a_bad_message_is_recorded_without_the_effects_of_the_next_one(
    rig: Rig, taps: RedisTap
) -> None:
    """The story of an order must not tell of a message that nobody can read."""
    rig.count(instances=1)
    await rig.send([*("no json" for _ in range(5)), Add("42")])

    await rig.work_off()

    records = await recorded(taps, "orders")
    assert sorted(record.outcome for record in records) == [*["invalid"] * 5, "ok"]
    for record in records:
        expected = ("42", ["42"]) if record.outcome == "ok" else (None, [])
        assert (record.key, [effect.key for effect in record.effects]) == expected


async def test_in_a_batch_a_message_has_not_the_change_of_another_of_the_same_key(
    rig: Rig, taps: RedisTap
) -> None:
    """Two events of one order are two changes, and each has one cause; an event of the agent's own has its key."""

    async def in_batches(events: Any) -> None:
        async for batch in events.take(10, within=0.2):
            for event in batch:
                await rig.counts.update(event.key, event)
            await rig.counts.update("b", Add("b", 7))

    rig.agent(in_batches, instances=1)
    await rig.send([Add("a", 1), Add("a", 2), Add("b", 4), "no json"])

    await rig.work_off()

    found = {
        record.content["n"]: [effect.key for effect in record.effects]
        for record in await recorded(taps, "orders")
        if record.content is not None
    }
    assert found == {1: ["a"], 2: ["a"], 4: ["b", "b"]}


async def test_each_attempt_at_a_message_that_waits_in_hand_is_recorded_as_it_was(prefix: str) -> None:
    """A message of a FIFO group is tried again before its record is written."""
    rig = await Rig(MemoryStore(), prefix).create(fifo=True)
    kept = rig.keep_records()

    async def failing(events: Any) -> None:
        async for _ in events:
            raise Retry(0)

    rig.agent(failing)
    await rig.send_in_groups([Add("a")])

    await rig.work_off()

    assert [(it["outcome"], it.get("attempt", 1)) for it in kept.records] == [
        ("retry", 1),
        ("retry", 2),
        ("dead", 3),
    ]


async def test_a_body_with_a_bad_part_is_recorded_as_invalid_with_what_its_good_parts_changed(
    rig: Rig, taps: RedisTap
) -> None:
    """The good parts stay applied, so the history of their order must show them."""
    rig.count(codec=Parts())
    await rig.send(['[{"key": "a"}, "bad"]'])

    await rig.work_off()

    (record,) = await recorded(taps, "orders")
    assert (record.outcome, record.reason, record.key) == ("invalid", "undecidable", "a")
    assert [effect.key for effect in record.effects] == ["a"]
    assert record.content is None, "nothing is shown for a codec without `show`"


@pytest.mark.parametrize(("mode", "outcomes"), [("errors", ["invalid"]), ("off", [])])
async def test_the_tap_can_be_limited_to_errors_or_turned_off(
    rig: Rig, taps: RedisTap, mode: Any, outcomes: list[str]
) -> None:
    """Not everybody wants all bodies in Redis."""
    rig.count()
    rig.tap = Tap(taps, rig.tally, mode=mode)
    await rig.send([Add("a"), "no json"])

    await rig.work_off()

    assert [record.outcome for record in await recorded(taps)] == outcomes


class Failing:
    """A store that refuses everything, or never returns."""

    def __init__(self, *, hangs: bool = False) -> None:
        self.calls = 0
        self.hangs = hangs

    async def append(self, entries: Sequence[TapEntry]) -> None:
        """Refuse."""
        self.calls += len(entries)
        if self.hangs:
            await Event().wait()
        raise ServiceError("Redis", Fault.CAPACITY, "OOM")


@pytest.mark.parametrize("hangs", [False, True])
async def test_a_tap_that_cannot_be_written_loses_records_and_no_message(rig: Rig, hangs: bool) -> None:
    """Viewers' convenience must never cost an order."""
    rig.count()
    rig.tap = Tap(Failing(hangs=hangs), rig.tally)
    await rig.send([Add("a") for _ in range(50)])

    assert await rig.work_off()

    assert rig.tally.of("ok", "orders") == 50
    if not hangs:
        assert rig.tally.of("tap_dropped", "orders") == 50
    rig.assert_accounted()


@pytest.mark.parametrize("harm", [RestartableValkey.freeze, RestartableValkey.stop])
async def test_a_tap_server_that_hangs_or_stops_delays_no_message(
    rig: Rig, tmp_path_factory: pytest.TempPathFactory, harm: Callable[[RestartableValkey], None]
) -> None:
    """Over a real socket: the state has another server here, and that of the tap fails from the first record on."""
    valkey = RestartableValkey(tmp_path_factory.mktemp("v"))
    valkey.start()
    rig.count()
    try:
        async with open_tap(valkey.url, "ill:") as taps:
            rig.tap = Tap(taps, rig.tally)
            await taps.append([TapEntry("q", b"{}", 1, 10)])
            harm(valkey)
            await rig.send([Add("a") for _ in range(50)])

            assert await rig.work_off(), "the drain does not wait for it either"
    finally:
        valkey.stop()

    assert rig.tally.of("ok", "orders") == 50
    rig.assert_accounted()


class Kept:
    """A store that keeps all entries."""

    def __init__(self) -> None:
        self.entries: list[TapEntry] = []

    async def append(self, entries: Sequence[TapEntry]) -> None:
        """Keep them."""
        self.entries += entries


async def written(tap: Tap) -> None:
    """Make the tap write all that waits."""
    async with create_task_group() as tasks:
        tasks.start_soon(tap.run)
        tap.close()


async def test_waiting_records_are_bounded_and_dropped_ones_are_counted() -> None:
    """A slow Redis must not fill the worker's memory."""
    tally, kept = Counters(), Kept()
    tap = Tap(kept, tally)
    for number in range(BUFFERED + 7):
        tap.note(EndedAttempt(number))
    big = Tap(kept, tally)
    for number in range(40):
        big.note(EndedAttempt(number, "x" * 1_000_000))

    await written(tap)

    assert tally.of("tap_dropped", "q") == 7 + 40 - 17
    assert sum(entry.records for entry in kept.entries) == BUFFERED


async def test_many_records_are_one_entry_and_the_stream_keeps_about_as_many_records_as_configured() -> None:
    """One entry a record would cost ten times as much; Redis limits entries, the setting limits records."""
    kept = Kept()
    tap = Tap(kept, Counters(), keep=10_000)
    async with create_task_group() as tasks:
        tasks.start_soon(tap.run)
        for _ in range(60):
            for number in range(PACK):
                tap.note(EndedAttempt(number))
            await until(lambda: not len(tap), 30)
        tap.close()

    assert max(entry.records for entry in kept.entries) == PACK
    assert kept.entries[0].keep > 500
    assert math.isclose(kept.entries[-1].keep, 10_000 / PACK, rel_tol=0.2)
