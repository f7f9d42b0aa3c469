"""The faults of the state store in memory; its rules are in the suite that it shares with a real one."""

import anyio
import pytest

from streamapp.errors import Fault, ServiceError
from streamapp.state.store import Commit, Confirmed
from streamapp.testing import Fail, Hang, Lose, MemoryStore, VirtualClock


@pytest.fixture
def store(clock: VirtualClock) -> MemoryStore:
    """A store in virtual time."""
    return MemoryStore(clock=clock)


def commit(token: str, seen: str = "", **put: str) -> Commit:
    """A change of key `k`."""
    return Commit("k", seen, token, put, ttl=60)


async def fault_of(store: MemoryStore, *commits: Commit) -> Fault:
    """Return the fault with which a commit fails."""
    with pytest.raises(ServiceError) as caught:
        await store.commit(commits)
    return caught.value.fault


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


async def test_a_failover_undoes_what_the_replica_had_not_got(clock: VirtualClock) -> None:
    """The newest writes are lost, and with them their tokens."""
    store = MemoryStore(clock=clock, lag=5)
    await store.commit([commit("t1", a="1")])
    await clock.advance(5)
    await store.commit([commit("t2", "t1", a="2")])
    store.fail_over()

    assert await store.read(["k"]) == [{"_t": "t1", "a": "1"}]


async def test_what_the_replica_has_got_it_keeps(clock: VirtualClock) -> None:
    """A link that is cut later takes nothing back."""
    store = MemoryStore(clock=clock, lag=0.5)
    await store.commit([commit("t1", a="1")])
    await clock.advance(0.6)
    store.values.lag = float("inf")
    store.fail_over()

    assert "k" in store.hashes()


async def test_without_a_lag_a_failover_undoes_nothing(store: MemoryStore) -> None:
    """A replica that keeps up is a copy."""
    await store.commit([commit("t1", a="1")])
    store.fail_over()

    assert store.hashes() == {"k": {"_t": "t1", "a": "1"}}


async def test_a_durable_commit_waits_for_the_replica(clock: VirtualClock) -> None:
    """No failover undoes it after that."""
    store = MemoryStore(clock=clock, replicas=1, lag=0.5)
    answers: list[bool | ServiceError] = []

    async def change() -> None:
        answers.extend(await store.commit([commit("t1", a="1")]))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(change)
        await clock.advance(0.4)
        before = list(answers)
        await clock.advance(0.2)
    store.fail_over()

    assert before == []
    assert answers == [True]
    assert "k" in store.hashes()


async def test_a_commit_without_its_replica_is_not_durable(clock: VirtualClock) -> None:
    """A cut link is an error after a second, whatever the master has."""
    store = MemoryStore(clock=clock, replicas=1, lag=float("inf"))
    async with anyio.create_task_group() as tasks:

        async def change() -> None:
            assert await fault_of(store, commit("t1", a="1")) is Fault.TRANSIENT
            tasks.cancel_scope.cancel()

        tasks.start_soon(change)
        await clock.advance(1.5)

    assert "k" in store.hashes()


async def test_a_commit_that_a_failover_overtook_is_not_durable(clock: VirtualClock) -> None:
    """It was undone while it waited."""
    store = MemoryStore(clock=clock, replicas=1, lag=0.5)
    async with anyio.create_task_group() as tasks:

        async def change() -> None:
            assert await fault_of(store, commit("t1", a="1")) is Fault.TRANSIENT

        tasks.start_soon(change)
        await clock.advance(0.2)
        store.fail_over()
        await clock.advance(1)

    assert store.hashes() == {}
