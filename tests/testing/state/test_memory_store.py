"""The faults of the state store in memory; its rules are in the suite that it shares with a real one."""

import anyio
import pytest

from streamapp.errors import Fault, ServiceError
from streamapp.state.store import Confirmed
from streamapp.testing import Fail, Hang, Lose, MemoryStore, VirtualClock
from testing.state.commits import commit, fault_of


async def test_a_lost_response_means_that_it_was_done(store: MemoryStore) -> None:
    """A caller that tries again finds its own token."""
    store.faults.add("commit", Lose(), times=1)

    assert await fault_of(store, commit("t1", a="1")) is Fault.TRANSIENT
    assert await store.commit([commit("t1", a="1")]) == [True]
    assert [entry.outcome for entry in store.ledger.entries if entry.message_id] == ["done", "repeated"]


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        ("OOM", Fault.CAPACITY),
        ("NOAUTH", Fault.CONFIGURATION),
        ("ERR", Fault.SENDER),
        ("LOADING", Fault.TRANSIENT),
        ("ConnectionError", Fault.TRANSIENT),
    ],
)
async def test_what_is_refused_did_not_happen(store: MemoryStore, code: str, fault: Fault) -> None:
    """And the error's fault tells what may help."""
    store.faults.add("commit", Fail(code), times=1)

    assert await fault_of(store, commit("t1", a="1")) is fault
    assert store.hashes() == {}


async def test_a_store_that_is_down_is_down_for_everything(store: MemoryStore) -> None:
    """Until it is up again."""
    with store.faults.add("*", Fail("ConnectionError")):
        for call in (store.ping(), store.read(["k"]), store.confirm([Confirmed("k")]), store.members("s")):
            with pytest.raises(ServiceError):
                await call

    await store.ping()


async def test_silence_is_an_error_after_two_seconds(store: MemoryStore, clock: VirtualClock) -> None:
    """A real client gets no response, and gives up."""
    store.faults.add("ping", Hang())
    faults: list[Fault] = []

    async def ask() -> None:
        with pytest.raises(ServiceError) as caught:
            await store.ping()
        faults.append(caught.value.fault)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask)
        await clock.advance(1.9)
        before = list(faults)
        await clock.advance(0.2)

    assert before == []
    assert faults == [Fault.TRANSIENT]


async def test_time_to_live_is_the_clock_s(store: MemoryStore, clock: VirtualClock) -> None:
    """A month passes in no time."""
    await store.commit([commit("t1", a="1")])
    await clock.advance(59)
    before = store.ttl("k")
    await clock.advance(2)

    assert before == 1
    assert store.hashes() == {}
