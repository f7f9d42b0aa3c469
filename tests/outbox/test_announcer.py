"""What hashes owe is sent once, and confirmed."""

import pytest
from anyio import CancelScope, create_task_group, sleep, wait_all_tasks_blocked

from outbox.announcing import announcing
from rigs.worker import Add, Rig, until
from streamapp.state.store import Confirmed
from streamapp.testing import Hang, Partial

pytestmark = pytest.mark.usefixtures("no_pauses")


async def test_an_announcement_is_sent_and_confirmed() -> None:
    """This is the whole way from a hash to the queue."""
    async with announcing() as it:
        await it.announcer.announce([it.owes("a")])

    assert it.bodies() == ["a"]
    assert it.store.confirmed == [Confirmed("k", sent=[("id-a", "[1,")], parked=[])]


async def test_an_announcement_that_many_events_find_is_sent_once() -> None:
    """Every event of a key finds what the key owes."""
    async with announcing() as it, create_task_group() as tasks:
        for _ in range(50):
            tasks.start_soon(it.announcer.announce, [it.owes("a"), it.owes("b", 2)])

    assert it.bodies() == ["a", "b"]


async def test_an_announcement_found_again_is_confirmed_again_and_not_sent() -> None:
    """Its confirmation may be late, or lost."""
    async with announcing() as it:
        await it.announcer.announce([it.owes("a")])
        await it.announcer.announce([it.owes("a")])

    assert it.bodies() == ["a"]
    assert len(it.store.confirmed) == 2


async def test_the_same_content_owed_by_another_commit_is_sent_again() -> None:
    """On, off and on again: the last one is news."""
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


async def test_a_call_sends_what_another_was_sending_when_it_was_cancelled() -> None:
    """An announcement that only the cancelled call could send would stay unsent."""
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


async def test_what_is_refused_for_good_is_parked_and_returned() -> None:
    """An operator has to look at it; the other announcements of the event are sent all the same."""
    async with announcing() as it:
        it.sqs.faults.add("send", Partial(0b10, code="InvalidMessageContents", sender_fault=True), times=1)
        told = await it.announcer.announce([it.owes("a"), it.owes("b", 2), it.owes("c", 3)])

    assert told == {it.owes("b", 2).place: "InvalidMessageContents"}
    assert it.bodies() == ["a", "c"]
    assert [each.parked for each in it.store.confirmed if each.parked] == [[("id-b", "[2,")]]
    assert it.counters.of("refused") == 1


async def test_a_refusal_is_returned_to_every_call_and_sent_once() -> None:
    """Hundreds of events that found the announcement must not each try it again."""
    told: list[str] = []
    async with announcing() as it, create_task_group() as tasks:
        it.sqs.faults.add("send", Partial(1, code="InvalidMessageContents", sender_fault=True))

        async def find() -> None:
            told.extend((await it.announcer.announce([it.owes("a")])).values())

        for _ in range(500):
            tasks.start_soon(find)

    assert len(told) == 500
    assert len(it.sqs.ledger.calls("send")) == 1


async def test_a_refused_announcement_that_is_found_late_fails_no_event() -> None:
    """It is about to be parked, and the event that finds it did not make it."""
    async with announcing() as it:
        it.sqs.faults.add("send", Partial(1, code="InvalidMessageContents", sender_fault=True), times=1)
        assert await it.announcer.announce([it.owes("a")])
        assert not await it.announcer.announce([it.owes("a"), it.owes("b", 2)])

    assert it.bodies() == ["b"]
    assert [each.parked for each in it.store.confirmed if each.parked] == [[("id-a", "[1,")]] * 2


async def test_what_is_owed_stays_in_the_hash_until_it_is_sent(rig: Rig) -> None:
    """After a crash in between, another worker finds it there."""
    rig.count()
    hang = rig.sqs.faults.add("send", Hang(), queue="out")
    await rig.send([Add("a")])
    async with rig.running():
        await until(lambda: rig.tally.of("sends"))
        await sleep(0.05)
        assert [name for name in await rig.fields("a") if name.startswith("_o:")]
        hang.remove()
