"""The rights that are documented suffice, and allow nothing else."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from shop import Shop, check_state, samples

import streamapp_agents
from streamapp.assembly import assemble
from streamapp.aws import Aws
from streamapp.cli.embedded import redis_server
from streamapp.cli.queues import create_queues
from streamapp.config import Config
from streamapp.delivery import Outgoing
from streamapp.redis_store import open_redis
from streamapp.redis_tap import open_tap
from streamapp.tally import Tally
from streamapp.tap_reader import TapReader
from streamapp.testing import MemorySqs
from streamapp.worker import Worker

DEPLOY = Path(__file__).parents[2] / "deploy"

ACTIONS = {
    "receive": "sqs:ReceiveMessage",
    "delete": "sqs:DeleteMessage",
    "change_visibility": "sqs:ChangeMessageVisibility",
    "send": "sqs:SendMessage",
}
"""The action that each of the worker's calls on messages needs; a batch needs the same."""


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[str]:
    """A Valkey that knows the documented users only, at a URL without a user."""
    users = [
        line.replace("PASSWORD", "secret")
        for name in ("worker.acl", "tail.acl")
        for line in (DEPLOY / "redis" / name).read_text().splitlines()
        if line.startswith("user ")
    ]
    path = tmp_path / "users.acl"
    path.write_text("\n".join([*users, "user default off"]) + "\n")
    with redis_server("--aclfile", str(path)) as url:
        yield url


def as_user(url: str, name: str) -> str:
    """Answer *url* for one of the users."""
    return url.replace("unix://", f"unix://{name}:secret@")


async def test_the_worker_needs_no_more_than_its_rights(aws: Aws, guarded: str, prefix: str) -> None:
    """Rights that nobody tried are found too narrow in the night."""
    shop = Shop(aws, as_user(guarded, "worker"), f"streamapp:{prefix}")
    shop.names = {name: queue.replace("streamapp:", "") for name, queue in shop.names.items()}
    shop.env |= {
        "PEDIDO_QUEUE_URL": shop.names["pedido-events"],
        "PAGAMENTO_QUEUE_URL": shop.names["pagamento-events"],
        "PRODUTO_QUEUE_URL": shop.names["produto-events"],
        "ACOMPANHAMENTO_QUEUE_URL": shop.names["acompanhamento-events"],
    }
    await shop.open()
    await shop.send(samples())

    await shop.work_off()

    await check_state(shop)
    async with open_tap(as_user(guarded, "tail"), shop.key_prefix) as taps:
        reader = TapReader(taps)
        await reader.open()
        assert len(await reader.history()) > len(samples()), "who looks has the rights to see it all"
        assert await reader.follow(0.1) == []
        assert await taps.workers() == [], "it has said good-bye"
    await shop.close()


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


async def test_the_worker_calls_only_what_its_policy_allows(redis_url: str, prefix: str) -> None:
    """An action that the policy lacks is an agent that pauses in production only."""
    sqs, config = MemorySqs(), Config(key_prefix=f"{prefix}:")
    await create_queues(streamapp_agents.app, config, sqs)
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
        parts = await assemble(streamapp_agents.app, config, sqs, store, Tally(), longest_wait=0.0)
        assert await Worker(parts).run(idle=0.3)

    made = {
        (ACTIONS[it.operation], it.queue) for it in sqs.ledger.calls()[before:] if it.operation in ACTIONS
    }
    assert {action for action, _ in made} >= {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:SendMessage"}
    assert made <= allowed
