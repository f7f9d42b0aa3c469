"""State on a cluster while slots move and servers die."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from anyio import fail_after, sleep, to_thread
from redis.crc import key_slot

from chaos.cluster import Cluster, cluster
from chaos.services import running
from chaos.valkey import Valkey
from streamapp.errors import Fault, ServiceError
from streamapp.redis.store import RedisStore, open_redis
from streamapp.state.store import Commit, Confirmed

TTL = 60.0


@pytest.fixture(scope="module")
def frail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster that tests may disturb, and that notices a failure within about a second."""
    with cluster(tmp_path_factory.mktemp("frail"), node_timeout=1_000) as opened:
        yield opened


def in_one_slot(prefix: str, number: int) -> list[str]:
    """Return *number* keys of one slot."""
    return [f"{prefix}{{one}}{n}" for n in range(number)]


async def test_every_server_leads_to_all_others(valkeys: Cluster, prefix: str) -> None:
    """A URL names some servers; the cluster itself lists the others."""
    keys = [f"{prefix}{n}" for n in range(60)]
    for node in valkeys.masters:
        async with open_redis(node.url) as store:
            assert set(await store.info()) == {f"127.0.0.1:{it.port}" for it in valkeys.masters}
            assert await store.commit([Commit(key, "", f"t{key}", {"a": "1"}) for key in keys]) == [True] * 60
            assert await store.read(keys) == [{"_t": f"t{key}", "a": "1"} for key in keys]


async def test_a_batch_is_one_round_trip_a_server(valkeys: Cluster, prefix: str) -> None:
    """One call a key must not mean one wait a key."""
    async with open_redis(valkeys.url) as store:
        keys = [f"{prefix}{n}" for n in range(60)]
        await store.read(keys)
        sent: list[str] = []
        send = store._servers._send

        async def counted(name: str, *rest: object, **options: object) -> object:
            sent.append(name)
            return await send(name, *rest, **options)  # type: ignore[arg-type]

        store._servers._send = counted  # type: ignore[method-assign]
        await store.commit([Commit(key, "", "t", {"a": "1"}, ttl=TTL) for key in keys])

    assert sorted(sent) == sorted(f"127.0.0.1:{node.port}" for node in valkeys.masters)


async def test_a_slot_that_moves_is_followed(valkeys: Cluster, prefix: str) -> None:
    """Resharding is routine: a key that has moved is found on its new server (ASK), and the whole slot afterwards (MOVED)."""
    old, new = in_one_slot(prefix, 3), in_one_slot(f"{prefix}new", 3)
    slot = key_slot(old[0].encode())
    async with open_redis(valkeys.url) as store, open_redis(valkeys.url) as other:
        await store.commit([Commit(key, "", "t1", {"_o:x": "[1,"}, keep=True) for key in old])
        await other.ping()
        with valkeys.moving(slot) as (source, target):
            answers = await store.commit([Commit(key, "", "t1", {"a": "1"}, ttl=TTL) for key in (*old, *new)])
            # Old keys that have not moved yet are committed on the source, and new keys are created on the target.
            assert answers == [True] * 6
            await store.add({f"{prefix}{{one}}set": ["1"]}, TTL)
            assert await store.members(f"{prefix}{{one}}set") == {"1"}
        for each in (store, other):
            assert await each.read(new) == [{"_t": "t1", "a": "1"}] * 3
            assert await each.members(f"{prefix}{{one}}set") == {"1"}
        await store.confirm([Confirmed(key, [("x", "[1,")]) for key in old])
        assert await other.commit([Commit(key, "t1", "t2", {"b": "1"}, ttl=TTL) for key in old]) == [True] * 3

    assert valkeys.master_of(slot) is target is not source


def key_of(valkeys: Cluster, number: int, prefix: str) -> str:
    """Return a key of the *number*-th master."""
    keys = (f"{prefix}{n}" for n in count())
    return next(key for key in keys if valkeys.master_of(key_slot(key.encode())) is valkeys.masters[number])


async def refusal(store: RedisStore, key: str) -> ServiceError | None:
    """Return the error of a commit, if it fails now."""
    try:
        await store.commit([Commit(key, "", "t", {"a": "1"}, ttl=TTL)])
    except ServiceError as error:
        return error
    return None


async def test_a_dead_server_is_an_outage_until_it_is_back(frail: Cluster, prefix: str) -> None:
    """Its keys wait for it, and so do all others until the cluster serves every slot again."""
    async with open_redis(frail.url) as store:
        key, elsewhere = (key_of(frail, number, prefix) for number in (0, 1))
        await store.commit([Commit(key, "", "t", {"a": "1"})])
        frail.masters[0].kill()
        refusals = [await refusal(store, key)]
        with fail_after(30):
            while "ClusterDown" not in str(refusals[-1]):
                await sleep(0.05)
                refusals.append(await refusal(store, elsewhere))
        async with open_redis(frail.url) as late:  # the first server of its URL is the dead one
            for each in (store, late):
                with pytest.raises(ServiceError) as caught:
                    await each.ping()
                refusals.append(caught.value)
        assert {error.fault for error in refusals if error} == {Fault.TRANSIENT}

        await to_thread.run_sync(frail.masters[0].start)
        await to_thread.run_sync(frail.wait)
        await store.ping()

        assert await store.read([key]) == [{"_t": "t", "a": "1"}]
        assert await store.commit([Commit(elsewhere, "", "t", {"a": "1"}, ttl=TTL)]) == [True]


async def test_several_servers_without_a_cluster_are_refused(tmp_path: Path) -> None:
    """Which of them has the state would be random."""
    with running(Valkey(tmp_path / "1")) as one, running(Valkey(tmp_path / "2")) as other:
        async with open_redis(f"redis://127.0.0.1:{one.port},127.0.0.1:{other.port}/0") as store:
            with pytest.raises(ServiceError, match="no cluster") as caught:
                await store.ping()

    assert caught.value.fault is Fault.CONFIGURATION
