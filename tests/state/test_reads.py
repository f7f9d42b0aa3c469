"""Reads and index entries of many agents in one call."""

from collections.abc import AsyncIterator

import pytest
from anyio import create_task_group, wait_all_tasks_blocked

from rigs.worker import Count
from streamapp.flow.batcher import raised
from streamapp.flow.outage import Outage
from streamapp.state.hash_codec import HashCodec
from streamapp.state.reads import IndexEntry, Lookup, StateRequest, StateUnreadable
from streamapp.state.store import Commit
from streamapp.testing import MemoryStore

CODEC = HashCodec(Count)


@pytest.fixture
def store() -> MemoryStore:
    """An empty store in memory."""
    return MemoryStore()


@pytest.fixture
async def lookup(store: MemoryStore) -> AsyncIterator[Lookup]:
    """A running lookup, on a store with one good state and a set."""
    await store.commit([Commit("good", "", "t1", CODEC.write(Count(total=3, times=1)))])
    await store.add({"set": ["x"]}, 60.0)
    lookup = Lookup(store, Outage("Redis", store.ping), ttl=60.0)
    async with create_task_group() as services:
        for batcher in (lookup.reads, lookup.adds):
            await services.start(batcher.run)
        yield lookup
        for batcher in (lookup.reads, lookup.adds):
            batcher.close()


async def test_agents_that_ask_together_share_one_call(lookup: Lookup, store: MemoryStore) -> None:
    """A round trip for each agent would cost more than all the rest of its message."""
    states: list[object] = []

    async def agent() -> None:
        states.append(await lookup.reads.submit(StateRequest(CODEC, "good")))

    before = len(store.ledger.calls("read"))
    async with create_task_group() as agents:
        for _ in range(10):
            agents.start_soon(agent)

    assert states == [Count(total=3, times=1)] * 10
    assert len(store.ledger.calls("read")) == before + 1


async def test_what_cannot_be_read_fails_alone(lookup: Lookup) -> None:
    """A key of another program must not stop other keys."""
    bad, good, missing = await lookup.reads.submit_all(
        [StateRequest(CODEC, key) for key in ("set", "good", "none")]
    )

    assert isinstance(bad, StateUnreadable)
    assert good == Count(total=3, times=1)
    assert missing is None
    with pytest.raises(StateUnreadable):
        raised([good, bad])


async def test_a_set_that_takes_nothing_fails_alone(lookup: Lookup, store: MemoryStore) -> None:
    """The other sets get their members all the same."""
    refused, taken, also = await lookup.adds.submit_all(
        [IndexEntry("good", "1"), IndexEntry("new", "1"), IndexEntry("new", "2")]
    )
    await wait_all_tasks_blocked()

    assert isinstance(refused, Exception)
    assert taken is also is None
    assert await store.members("new") == {"1", "2"}
