"""Row 10: each error of Redis has its class, costs only time, and is over within 5 s of its cure."""

import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from anyio import create_task_group, current_time, fail_after, sleep
from redis.asyncio import Redis
from redis.exceptions import RedisError

from rigs.worker import Add, Count, Rig, until
from streamapp.cli.demo.servers import redis_server
from streamapp.errors import Fault, ServiceError
from streamapp.flow.outage import MISCONFIGURED_PAUSE
from streamapp.redis.store import open_redis
from streamapp.state.store import Commit, Store

BEFORE, DURING = 20, 30
"""Messages sent before a fault and while it lasts."""

RECOVERY = 5.0
"""Seconds."""


@dataclass(frozen=True)
class HarmedValkey:
    """A Valkey that a test may harm; *admin* is a connection that always works."""

    url: str
    admin: Any
    folder: Path
    lasts: float
    """Seconds that the fault lasts at least."""


@asynccontextmanager
async def full(server: HarmedValkey) -> AsyncIterator[None]:
    """OOM."""
    await server.admin.config_set("maxmemory", "1")
    yield
    await server.admin.config_set("maxmemory", "0")


@asynccontextmanager
async def disk_lost(server: HarmedValkey) -> AsyncIterator[None]:
    """MISCONF: the folder of its snapshots is gone."""
    folder = server.folder / "gone"
    folder.mkdir()
    await server.admin.config_set("dir", str(folder))
    await server.admin.config_set("save", "3600 1")
    shutil.rmtree(folder)
    await server.admin.bgsave()
    await _background_save(server, "err")
    yield
    await server.admin.config_set("dir", str(server.folder))
    await server.admin.bgsave()
    await _background_save(server, "ok")
    await server.admin.config_set("save", "")


async def _background_save(server: HarmedValkey, status: str) -> None:
    with fail_after(10):
        while (await server.admin.info("persistence"))["rdb_last_bgsave_status"] != status:
            await sleep(0.02)


@asynccontextmanager
async def demoted(server: HarmedValkey) -> AsyncIterator[None]:
    """READONLY."""
    await server.admin.replicaof("127.0.0.1", "1")
    yield
    await server.admin.replicaof("NO", "ONE")


@asynccontextmanager
async def cut_off(server: HarmedValkey) -> AsyncIterator[None]:
    """MASTERDOWN."""
    await server.admin.config_set("replica-serve-stale-data", "no")
    async with demoted(server):
        yield
    await server.admin.config_set("replica-serve-stale-data", "yes")


@asynccontextmanager
async def alone(server: HarmedValkey) -> AsyncIterator[None]:
    """NOREPLICAS."""
    await server.admin.config_set("min-replicas-to-write", "1")
    yield
    await server.admin.config_set("min-replicas-to-write", "0")


@asynccontextmanager
async def loading(server: HarmedValkey) -> AsyncIterator[None]:
    """LOADING: it reads 100 keys of its snapshot, slowly."""
    await server.admin.mset({f"ballast:{n}": "x" * 2_000 for n in range(100)})
    await server.admin.config_set("loading-process-events-interval-bytes", "1024")
    await server.admin.config_set("key-load-delay", str(int((2 * server.lasts + 1) * 10_000)))
    async with Redis.from_url(server.url, socket_timeout=None) as other, create_task_group() as tasks:

        async def reload() -> None:
            await other.execute_command("DEBUG", "RELOAD")

        tasks.start_soon(reload)
        with fail_after(10):
            while not (await server.admin.info("persistence"))["loading"]:
                await sleep(0.01)
        yield
        with fail_after(60):
            while (await server.admin.info("persistence"))["loading"]:
                await sleep(0.02)
    await server.admin.config_set("key-load-delay", "0")


@asynccontextmanager
async def busy(server: HarmedValkey) -> AsyncIterator[None]:
    """BUSY: a script never ends."""
    await server.admin.config_set("busy-reply-threshold", "50")
    async with Redis.from_url(server.url, socket_timeout=None) as other, create_task_group() as tasks:

        async def spin() -> None:
            with pytest.raises(RedisError):
                await other.eval("while true do end", 0)

        tasks.start_soon(spin)
        with fail_after(10):
            while await _answers(server):
                await sleep(0.02)
        yield
        await server.admin.script_kill()


async def _answers(server: HarmedValkey) -> bool:
    try:
        return bool(await server.admin.ping())
    except RedisError:
        return False


@asynccontextmanager
async def slots_lost(server: HarmedValkey) -> AsyncIterator[None]:
    """CLUSTERDOWN."""
    await server.admin.execute_command("CLUSTER DELSLOTSRANGE", 0, 16383)
    yield
    await all_slots(server)


async def all_slots(server: HarmedValkey) -> None:
    """Return when a cluster of one serves all slots."""
    await server.admin.execute_command("CLUSTER ADDSLOTSRANGE", 0, 16383)
    with fail_after(20):
        while (await server.admin.cluster("info"))["cluster_state"] != "ok":
            await sleep(0.02)


@asynccontextmanager
async def password_set(server: HarmedValkey) -> AsyncIterator[None]:
    """NOAUTH."""
    await server.admin.config_set("requirepass", "secret")
    await server.admin.client_kill_filter(_type="normal", skipme=True)
    yield
    await server.admin.config_set("requirepass", "")


@asynccontextmanager
async def right_taken(server: HarmedValkey) -> AsyncIterator[None]:
    """NOPERM, seen by a script."""
    await server.admin.execute_command("ACL SETUSER", "default", "-hset")
    yield
    await server.admin.execute_command("ACL SETUSER", "default", "+@all")


@pytest.fixture(scope="module")
def server_url() -> Iterator[str]:
    """A Valkey that may be harmed."""
    with redis_server("--enable-debug-command", "yes", "--enable-protected-configs", "yes") as url:
        yield url


@pytest.fixture(scope="module")
def cluster_url() -> Iterator[str]:
    """A cluster of one."""
    with redis_server("--cluster-enabled", "yes") as url:
        yield url


@asynccontextmanager
async def server_at(url: str, lasts: float) -> AsyncIterator[HarmedValkey]:
    """Return the server, with its own connection."""
    async with Redis.from_url(url, decode_responses=True, single_connection_client=True) as admin:
        yield HarmedValkey(url, admin, Path(url.removeprefix("unix://")).parent, lasts)


async def class_of_a_write(store: Store, key: str) -> Fault | None:
    """Return the class of a commit's error, None where it succeeds."""
    try:
        (answer,) = await store.commit([Commit(key, "", "t", {"a": "1"}, ttl=60)])
    except ServiceError as error:
        return error.fault
    return answer.fault if isinstance(answer, ServiceError) else None


Harm = Callable[[HarmedValkey], Any]
CASES: dict[str, tuple[Harm, Fault]] = {
    "OOM": (full, Fault.CAPACITY),
    "MISCONF": (disk_lost, Fault.CAPACITY),
    "READONLY": (demoted, Fault.TRANSIENT),
    "LOADING": (loading, Fault.TRANSIENT),
    "BUSY": (busy, Fault.TRANSIENT),
    "NOREPLICAS": (alone, Fault.TRANSIENT),
    "MASTERDOWN": (cut_off, Fault.TRANSIENT),
    "CLUSTERDOWN": (slots_lost, Fault.TRANSIENT),
    "NOAUTH": (password_set, Fault.CONFIGURATION),
    "NOPERM": (right_taken, Fault.CONFIGURATION),
}


@pytest.mark.timeout(180)
@pytest.mark.parametrize("word", CASES)
async def test_what_redis_refuses_costs_time_only(
    word: str,
    request: pytest.FixtureRequest,
    prefix: str,
    long: bool,
    figure: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Redis is full, demoted or locked some day; it must cost no message, and nothing has to be restarted."""
    harm, fault = CASES[word]
    lasts = 10.0 if long else 0.7
    pause = MISCONFIGURED_PAUSE if long else 1.0
    monkeypatch.setattr("streamapp.flow.outage.MISCONFIGURED_PAUSE", pause)
    allowed = RECOVERY + (pause if fault is Fault.CONFIGURATION else 0)
    is_cluster = word == "CLUSTERDOWN"
    url = request.getfixturevalue("cluster_url" if is_cluster else "server_url")
    async with server_at(url, lasts) as server, open_redis(url) as store:
        if is_cluster:
            await all_slots(server)
        rig = await Rig(store, prefix).create()
        rig.count(concurrency=5)
        async with rig.running():
            await rig.send(Add("a") for _ in range(BEFORE))
            await until(lambda: rig.tally.of("ok") == BEFORE)
            async with harm(server):
                seen = await class_of_a_write(store, f"{prefix}:other")
                await rig.send(Add("a") for _ in range(DURING))
                await sleep(lasts)
                done = rig.tally.of("ok") - BEFORE
            healed = current_time()
            await until(lambda: rig.tally.of("ok") == BEFORE + DURING, within=60)
            took = current_time() - healed
        most = max(rig.sqs.ledger.receives("orders").values())
        letters = len(rig.bodies("orders-dlq"))
        state = await rig.state("a")

    figure(
        f"{word}: {seen.value if seen else seen}, {done} of {DURING} done while it lasted {lasts:g} s and more; all "
        f"{took:.2f} s after the cure; received at most {most} time(s), dead letters {letters}"
    )
    assert seen is fault
    assert state == Count(BEFORE + DURING, BEFORE + DURING)
    assert letters == 0
    assert most == 1
    assert done < DURING
    if long:
        assert took <= allowed  # clock: the row's figure


async def test_a_key_of_another_type_costs_its_own_messages_only(
    prefix: str, redis_url: str, figure: Callable[[str], None]
) -> None:
    """WRONGTYPE is an error of one key: the others of its batch go on, and its message is kept."""
    async with server_at(redis_url, 0) as server, open_redis(redis_url) as store:
        rig = await Rig(store, prefix).create()
        rig.count(concurrency=5)
        await server.admin.set(rig.counts.redis_key(rig.config.key_prefix, "bad"), "text")
        seen = await class_of_a_write(store, rig.counts.redis_key(rig.config.key_prefix, "bad"))
        await rig.send([Add("bad"), *(Add("a") for _ in range(DURING))])
        assert await rig.work_off()
        letters = rig.bodies("orders-dlq")
        receives = sorted(rig.sqs.ledger.receives("orders").values())

    figure(
        f"WRONGTYPE: {seen.value if seen else seen}, {rig.tally.of('ok')} of {DURING} others done, received "
        f"{receives[-2]} time; its own message received {receives[-1]} times, then kept as a dead letter"
    )
    assert seen is Fault.CONFIGURATION
    assert rig.tally.of("ok") == DURING
    assert receives[-2] == 1
    assert letters == ['{"key":"bad","n":1}']
