"""The documented rights suffice, and allow nothing else."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest
from anyio import fail_after, to_thread

import redis
import streamapp_agents
from chaos.services import running
from chaos.valkey import Valkey
from rigs.inprocess import call
from rigs.redis_builds import REDIS_BUILDS
from rigs.shop import Shop, check_state, ended, samples
from streamapp.cli.setup import sources_of
from streamapp.config import Config, queue_variable
from streamapp.messages import Outgoing
from streamapp.observe.counters import Counters
from streamapp.observe.tap_reader import TapReader
from streamapp.outbox.sweeper import CLAIM
from streamapp.redis.store import open_redis
from streamapp.redis.tap import open_tap
from streamapp.sqs.boto import BotoSqs
from streamapp.sqs.queue_setup import create_queues
from streamapp.testing import MemorySqs
from streamapp.worker.assembly import assemble
from streamapp.worker.worker import Worker

DEPLOY = Path(__file__).parents[2] / "deploy"

ACTIONS = {
    "receive": "sqs:ReceiveMessage",
    "delete": "sqs:DeleteMessage",
    "change_visibility": "sqs:ChangeMessageVisibility",
    "send": "sqs:SendMessage",
}
"""The IAM action of each of the worker's calls on messages; a batch needs the same."""


@pytest.fixture(params=["valkey-9.1"])
def guarded(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """A server with only the documented users; the URL names no user. Without a parameter it is the newest Valkey."""
    users = [
        line.replace("PASSWORD", "secret")
        for name in ("worker.acl", "tail.acl")
        for line in (DEPLOY / "redis" / name).read_text().splitlines()
        if line.startswith("user ")
    ]
    path = tmp_path / "users.acl"
    # The default user alone may read the log of refusals.
    users.append("user judge on >secret ~* &* +@all")
    path.write_text("\n".join([*users, "user default off"]) + "\n")
    program = REDIS_BUILDS[request.param]()
    server = Valkey(tmp_path / "server", "--aclfile", str(path), program=program)
    with running(server):
        yield server.url


def as_user(url: str, name: str) -> str:
    """Return *url* with the name and password of a user."""
    return url.replace("://", f"://{name}:secret@")


def refused(url: str) -> list[str]:
    """Return the users and commands that were refused since the last call."""
    with redis.Redis.from_url(as_user(url, "judge"), decode_responses=True) as client:
        entries = client.acl_log()
        client.acl_log_reset()
        return [f"{entry['username']}: {entry['object']}" for entry in entries]


@pytest.mark.timeout(240)
@pytest.mark.parametrize("guarded", REDIS_BUILDS, indirect=True)
async def test_rights_suffice_for_a_worker_its_site_and_who_looks(
    aws: BotoSqs, guarded: str, prefix: str
) -> None:
    """Rights that were never tried turn out too narrow in production."""
    shop = Shop(aws, as_user(guarded, "worker"), f"streamapp:{prefix}")
    shop.names = {name: queue.replace("streamapp:", "") for name, queue in shop.names.items()}
    shop.env |= {queue_variable(name): queue for name, queue in shop.names.items()}
    await shop.open()
    await shop.send(samples())
    with shop.running("--http", "127.0.0.1:0", "--log-format", "json") as worker:
        await watch_board(worker)
        await sweep(shop, as_user(guarded, "worker"))
        worker.terminate()
        await ended(worker)
    await shop.work_off()

    await check_state(shop)
    looking = shop.env | {"REDIS_URL": as_user(guarded, "tail")}
    for command in (
        "show 1001",
        "status",
        "board --once",
        "board cliente --once",
        "doctor",
    ):
        done = await call(looking, *command.split())
        assert done.returncode in {0, 4}, f"{command}: {done} {refused(guarded)}"
        assert "NOPERM" not in done.stdout + done.stderr, command
    async with open_tap(as_user(guarded, "tail"), shop.key_prefix) as taps:
        reader = TapReader(taps)
        await reader.open()
        assert len(await reader.history()) > len(samples())
        assert await reader.follow(0.1) == []
    assert refused(guarded) == []
    await shop.close()


async def watch_board(worker: subprocess.Popen[str]) -> None:
    """Return when the worker's site has sent the cards of a board."""
    assert worker.stderr is not None
    url = json.loads(await to_thread.run_sync(worker.stderr.readline))["http"]
    async with aiohttp.ClientSession() as session, session.get(f"{url}/events") as stream:
        with fail_after(20):
            while not (await stream.content.readline()).startswith(b"data: ["):
                pass


async def sweep(shop: Shop, redis_url: str) -> None:
    """Claim a table and sweep all, as a worker does every five minutes."""
    config = Config.load(shop.env)
    async with open_redis(redis_url) as store:
        parts = await assemble(streamapp_agents.app.registry, config, shop.aws, store, Counters())
        for again in (False, True):  # the worker may hold it already
            await store.claim(f"{config.key_prefix}{CLAIM}acompanhamento", 1.0, again=again)
        await parts.sweeper.sweep()


@pytest.mark.parametrize("user", ["worker", "tail"])
@pytest.mark.parametrize(
    "command",
    ["FLUSHALL", "KEYS *", "CONFIG GET maxmemory", "EVAL return 0", "HGETALL other:1", "DEL streamapp:x"],
)
def test_nobody_may_do_what_nobody_needs(guarded: str, user: str, command: str) -> None:
    """A stolen password must not be worth the whole server."""
    with (
        redis.Redis.from_url(as_user(guarded, user)) as client,
        pytest.raises(redis.exceptions.NoPermissionError),
    ):
        client.execute_command(*command.split())


def test_who_looks_cannot_write(guarded: str) -> None:
    """A tail on a wall monitor holds its password for years."""
    with redis.Redis.from_url(as_user(guarded, "tail")) as client:
        assert client.hgetall("streamapp:acompanhamento:1") == {}
        for command in ("HSET streamapp:x a 1", "XADD streamapp:tap:x * a 1", "SADD streamapp:x 1"):
            with pytest.raises(redis.exceptions.NoPermissionError):
                client.execute_command(*command.split())
        with pytest.raises(redis.exceptions.ResponseError, match="ACL"):
            client.register_script("return redis.call('HSET', KEYS[1], 'a', '1')")(["streamapp:x"])


async def test_the_worker_calls_only_what_its_policy_allows(redis_url: str, prefix: str) -> None:
    """An action that the policy lacks is an agent that pauses in production only."""
    sqs, config = MemorySqs(), Config(key_prefix=f"{prefix}:")
    await create_queues(
        sqs, config, sources=sources_of(streamapp_agents.app), sinks=streamapp_agents.app.sinks
    )
    for message in samples():
        await sqs.send(await sqs.find(message.queue), [Outgoing(message.body)])
    before = len(sqs.ledger.calls())
    statements = json.loads((DEPLOY / "iam" / "worker.json").read_text())["Statement"]
    allowed = {
        (action, arn.rsplit(":", 1)[-1])
        for statement in statements
        for action in statement["Action"]
        for arn in statement["Resource"]
    }

    async with open_redis(redis_url) as store:
        parts = await assemble(
            streamapp_agents.app.registry, config, sqs, store, Counters(), longest_wait=0.0
        )
        assert await Worker(parts).run(idle=0.3)

    made = {
        (ACTIONS[it.operation], it.queue) for it in sqs.ledger.calls()[before:] if it.operation in ACTIONS
    }
    assert {action for action, _ in made} >= {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:SendMessage"}
    assert made <= allowed
