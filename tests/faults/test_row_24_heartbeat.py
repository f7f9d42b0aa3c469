"""Row 24: the heartbeat is throttled, fails or hangs, with hundreds of messages in hand."""

from collections.abc import Callable
from typing import Any

import pytest
from anyio import sleep

from streamapp.app import App
from streamapp.config import Config
from streamapp.testing import Effect, Fail, Hang, Ledger, Lose, Partial
from streamapp_codecs import Json

VISIBILITY = 30.0
LASTS = 10.0
"""Seconds of each fault in the second half of a lease: long enough for three of five tries to fail."""

FREE = 4.0
"""Seconds between two faults: a heartbeat, and a second."""

EFFECTS: list[Effect] = [
    Fail("RequestThrottled", status=403),
    Fail("InternalError", status=500),
    Fail("ServiceUnavailable", status=503),
    Partial(0b1111111111, "RequestThrottled", sender_fault=True),
    Partial(0b0101010101, missing=True),
    Lose(),
    Hang(),
]


def least_left(ledger: Ledger) -> float:
    """Return the fewest seconds that a lease had left when it was extended."""
    ends: dict[str | None, float] = {}
    left: list[float] = []
    for entry in ledger.entries:
        if (entry.operation, entry.outcome) == ("change_visibility", "extended"):
            left.append(ends[entry.message_id] - entry.at)
        if (entry.operation, entry.outcome) in {("receive", "done"), ("change_visibility", "extended")}:
            ends[entry.message_id] = entry.at + VISIBILITY
    return min(left)


def slow(app: App, *, concurrency: int, seconds: float) -> None:
    """Declare an agent that takes that many seconds for each message."""

    @app.agent("orders", Json(dict), concurrency=concurrency)
    async def patient(events: Any) -> None:
        async for _ in events:
            await sleep(seconds)


@pytest.mark.timeout(300)
async def test_a_failing_heartbeat_is_tried_again_while_the_lease_lasts(
    long: bool, figure: Callable[[str], None]
) -> None:
    """An extension that fails once must not cost a message that is being worked on."""
    in_hand = 300 if long else 60
    app = App("beating")
    slow(app, concurrency=in_hand, seconds=VISIBILITY * (len(EFFECTS) + 1))
    async with app.test(Config(wait_seconds=10)) as t:
        await t.send("orders", *({"n": n} for n in range(in_hand)))
        hits: dict[str, int] = {}
        for effect in EFFECTS:
            # First all extensions succeed; then none does until 3 s before the leases run out.
            await t.advance(FREE)
            fault = t.sqs.faults.add("change_visibility", effect)
            await t.advance(VISIBILITY / 2 + LASTS - FREE)
            fault.remove()
            hits[repr(effect)] = fault.hits
        await t.settle(within=20 * VISIBILITY)
        ledger = t.sqs.ledger
        left = least_left(ledger)
        receives = ledger.receives("orders")
        done, lost, dead = t.tally.of("ok"), t.tally.of("lost"), t.dead("orders")
    figure(
        f"{in_hand} in hand, each of {len(EFFECTS)} faults for {LASTS:g} of the last {VISIBILITY / 2:g} s: "
        f"{sum(hits.values())} calls failed; extended with {left:.1f} s left at least; receives a message "
        f"{max(receives.values())}; leases lost {lost}; done {done}"
    )
    assert all(hits.values())
    assert set(receives.values()) == {1}
    assert (done, lost, dead) == (in_hand, 0, [])


@pytest.mark.timeout(300)
async def test_an_outage_of_the_heartbeat_alone_costs_one_receive(
    long: bool, figure: Callable[[str], None]
) -> None:
    """Receives still work, so each redelivery would count, and the eighth would end in the dead-letter queue."""
    in_hand, outage = (100, 3600.0) if long else (20, 600.0)
    app = App("beating")
    slow(app, concurrency=2 * in_hand, seconds=2 * outage)
    async with app.test(Config(wait_seconds=10)) as t:
        with t.sqs.faults.add("change_visibility", Fail("ServiceUnavailable")):
            await t.send("orders", *({"n": n} for n in range(in_hand)))
            await t.advance(outage)
            redriven = len(t.sqs.ledger.redriven("orders"))
        await t.settle(within=10 * outage)
        receives, dead = t.sqs.ledger.receives("orders"), t.dead("orders")

    figure(
        f"no extension for {outage:g} s, receives go on: receives a message {max(receives.values())} at most; "
        f"redriven by SQS {redriven}, dead letters {len(dead)}"
    )
    assert max(receives.values()) <= 2
    assert (redriven, dead) == (0, [])
