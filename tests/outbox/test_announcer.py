"""What hashes owe is sent once, and confirmed."""

import pytest
from anyio import CancelScope, create_task_group, sleep, wait_all_tasks_blocked

from outbox.announcing import announcing
from rigs.worker import Add, Rig, until
from streamapp.state.store import Confirmed
from streamapp.testing import Hang, Partial

pytestmark = pytest.mark.usefixtures("no_pauses")


async def test_an_announcement_is_sent_and_confirmed() -> None:
    """The line from a hash to the queue."""
    async with announcing() as it:
        await it.announcer.announce([it.owes("a")])

    assert it.bodies() == ["a"]
    assert it.store.confirmed == [Confirmed("k", sent=[("id-a", "[1,")], parked=[])]


async def test_however_many_find_it_it_is_sent_once() -> None:
    """Every event of a key finds what the key owes."""
    async with announcing() as it, create_task_group() as tasks:
        for _ in range(50):
            tasks.start_soon(it.announcer.announce, [it.owes("a"), it.owes("b", 2)])

    assert it.bodies() == ["a", "b"]


async def test_found_again_it_is_confirmed_again_and_not_sent() -> None:
    """A confirmation may be lost, or late."""
    async with announcing() as it:
        await it.announcer.announce([it.owes("a")])
        await it.announcer.announce([it.owes("a")])

    assert it.bodies() == ["a"]
    assert len(it.store.confirmed) == 2


async def test_the_same_content_owed_by_another_commit_is_sent_again() -> None:
    """On, off, on: the last one is news."""
    async with announcing() as it:
        await it.announcer.announce([it.owes("on", 1)])
        await it.announcer.announce([it.owes("off", 2)])
        await it.announcer.announce([it.owes("on", 3)])

    assert it.bodies() == ["on", "off", "on"]


async def test_one_content_of_two_keys_is_two_announcements() -> None:
    """An id is unique within its hash only."""
    async with announcing() as it:
        await it.announcer.announce([it.owes("a", key="k1"), it.owes("a", key="k2")])

    assert it.bodies() == ["a", "a"]


async def test_who_waits_for_another_that_is_cut_off_sends_itself() -> None:
    """An announcement belongs to nobody; whoever is left sees to it."""
    scope = CancelScope()
    async with announcing() as it, create_task_group() as tasks:

        async def cut() -> None:
            with scope:
                await it.announcer.announce([it.owes("a")])

        hang = it.sqs.faults.add("send", Hang())
        tasks.start_soon(cut)
        await wait_all_tasks_blocked()
        tasks.start_soon(it.announcer.announce, [it.owes("a")])
        await wait_all_tasks_blocked()
        scope.cancel()
        hang.remove()

    assert set(it.bodies()) == {"a"}
    assert [each for each in it.store.confirmed if each.sent]


async def test_what_is_refused_for_good_is_parked_and_told() -> None:
    """A human has to look; the other announcements of the event are sent all the same."""
    async with announcing() as it:
        it.sqs.faults.add("send", Partial(0b10, code="InvalidMessageContents", sender_fault=True), times=1)
        told = await it.announcer.announce([it.owes("a"), it.owes("b", 2), it.owes("c", 3)])

    assert told == {it.owes("b", 2).place: "InvalidMessageContents"}
    assert it.bodies() == ["a", "c"]
    assert [each.parked for each in it.store.confirmed if each.parked] == [[("id-b", "[2,")]]
    assert it.counters.of("refused") == 1


async def test_all_who_wait_for_a_refused_one_are_told_and_it_is_sent_once() -> None:
    """A hundred events that found it must not try it a hundred times, one inside the other."""
    told: list[str] = []
    async with announcing() as it, create_task_group() as tasks:
        it.sqs.faults.add("send", Partial(1, code="InvalidMessageContents", sender_fault=True))

        async def find() -> None:
            told.extend((await it.announcer.announce([it.owes("a")])).values())

        for _ in range(500):
            tasks.start_soon(find)

    assert len(told) == 500
    assert len(it.sqs.ledger.calls("send")) == 1


async def test_a_parked_one_that_is_found_late_fails_nobody() -> None:
    """Its parking is on the way; the event that finds it has nothing to do with it."""
    async with announcing() as it:
        it.sqs.faults.add("send", Partial(1, code="InvalidMessageContents", sender_fault=True), times=1)
        assert await it.announcer.announce([it.owes("a")])
        assert not await it.announcer.announce([it.owes("a"), it.owes("b", 2)])

    assert it.bodies() == ["b"]
    assert [each.parked for each in it.store.confirmed if each.parked] == [[("id-a", "[1,")]] * 2


async def test_what_is_owed_stays_in_the_hash_until_it_is_sent(rig: Rig) -> None:
    """A crash in between leaves the mark by which another worker finds it."""
    rig.count()
    hang = rig.sqs.faults.add("send", Hang(), queue="out")
    await rig.send([Add("a")])
    async with rig.running():
        await until(lambda: rig.tally.of("sends"))
        await sleep(0.05)
        assert [name for name in await rig.fields("a") if name.startswith("_o:")]
        hang.remove()
