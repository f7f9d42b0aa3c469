"""Which message sends what a key owes: the one that made it, or one that finds it unsent some time later."""

import pytest
from anyio import fail_after, sleep

from rigs.worker import PATIENCE, Add, Rig, until
from streamapp.state.committer import Change, Committer
from streamapp.testing import Hang


async def left_owed(rig: Rig, *, by: str) -> None:
    """Commit what the message *by* changed, as a worker does that dies before it has announced it."""
    parts = await rig.assemble()
    committer = Committer(rig.store, parts.runtime.store_outage, ttl=60.0, barrier=False)
    redis_key = rig.counts.redis_key(rig.config.key_prefix, "k")
    await committer.flush([Change(rig.counts.folding, "k", redis_key, Add("k", 1), rig.queues["out"], by)])


async def owed(rig: Rig) -> int:
    """Return how much the key owes."""
    return sum(name.startswith("_o:") for name in await rig.fields("k"))


async def test_a_message_that_comes_again_announces_at_once_what_it_had_changed(rig: Rig) -> None:
    """Its worker died; the announcement need not wait until that is certain."""
    rig.count()
    await (await rig.create()).send([Add("k", 0)])
    await left_owed(rig, by=rig.last_sent())
    await rig.work_off()

    assert len(rig.bodies()) == 1
    assert await owed(rig) == 0


@pytest.mark.parametrize("number", [0, 2])
async def test_what_another_message_has_just_made_is_left_to_it(
    rig: Rig, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two workers with messages of one order would announce all of it twice."""
    monkeypatch.setattr("streamapp.state.announcement.FRESH", 3600.0)  # a busy machine may take seconds
    rig.count()
    await (await rig.create()).send([Add("k", number)])
    await left_owed(rig, by="another")
    await rig.work_off()

    assert len(rig.bodies()) == (1 if number else 0)
    assert await owed(rig) == 1
    assert rig.tally.of("duplicate" if number == 0 else "ok") == 1


@pytest.mark.parametrize("number", [0, 2])
async def test_what_another_message_made_some_time_ago_is_announced(
    rig: Rig, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its worker died, and it may come again only when its visibility timeout ends."""
    monkeypatch.setattr("streamapp.state.announcement.FRESH", 0.0)
    rig.count()
    await (await rig.create()).send([Add("k", number)])
    await left_owed(rig, by="another")
    await rig.work_off()

    assert len(rig.bodies()) == (2 if number else 1)
    assert await owed(rig) == 0


async def test_a_fifo_sink_is_sent_all_that_is_owed_in_order(rig: Rig) -> None:
    """It drops a repetition itself, and an announcement that is sent later would be out of order."""
    rig.count()
    await (await rig.create(fifo=True)).send_in_groups([Add("k", 2)])
    await left_owed(rig, by="another")
    await rig.work_off()

    assert ['"1"' in body for body in rig.bodies()] == [True, False]


async def test_a_message_does_not_wait_for_what_another_announces(rig: Rig) -> None:
    """One send that hangs would hold up all messages of its order."""
    rig.count(concurrency=2)
    await rig.create()
    hang = rig.sqs.faults.add("send", Hang(), queue="out")
    async with rig.running():
        await rig.send([Add("k", 1)])
        with fail_after(PATIENCE):
            while not await owed(rig):
                await sleep(0.005)
        await rig.send([Add("k", 0)])
        second = rig.last_sent()
        await until(rig.sqs.ledger.deleted)
        assert [it.message_id for it in rig.sqs.ledger.deleted()] == [second]
        hang.remove()

    assert len(rig.bodies()) == 1
