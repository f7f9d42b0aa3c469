"""Viewers read each record of the tap once."""

from collections import Counter

import msgspec
from anyio import create_task_group, fail_after

from observe.tap import EndedAttempt, recorded
from rigs.worker import until
from streamapp.observe.counters import Counters
from streamapp.observe.tap_reader import TapReader
from streamapp.observe.tap_record import TapRecord
from streamapp.observe.tap_writer import Tap, TapEntry
from streamapp.redis.tap import RedisTap


async def test_history_and_follow_return_each_record_once(taps: RedisTap) -> None:
    """1,000 records are written while a viewer starts; the viewer sees each once."""
    tap, total, seen = Tap(taps, Counters()), 1_000, Counter[str]()

    async def write() -> None:
        for start in range(0, total, 20):
            for number in range(start, start + 20):
                tap.note(EndedAttempt(number))
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

    assert 0 < at_open < total, "it was read while it was being written"
    assert set(seen.values()) == {1}


async def test_history_is_the_last_wanted_records_by_count_and_by_time(taps: RedisTap) -> None:
    """`-n` and `--since` count records that are shown, not those filtered out, over any number of entries."""
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
    """A glob also matches queues that are created later."""
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


async def test_a_line_that_is_not_a_record_hides_no_other(taps: RedisTap) -> None:
    """A later version of the worker, or somebody's own command, must not hide other records."""
    good = TapRecord(queue="q", outcome="ok", done_ms=1)
    await taps.append([TapEntry("q", b'{"v":9}\nrubbish\n' + msgspec.json.encode(good), 3, 10)])

    assert await recorded(taps) == [good]
