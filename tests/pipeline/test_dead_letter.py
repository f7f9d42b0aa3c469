"""What a dead letter carries."""

import json
from typing import Any

import pytest

from pipeline.settling import settling
from rigs.worker import ATTEMPTS, Rig
from streamapp.messages import Outgoing
from streamapp.pipeline.dead_letter import Why
from streamapp.sqs.client import MAX_ATTRIBUTES


async def test_a_letter_carries_reason_and_source_beside_its_own_attributes() -> None:
    """SQS takes ten attributes at most; ours come first."""
    theirs = {f"a{n}": "v" for n in range(MAX_ATTRIBUTES)}
    async with settling() as it:
        (lease,) = await it.receive(Outgoing("body", theirs))
        await it.settler.bury(lease, Why("undecidable", "at `$`"))
    assert it.dead is not None
    (letter,) = await it.sqs.receive(it.dead, limit=1, wait=0)

    assert len(letter.attributes) == MAX_ATTRIBUTES
    assert letter.attributes["streamapp-reason"] == "undecidable"
    assert {"streamapp-detail", "streamapp-source", "a0"} <= set(letter.attributes)
    assert (
        letter.attributes["streamapp-detail"]
        == "at `$`; 3 of its 10 attributes left out: SQS takes 10, ours among them"
    )


async def test_a_letter_with_room_for_all_attributes_says_nothing_of_them() -> None:
    """Seven of the message's own stay."""
    theirs = {f"a{n}": "v" for n in range(MAX_ATTRIBUTES - 3)}
    async with settling() as it:
        (lease,) = await it.receive(Outgoing("body", theirs))
        await it.settler.bury(lease, Why("undecidable", "x" * 5_000))
    assert it.dead is not None
    (letter,) = await it.sqs.receive(it.dead, limit=1, wait=0)

    assert theirs.items() <= letter.attributes.items()
    assert "left out" not in letter.attributes["streamapp-detail"]


@pytest.mark.parametrize("detail", ["", "\x00\x1b[2J", "x" * 300_000, "\ud800"])
async def test_no_detail_keeps_a_letter_from_being_sent(detail: str) -> None:
    """SQS refuses empty attributes and control characters; the message would come back for ever."""
    async with settling() as it:
        (lease,) = await it.receive(Outgoing("body"))
        await it.settler.bury(lease, Why("undecidable", detail))

    assert it.dead is not None
    assert it.sqs.bodies(it.dead) == ["body"]
    assert len(it.sqs.ledger.deleted("orders")) == 1


async def test_a_message_is_dead_lettered_unchanged_after_its_last_attempt(rig: Rig) -> None:
    """Its body is the same byte for byte; three attributes say why it failed, where it came from and how often it was tried."""

    async def broken(events: Any) -> None:
        async for _ in events:
            raise ZeroDivisionError

    body = ' {"key": "a\\u0000é🍕", "n":1 , "more": [1, 2]}\n'
    rig.agent(broken)
    await rig.send([body])
    await rig.work_off()
    (letter,) = await rig.letters()

    assert letter.body == body
    assert letter.attributes["streamapp-reason"] == "attempts_exhausted"
    assert letter.attributes["streamapp-detail"] == "ZeroDivisionError"
    source = json.loads(letter.attributes["streamapp-source"])
    assert (source["queue"], source["receive_count"]) == ("orders", ATTEMPTS)
    assert set(letter.attributes) == {"streamapp-reason", "streamapp-detail", "streamapp-source"}
    assert rig.bodies("orders") == []
    assert rig.tally.of("dead") == 1
    rig.assert_accounted()
