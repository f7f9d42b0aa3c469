"""Row 22: a message is in hand for twelve hours, the most that SQS allows."""

from collections.abc import Callable
from typing import Any

import pytest
from anyio import current_time, get_cancelled_exc_class, sleep_forever

from streamapp.app import App
from streamapp.config import Config
from streamapp.sqs.client import MAX_VISIBILITY
from streamapp_codecs import Json

VISIBILITY = 30.0


@pytest.mark.timeout(300)
async def test_at_twelve_hours_a_message_is_let_go_and_its_agent_told(figure: Callable[[str], None]) -> None:
    """Other frameworks went on asking, were refused each time, and the message stayed hidden."""
    app = App("patient")
    began: list[float] = []
    told: list[float] = []

    @app.agent("orders", Json(dict), concurrency=2)
    async def patient(events: Any) -> None:
        async for _ in events:
            began.append(current_time())
            try:
                if len(began) == 1:
                    await sleep_forever()
            except get_cancelled_exc_class():
                told.append(current_time())
                raise

    async with app.test(Config(wait_seconds=20)) as t:
        await t.send("orders", {"n": 1})
        await t.settle(within=MAX_VISIBILITY + 600)
        ledger = t.sqs.ledger
        extensions = ledger.calls("change_visibility")
        refused = [entry for entry in extensions if entry.outcome != "done"]
        first, second = ledger.received("orders")
        dead, lost = t.dead("orders"), t.tally.of("lost")

    figure(
        f"agent told {told[0] - began[0]:.0f} s after it began, {MAX_VISIBILITY - (told[0] - began[0]):.0f} s before "
        f"SQS's limit; {len(extensions)} extensions, refused {len(refused)}; the message came again "
        f"{second.at - first.at:.0f} s after its first receipt and was done; leases lost {lost}, dead letters {len(dead)}"
    )
    assert len(told) == 1
    assert MAX_VISIBILITY - 120 < told[0] - began[0] < MAX_VISIBILITY  # clock: virtual
    assert refused == []
    assert second.at - first.at <= MAX_VISIBILITY
    assert lost == 1
    assert len(ledger.deleted("orders")) == 1
    assert dead == []
