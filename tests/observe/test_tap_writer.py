"""The tap: what viewers are told, and that nobody waits for it."""

import json
import math
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import msgspec
import pytest
from anyio import Event, create_task_group, fail_after
from jsonschema import Draft202012Validator

from rigs.valkey import Valkey
from rigs.worker import Add, Parts, Rig, until
from streamapp.errors import Fault, Reject, Retry, ServiceError, Skip
from streamapp.observe.counters import Counters
from streamapp.observe.tap_reader import TapReader
from streamapp.observe.tap_record import TapRecord, schema
from streamapp.observe.tap_writer import BUFFERED, PACK, Tap, TapEntry
from streamapp.redis.store import RedisStore
from streamapp.redis.tap import RedisTap, open_tap
from streamapp_codecs import Json


@pytest.fixture
async def taps(redis_url: str, prefix: str) -> AsyncIterator[RedisTap]:
    """The tap on a real Valkey."""
    async with open_tap(redis_url, f"{prefix}:") as opened:
        yield opened


@pytest.fixture
async def rig(store: RedisStore, prefix: str, taps: RedisTap) -> Rig:
    """Queues, an app with no agents, and a tap."""
    rig = await Rig(store, prefix).create()
    rig.tap = Tap(taps, rig.tally)
    rig.presence = taps
    return rig


async def told(taps: RedisTap, *patterns: str) -> list[TapRecord]:
    """All that the tap has."""
    reader = TapReader(taps, patterns)
    await reader.open()
    return await reader.history()


async def test_each_attempt_and_each_announcement_is_told_with_what_it_changed(
    rig: Rig, taps: RedisTap
) -> None:
    """It is all that an operator sees of a message."""
    rig.count()
    await rig.send([Add("a", 2), Add("a", 0), "no json"])

    await rig.work_off()

    orders = {record.outcome: record for record in await told(taps, "orders")}
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
    (sent,) = await told(taps, "out")
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
async def test_what_failed_is_told_with_its_reason_and_never_with_the_text_of_a_foreign_error(
    rig: Rig, taps: RedisTap, error: Exception, outcomes: list[str], reason: str | None
) -> None:
    """Why an order stands still is the question; a traceback's text may quote a customer."""

    async def failing(events: Any) -> None:
        async for _ in events:
            raise error

    rig.agent(failing)
    await rig.send([Add("a")])

    await rig.work_off()

    records = await told(taps, "orders")
    assert [record.outcome for record in records] == outcomes
    assert [record.attempt for record in records] == list(range(1, len(outcomes) + 1))
    assert records[-1].reason == reason
    assert all(record.delay_s is not None for record in records if record.outcome == "retry")
    assert "39053344705" not in repr(records)


async def test_in_a_batch_each_message_is_told_with_its_own_change_or_none(rig: Rig, taps: RedisTap) -> None:
    """Another message's change beside this one would be a lie."""

    async def in_batches(events: Any) -> None:
        async for batch in events.take(10, within=0.2):
            for event in batch:
                await rig.counts.update(event.key, event)

    rig.agent(in_batches, instances=1)
    await rig.send([Add("a"), Add("b")])

    await rig.work_off()

    for record in await told(taps, "orders"):
        assert {effect.key for effect in record.effects} <= {record.key}


async def test_a_body_with_a_bad_part_is_told_as_invalid_with_what_its_good_parts_changed(
    rig: Rig, taps: RedisTap
) -> None:
    """The good parts stay applied, and the story of their order has to say by what."""
    rig.count(codec=Parts())
    await rig.send(['[{"key": "a"}, "bad"]'])

    await rig.work_off()

    (record,) = await told(taps, "orders")
    assert (record.outcome, record.reason, record.key) == ("invalid", "undecidable", "a")
    assert [effect.key for effect in record.effects] == ["a"]
    assert record.content is None, "a codec that does not say what may be seen shows nothing"


async def test_names_that_a_codec_declares_private_are_not_in_the_tap(rig: Rig, taps: RedisTap) -> None:
    """What is personal must not be at rest in a stream."""
    rig.count(codec=Json(Add, private=("key",)))
    await rig.send([Add("ana@example.com")])

    await rig.work_off()

    (record,) = await told(taps, "orders")
    assert record.content == {"key": "***", "n": 1}


async def test_a_long_body_is_cut_and_says_so(rig: Rig, taps: RedisTap) -> None:
    """A viewer's copy must not be what fills Redis."""
    rig.count()
    await rig.send([Add("k" * 20_000), Add("k" * 100_000)])

    await rig.work_off()

    cut, left_out = sorted(await told(taps, "orders"), key=lambda record: record.size)
    assert cut.truncated
    assert len(bytes(cut.body)) < 10_000
    assert isinstance(cut.content, str)
    assert left_out.truncated
    assert left_out.content is None
    assert left_out.size > 100_000


@pytest.mark.parametrize(("mode", "outcomes"), [("errors", ["invalid"]), ("off", [])])
async def test_the_tap_can_be_kept_to_errors_or_closed(
    rig: Rig, taps: RedisTap, mode: Any, outcomes: list[str]
) -> None:
    """Not everybody wants every body in Redis."""
    rig.count()
    rig.tap = Tap(taps, rig.tally, mode=mode)
    await rig.send([Add("a"), "no json"])

    await rig.work_off()

    assert [record.outcome for record in await told(taps)] == outcomes


async def test_each_record_keeps_the_documented_schema(rig: Rig, taps: RedisTap) -> None:
    """Scripts are written against it."""
    rig.count()
    await rig.send([Add("a"), Add("a", 0), "no json", Add("k" * 20_000)])
    validator = Draft202012Validator(schema())

    await rig.work_off()

    records = await told(taps)
    assert len(records) == 6
    for record in records:
        validator.validate(json.loads(msgspec.json.encode(record)))


class Failing:
    """A store that refuses everything, or never answers."""

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
    """The viewers' convenience must never cost an order."""
    rig.count()
    rig.tap = Tap(Failing(hangs=hangs), rig.tally)
    await rig.send([Add("a") for _ in range(50)])

    assert await rig.work_off()

    assert rig.tally.of("ok", "orders") == 50
    if not hangs:
        assert rig.tally.of("tap_dropped", "orders") == 50
    rig.assert_accounted()


@pytest.mark.parametrize("harm", [Valkey.freeze, Valkey.stop])
async def test_a_server_of_the_tap_that_hangs_or_is_gone_delays_no_message(
    rig: Rig, tmp_path_factory: pytest.TempPathFactory, harm: Callable[[Valkey], None]
) -> None:
    """Over a real socket: the state has its own server here, and that of the tap is ill from the first record on."""
    valkey = Valkey(tmp_path_factory.mktemp("v"))
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


class Seen:
    """Something to note."""

    queue = "q"
    outcome: Any = "ok"

    def __init__(self, number: int, body: str = "") -> None:
        self.number = number
        self.body = body

    def line(self, worker: str) -> bytes:
        """Return its record."""
        return msgspec.json.encode(
            TapRecord(queue="q", outcome="ok", done_ms=1, message_id=str(self.number), worker=worker)
        )


class Kept:
    """A store that notes what it is given."""

    def __init__(self) -> None:
        self.entries: list[TapEntry] = []

    async def append(self, entries: Sequence[TapEntry]) -> None:
        """Keep them."""
        self.entries += entries


async def written(tap: Tap) -> None:
    """Let the tap write what it has."""
    async with create_task_group() as tasks:
        tasks.start_soon(tap.run)
        tap.close()


async def test_what_waits_is_bounded_and_what_is_dropped_is_counted() -> None:
    """A Redis that is slow must not become a worker that is full."""
    tally, kept = Counters(), Kept()
    tap = Tap(kept, tally)
    for number in range(BUFFERED + 7):
        tap.note(Seen(number))
    big = Tap(kept, tally)
    for number in range(40):
        big.note(Seen(number, "x" * 1_000_000))

    await written(tap)

    assert tally.of("tap_dropped", "q") == 7 + 40 - 17
    assert sum(entry.records for entry in kept.entries) == BUFFERED


async def test_many_records_are_one_entry_and_the_stream_keeps_about_as_many_records_as_it_should() -> None:
    """An entry each would cost ten times as much; entries count in Redis, records are promised."""
    kept = Kept()
    tap = Tap(kept, Counters(), keep=10_000)
    async with create_task_group() as tasks:
        tasks.start_soon(tap.run)
        for _ in range(60):
            for number in range(PACK):
                tap.note(Seen(number))
            await until(lambda: not len(tap), 30)
        tap.close()

    assert max(entry.records for entry in kept.entries) == PACK
    assert kept.entries[0].keep > 500
    assert math.isclose(kept.entries[-1].keep, 10_000 / PACK, rel_tol=0.2)


async def test_history_and_what_follows_have_no_gap_and_no_repeat(taps: RedisTap) -> None:
    """1,000 records written while somebody begins to look: each is seen once."""
    tap, total, seen = Tap(taps, Counters()), 1_000, Counter[str]()

    async def write() -> None:
        for start in range(0, total, 20):
            for number in range(start, start + 20):
                tap.note(Seen(number))
            await until(lambda: not len(tap))
        tap.close()

    async with create_task_group() as tasks:
        tasks.start_soon(tap.run)
        tasks.start_soon(write)
        reader = TapReader(taps)
        with fail_after(30):
            while not reader.queues:
                await reader.open()
            seen.update(record.message_id for record in await reader.history())
            at_open = len(seen)
            while len(seen) < total:
                seen.update(record.message_id for record in await reader.follow(0.5))

    assert 0 < at_open < total, "it was written while it was read"
    assert set(seen.values()) == {1}


async def test_history_is_the_last_wanted_records_by_count_and_by_time(taps: RedisTap) -> None:
    """`-n` and `--since` count what is shown, not what is filtered out, and over any number of entries."""
    lines = [
        TapRecord(queue="q", outcome="ok" if n % 10 else "retry", done_ms=1_000 * n, message_id=str(n))
        for n in range(300)
    ]
    for record in lines:
        await taps.append([TapEntry("q", msgspec.json.encode(record), 1, 1000)])
    reader = TapReader(taps, ["q"])
    await reader.open()

    def ids(records: list[TapRecord]) -> list[str]:
        return [record.message_id for record in records]

    assert ids(await reader.history(last=3)) == ["297", "298", "299"]
    assert ids(await reader.history(last=0)) == []
    retries = await reader.history(last=20, wanted=lambda record: record.outcome == "retry")
    assert ids(retries) == [str(n) for n in range(100, 300, 10)]
    assert ids(await reader.history(since_ms=298_000)) == ["298", "299"]
    assert ids(await reader.history(since_ms=3_000, until_ms=5_000)) == ["3", "4", "5"]


async def test_a_queue_that_appears_later_is_read_from_its_beginning(taps: RedisTap) -> None:
    """A glob means the queues of tomorrow too."""
    reader = TapReader(taps, ["*-events", "named"])
    await reader.open()
    assert reader.silent == ["named"]
    record = TapRecord(queue="late-events", outcome="ok", done_ms=1)

    await taps.append(
        [TapEntry(name, msgspec.json.encode(record), 1, 10) for name in ("late-events", "other")]
    )

    with fail_after(10):
        while not (found := await reader.follow(0.2)):
            pass
    assert found == [record]
    assert reader.silent == ["named"]


async def test_an_entry_that_is_none_of_ours_hides_no_other(taps: RedisTap) -> None:
    """A later version of the worker, or a hand on the keyboard, must not blind the viewers."""
    good = TapRecord(queue="q", outcome="ok", done_ms=1)
    await taps.append([TapEntry("q", b'{"v":9}\nrubbish\n' + msgspec.json.encode(good), 3, 10)])

    assert await told(taps) == [good]


async def test_a_worker_is_present_while_it_runs_with_what_it_has_done(rig: Rig, taps: RedisTap) -> None:
    """`status` has to know who is there without asking each."""
    rig.count()
    await rig.send([Add("a")])

    async with rig.running():
        with fail_after(10):
            while not any(it.counts["orders"].get("ok") for it in await taps.workers()):
                await rig.sqs.attributes(rig.queues["orders"])
        (present,) = await taps.workers()

    assert (present.worker, present.queues, present.in_hand) == (rig.tap.worker, ("orders",), {"orders": 0})
    assert present.counts["out"]["sent"] == 1
    assert await taps.workers() == [], "it said good-bye"
