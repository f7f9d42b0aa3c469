"""A shop on real parts: queues on moto, state in Valkey, workers as processes."""

import json
import random
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import anyio
from redis.maint_notifications import MaintNotificationsConfig

import streamapp_agents
from rigs import behind
from rigs.terminal import bare
from streamapp.cli.demo.servers import local_aws
from streamapp.cli.setup import sources_of
from streamapp.config import Config
from streamapp.messages import Outgoing, Queue
from streamapp.observe.counters import Counters
from streamapp.redis.store import open_redis
from streamapp.sqs.boto import BotoSqs
from streamapp.sqs.queue_setup import create_queues
from streamapp.worker.assembly import assemble
from streamapp.worker.worker import Worker

STREAMS = ("pedido-events", "pagamento-events", "produto-events")
SINK = "acompanhamento-events"
DATA = Path(__file__).parent.parent / "data"
PATIENCE = 50.0
"""Seconds in which a worker has to come to its end."""


@dataclass(frozen=True)
class Sample:
    """One line of the samples: a raw message and the outcome that it must have."""

    queue: str
    body: str
    outcome: str


def samples() -> list[Sample]:
    """All sample messages except the empty one, which SQS refuses."""
    lines = (DATA / "messages.jsonl").read_text().splitlines()
    found = [json.loads(line) for line in lines if line]
    return [Sample(it["queue"], it["body"], it["outcome"]) for it in found if it["body"]]


def dead_samples() -> list[str]:
    """The bodies of the samples that must end as dead letters."""
    return [it.body for it in samples() if it.outcome.startswith("dead:")]


def expected() -> dict[str, Any]:
    """The state that the samples must result in."""
    return json.loads((DATA / "expected.json").read_text())


def shuffled(messages: Sequence[Sample], seed: int) -> list[Sample]:
    """The messages in a random order, a third of them repeated."""
    luck = random.Random(seed)
    mixed = [*messages, *luck.sample(messages, len(messages) // 3)]
    luck.shuffle(mixed)
    return mixed


class Shop:
    """One set of queues and keys that no other test touches."""

    def __init__(self, aws: BotoSqs, redis_url: str, prefix: str, **settings: str) -> None:
        self.aws = aws
        self.names = {name: f"{prefix}-{name}" for name in (*STREAMS, SINK)}
        self.key_prefix = f"{prefix}:"
        self.env = {
            **bare(),
            **local_aws(aws.endpoint),
            "REDIS_URL": redis_url,
            "STREAMAPP_KEY_PREFIX": self.key_prefix,
            "STREAMAPP_WAIT_SECONDS": "1",
            "PEDIDO_QUEUE_URL": self.names["pedido-events"],
            "PAGAMENTO_QUEUE_URL": self.names["pagamento-events"],
            "PRODUTO_QUEUE_URL": self.names["produto-events"],
            "ACOMPANHAMENTO_QUEUE_URL": self.names[SINK],
            **settings,
        }
        # What it tells of itself is not among the documented rights.
        quiet = MaintNotificationsConfig(enabled=False)
        self._redis = behind.client(
            redis_url, decode_responses=True, driver_info=None, maint_notifications_config=quiet
        )

    async def open(self, *, visibility: int | None = None) -> None:
        """Create the queues; *visibility* is their timeout in seconds."""
        await create_queues(
            self.aws,
            Config.load(self.env),
            sources=sources_of(streamapp_agents.app),
            sinks=streamapp_agents.app.sinks,
        )
        if visibility is not None:
            for stream in STREAMS:
                await self.aws.create(self.names[stream], {"VisibilityTimeout": str(visibility)})

    async def close(self) -> None:
        """Close what this holds."""
        await self._redis.aclose()

    async def send(self, messages: Sequence[Sample]) -> None:
        """Send messages, each to its queue, in order."""
        for stream in STREAMS:
            bodies = [message.body for message in messages if message.queue == stream]
            queue = await self.aws.find(self.names[stream])
            for start in range(0, len(bodies), 10):
                outcomes = await self.aws.send(queue, [Outgoing(body) for body in bodies[start : start + 10]])
                assert outcomes == [None] * len(outcomes)

    def start(self, *arguments: str, command: Sequence[str] = ("-m", "streamapp")) -> subprocess.Popen[str]:
        """Start a worker."""
        return subprocess.Popen(
            [sys.executable, *command, "worker", *arguments],
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command in a process of its own, to its end."""
        return subprocess.run(
            [sys.executable, "-m", "streamapp", *arguments],
            env=self.env,
            input=typed,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )

    @contextmanager
    def running(self, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        """Run a worker while the body runs, then kill it."""
        worker = self.start(*arguments)
        try:
            yield worker
        finally:
            worker.kill()
            worker.communicate()

    async def process(self) -> None:
        """Process all messages in this process, which is quicker than a new one."""
        config = Config.load(self.env)
        async with open_redis(config.redis_url) as store:
            parts = await assemble(
                streamapp_agents.app.registry, config, self.aws, store, Counters(), longest_wait=0.0
            )
            assert await Worker(parts).run(idle=0.3)

    async def work_off(self, workers: int = 1) -> str:
        """Process all messages with worker processes; return what they logged."""
        running = [self.start("--exit-when-idle", "1") for _ in range(workers)]
        logs = [await ended(worker) for worker in running]
        assert [worker.returncode for worker in running] == [0] * workers, logs
        return "".join(logs)

    async def hashes(self, table: str) -> dict[str, dict[str, str]]:
        """All hashes of a table, by key."""
        start = f"{self.key_prefix}{table}:"
        keys = [key async for key in self._redis.scan_iter(match=f"{start}*", count=1000)]
        return {key.removeprefix(start): await self._redis.hgetall(key) for key in keys}

    async def dump(self) -> str:
        """All keys of this shop in Redis, as one text."""
        parts: list[object] = []
        async for key in self._redis.scan_iter(match=f"{self.key_prefix}*", count=1000):
            read = {
                "hash": self._redis.hgetall,
                "set": self._redis.smembers,
                "stream": self._redis.xrange,
                "string": self._redis.get,
                "zset": partial(self._redis.zrange, start=0, end=-1),
            }[await self._redis.type(key)]
            parts += [key, await read(key)]
        return repr(parts)

    async def letters(self) -> list[tuple[str, Mapping[str, str]]]:
        """Body and attributes of all dead letters."""
        found: list[tuple[str, Mapping[str, str]]] = []
        for stream in STREAMS:
            queue = await self.aws.find(f"{self.names[stream]}-dlq")
            found += [(letter.body, letter.attributes) for letter in await self._all(queue)]
        return found

    async def announcements(self) -> list[dict[str, Any]]:
        """All announcements sent."""
        return [json.loads(it.body) for it in await self._all(await self.aws.find(self.names[SINK]))]

    async def counts(self, stream: str) -> tuple[int, int]:
        """The numbers of messages that wait in a queue, and that are in flight."""
        attributes = await self.aws.attributes(await self.aws.find(self.names[stream]))
        return (
            int(attributes["ApproximateNumberOfMessages"]),
            int(attributes["ApproximateNumberOfMessagesNotVisible"]),
        )

    async def _all(self, queue: Queue) -> list[Any]:
        found: list[Any] = []
        while deliveries := await self.aws.receive(queue, limit=10, wait=0):
            found += deliveries
        return found


async def ended(worker: subprocess.Popen[str]) -> str:
    """Wait until a worker ends; return what it logged."""
    with anyio.fail_after(PATIENCE):
        return (await anyio.to_thread.run_sync(worker.communicate, abandon_on_cancel=True))[1]


async def until(worker: subprocess.Popen[str], words: str) -> None:
    """Wait until a worker has logged *words*."""
    assert worker.stderr is not None
    with anyio.fail_after(PATIENCE):
        while words not in (await anyio.to_thread.run_sync(worker.stderr.readline, abandon_on_cancel=True)):
            assert worker.poll() is None, "the worker ended"


async def check_state(shop: Shop) -> None:
    """Assert that each hash is what the samples imply, no announcement is pending, and the last of each order is its state."""
    wanted = expected()
    for table in ("acompanhamento", "produto"):
        hashes = await shop.hashes(table)
        for key, fields in wanted[table].items():
            assert {name: hashes[key].get(name) for name in fields} == fields, (table, key)
        owed = [name for fields in hashes.values() for name in fields if name.startswith(("_o:", "_x:"))]
        assert owed == []
    orders = await shop.hashes("acompanhamento")
    assert sorted(orders) == sorted(wanted["acompanhamento"])
    await check_announcements(shop, orders)


async def check_announcements(shop: Shop, orders: Mapping[str, Mapping[str, str]]) -> None:
    """Assert that the newest announcement of each known order is its state, and that no other order is announced."""
    newest: dict[str, dict[str, Any]] = {}
    for announcement in await shop.announcements():
        data = announcement["data"]
        if data["versao"] > newest.get(data["id_pedido"], {"versao": 0})["versao"]:
            newest[data["id_pedido"]] = data
    known = {key: fields for key, fields in orders.items() if fields["conhecido"] == "1"}
    assert sorted(newest) == sorted(known)
    for key, fields in known.items():
        for name in ("status", "status_pagamento", "tempo_estimado"):
            assert newest[key][name] == fields[name], key
        assert str(newest[key]["versao"]) == fields["versao"], key
