"""Row 21: a handler takes five times the visibility timeout, and a hundred messages wait in the worker behind it."""

from collections.abc import Callable
from typing import Any

import pytest
from anyio import sleep

from streamapp.app import App
from streamapp.config import Config
from streamapp.testing import Ledger
from streamapp_codecs import Json

VISIBILITY, INTERVAL = 30.0, 3.0
"""Seconds; heartbeats come ten times in a visibility timeout."""

BUFFERED = 100


def over_after(ledger: Ledger) -> float:
    """Return the most seconds after its delete at which a message was still extended, at least 0."""
    deleted = {entry.message_id: entry.at for entry in ledger.deleted()}
    return max(entry.at - deleted[entry.message_id] for entry in ledger.extended())


@pytest.mark.timeout(300)
async def test_what_waits_in_the_buffer_is_received_once_however_long_it_waits(
    long: bool, figure: Callable[[str], None]
) -> None:
    """In other frameworks buffered messages expire: they come again and again, and end as dead letters."""
    buffered = BUFFERED if long else BUFFERED // 5
    app = App("slow")
    began: list[int] = []

    @app.agent("orders", Json(dict), concurrency=buffered + 1, instances=1)
    async def slow(events: Any) -> None:
        async for event in events:
            began.append(event["n"])
            await sleep(5 * VISIBILITY)

    async with app.test(Config(wait_seconds=10)) as t:
        await t.send("orders", *({"n": n} for n in range(buffered + 1)))
        await t.advance(2 * INTERVAL)
        in_hand = len(t.sqs.ledger.in_flight("orders"))
        await t.settle(within=(buffered + 3) * 5 * VISIBILITY)
        extensions, calls = len(t.sqs.ledger.extended()), len(t.sqs.ledger.calls("change_visibility"))
        late = over_after(t.sqs.ledger)
        await t.advance(20 * INTERVAL)
        idle_calls = len(t.sqs.ledger.calls("change_visibility")) - calls
        # A lease that is still held keeps its place.
        await t.send("orders", *({"n": -1} for _ in range(buffered + 1)))
        await t.advance(2 * INTERVAL)
        places = len(t.sqs.ledger.in_flight("orders"))
        receives = t.sqs.ledger.receives("orders")

    figure(
        f"{in_hand} in hand, one at a time, {5 * VISIBILITY:g} s each at a visibility of {VISIBILITY:g} s: "
        f"the last began after {buffered * 5 * VISIBILITY:g} s; receives a message {max(receives.values())}; "
        f"{extensions} extensions in {calls} calls, the last of a message {-late:.2f} s before its delete at the "
        f"latest; calls while idle {idle_calls}; places free again {places}"
    )
    assert in_hand == buffered + 1
    assert began[: buffered + 1] == list(range(buffered + 1))
    assert set(receives.values()) == {1}
    assert late <= INTERVAL
    assert idle_calls == 0
    assert places == buffered + 1
