"""The replica of the store in memory: what a failover undoes."""

import anyio

from streamapp.errors import Fault, ServiceError
from streamapp.testing import MemoryStore, VirtualClock
from testing.state.commits import commit, fault_of


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
