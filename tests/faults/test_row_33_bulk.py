"""Row 33: one event changes 20,000 keys beside single changes: these pass it, and the worker does not grow."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from anyio import create_task_group, current_time, sleep

from rigs.worker import Add, Count, Rig, add, until
from streamapp import App, Stream
from streamapp.config import Config
from streamapp.testing import Slow
from streamapp_codecs import Json

KEYS = 20_000

FLUSHES = 5
"""Flushes that a single change may wait for."""

MOST_GROWTH = 20.0
"""Megabytes that a worker may grow by."""


class Many(msgspec.Struct, frozen=True):
    """An event that adds one to *n* keys, or to *key* alone."""

    n: int = 0
    key: str = ""


def changes(many: Many) -> list[tuple[str, Add]]:
    """Return what *many* changes."""
    return [(f"k{n}", Add(f"k{n}")) for n in range(many.n)]


@pytest.mark.timeout(120)
async def test_a_single_change_passes_bulks(figure: Callable[[str], None]) -> None:
    """Ten events that change very many keys have begun; a change of one key is not behind them."""
    app = App("bulk")
    counts = app.table("count", Count, fold=add)

    @app.agent("bulk-events", Json(Many), concurrency=10)
    async def bulk(events: Stream[Many]) -> None:
        async for event in events:
            await counts.update_many(changes(event))

    @app.agent("single-events", Json(Many), concurrency=10)
    async def single(events: Stream[Many]) -> None:
        async for event in events:
            await counts.update(event.key, Add(event.key))

    async with app.test(Config(wait_seconds=20)) as t:
        t.store.faults.add("commit", Slow(0.02))
        await t.send("bulk-events", *(Many(KEYS // 10) for _ in range(10)))
        await t.advance(1)
        waited: list[int] = []
        for n in range(5):
            before = len(t.store.ledger.calls("commit"))
            await t.send("single-events", Many(key=f"single{n}"))
            while f"single{n}" not in t.table("count"):
                await t.advance(0.005)
            waited.append(len(t.store.ledger.calls("commit")) - before)
        in_bulk = len(t.table("count"))
        await t.settle()

        assert set(t.sqs.ledger.receives("bulk-events").values()) == {1}
        assert sum(state.total for key, state in t.table("count").items() if key.startswith("k")) == KEYS
    figure(f"flushes until a single change beside ten bulks was made: {waited}")
    assert max(waited) <= FLUSHES
    assert in_bulk < KEYS


def resident() -> float:
    """Return the megabytes that this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


@pytest.mark.timeout(240)
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="it reads Linux's figures")
async def test_a_bulk_needs_little_memory_and_keeps_no_single_change_waiting(
    rig: Rig, figure: Callable[[str], None]
) -> None:
    """On a real store, with a real worker: what is kept of each key is not its hash before and after."""
    counts: Any = rig.app.table("many", Count, fold=add)

    async def agent(events: Any) -> None:
        async for event in events:
            await (
                counts.update(event.key, Add(event.key)) if event.key else counts.update_many(changes(event))
            )

    rig.agent(agent, codec=Json(Many))
    took: list[float] = []
    most = 0.0

    async def watch() -> None:
        nonlocal most
        while rig.tally.of("ok") < done:
            most = max(most, resident())
            await sleep(0.01)

    async with rig.running():
        done = 2
        await rig.send([Many(500), Many(500)])
        await until(lambda: rig.tally.of("ok") == 2)
        before, done = resident(), 3 + 10
        await rig.send([Many(KEYS)])
        async with create_task_group() as watching:
            watching.start_soon(watch)
            for n in range(10):
                began, ok = current_time(), rig.tally.of("ok")
                await rig.send([Many(key=f"s{n}")])
                while rig.tally.of("ok") == ok:
                    await sleep(0.005)
                took.append(current_time() - began)
            assert rig.tally.of("ok") < done, "the bulk was over too soon to show anything"
            while rig.tally.of("ok") < done:
                await sleep(0.05)
    figure(
        f"{KEYS} keys in one event: the worker grew by {most - before:.1f} MB; "
        f"single changes beside it took {max(took) * 1000:.0f} ms at most"
    )
    assert most - before <= MOST_GROWTH
    assert rig.tally.of("retry") == 0


async def test_what_a_bulk_announces_does_not_wait_for_its_end(rig: Rig) -> None:
    """Kept until then, it could be any amount; each change is announced once all the same."""

    async def agent(events: Any) -> None:
        async for event in events:
            await rig.counts.update_many(changes(event))
            sent.append(len(rig.bodies()))

    sent: list[int] = []
    rig.agent(agent, codec=Json(Many))
    await rig.send([Many(450)])
    assert await rig.work_off()

    assert 400 <= sent[0] <= 450
    assert len(rig.bodies()) == 450
