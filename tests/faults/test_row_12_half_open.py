"""Row 12: a connection on which nothing comes any more, or a byte now and then, is given up in time and replaced."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import pytest
from anyio import create_task_group, current_time, sleep

from faults.flaky_proxy import FlakyProxy, dropped, may_drop, proxy_to
from rigs.worker import until
from streamapp.app import App
from streamapp.cli.demo.servers import local_aws
from streamapp.config import Config
from streamapp.errors import ServiceError
from streamapp.messages import Delivery, Outgoing, Queue
from streamapp.observe.counters import Counters
from streamapp.redis.store import RedisStore
from streamapp.sqs.boto import CALL_TIMEOUT, SLACK, open_aws
from streamapp.sqs.client import Failure, Sqs
from streamapp.testing import MemorySqs, serve
from streamapp.worker.assembly import assemble
from streamapp.worker.worker import Worker
from streamapp_codecs import Json

WAIT = 1.0
"""Seconds of a long poll."""


@dataclass
class Timed:
    """An SQS that records how long failed calls took, and when receives returned."""

    sqs: Any
    failed: list[tuple[str, float]] = field(default_factory=list)
    answered_at: float = 0.0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.sqs, name)

    async def receive(
        self, queue: Queue, *, limit: int, wait: float, visibility: int | None = None
    ) -> list[Delivery]:
        """Receive."""
        with self._timed("receive"):
            answer = await self.sqs.receive(queue, limit=limit, wait=wait, visibility=visibility)
            self.answered_at = current_time()
            return answer

    async def delete(self, queue: Queue, handles: Any) -> list[Failure | None]:
        """Delete."""
        with self._timed("delete"):
            return await self.sqs.delete(queue, handles)

    @contextmanager
    def _timed(self, name: str) -> Any:
        began = current_time()
        try:
            yield
        except ServiceError:
            self.failed.append((name, current_time() - began))
            raise

    def longest(self, name: str) -> float:
        """Return the longest time that a call took to fail."""
        return max((took for called, took in self.failed if called == name), default=0.0)


@dataclass
class ProxiedWorker:
    """A worker behind a proxy."""

    memory: MemorySqs
    queue: Queue
    timed: Timed
    tally: Counters
    proxy: FlakyProxy
    port: int

    async def fill(self, count: int) -> None:
        """Send messages."""
        for n in range(count):
            await self.memory.send(self.queue, [Outgoing(json.dumps({"n": n}))])


@asynccontextmanager
async def behind_a_proxy(
    store: RedisStore, prefix: str, visibility: int, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[ProxiedWorker]:
    """Run a worker behind a proxy."""
    memory, app, tally = MemorySqs(), App("wire"), Counters()

    @app.agent("orders", Json(dict), concurrency=10)
    async def orders(events: Any) -> None:
        async for _ in events:
            await sleep(0.3)

    queue = await memory.create("orders", {"VisibilityTimeout": str(visibility)})
    config = Config(key_prefix=f"{prefix}:", wait_seconds=WAIT, drain_timeout=5)
    async with serve(memory) as far, proxy_to(far) as (proxy, endpoint):
        for variable, value in local_aws(endpoint).items():
            monkeypatch.setenv(variable, value)
        async with open_aws() as aws, create_task_group() as tasks:
            timed = Timed(aws)
            sqs: Sqs = timed  # type: ignore[assignment]  # it is one by what it wraps
            worker = Worker(
                await assemble(app.registry, config, sqs, store, tally, shortest_lease=visibility)
            )
            await tasks.start(worker.run)
            yield ProxiedWorker(memory, queue, timed, tally, proxy, int(endpoint.rsplit(":", 1)[1]))
            worker.stop()


async def outage(rig: ProxiedWorker, lasts: float, *, drip: float, drops: bool) -> tuple[float, int]:
    """Cut the connection while a poll is open and messages are in hand.

    Return the seconds from its repair to the first response, and how many messages were received more than once.
    """
    await rig.fill(8)
    await until(lambda: rig.tally.of("received") == 8)
    with dropped(rig.port) if drops else nullcontext():
        if drip:
            rig.proxy.drip = drip
        elif not drops:
            rig.proxy.cut()
        await sleep(lasts)
    rig.proxy.heal()
    healed_at = current_time()
    await rig.fill(1)
    await until(lambda: rig.timed.answered_at > healed_at, within=60)  # clock: their order
    back = current_time() - healed_at
    # The messages of a poll that was given up come again when their visibility ends.
    await until(lambda: not rig.memory.bodies(rig.queue), within=60)
    return back, sum(n > 1 for n in rig.memory.ledger.receives().values())


@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", ["silence", "drip", "iptables"])
async def test_a_half_open_connection_is_given_up_and_replaced(
    kind: str,
    store: RedisStore,
    prefix: str,
    long: bool,
    figure: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A router that forgets a connection does not close it; a worker that waits on it would wait for ever."""
    if kind == "iptables" and not long:
        pytest.skip("the long form only: `just faults 12`; the proxy shows the same here")
    if kind == "iptables" and not may_drop():
        pytest.skip("iptables is missing, or this user may not use it")
    lasts, visibility, slack, call = (60.0, 30, SLACK, CALL_TIMEOUT) if long else (4.0, 4, 0.5, 1.0)
    monkeypatch.setattr("streamapp.sqs.boto.SLACK", slack)
    monkeypatch.setattr("streamapp.sqs.boto.CALL_TIMEOUT", call)
    async with behind_a_proxy(store, prefix, visibility, monkeypatch) as rig:
        back, again = await outage(rig, lasts, drip=1.0 if kind == "drip" else 0.0, drops=kind == "iptables")
        done = rig.tally.of("ok") + rig.tally.of("duplicate")

    poll, ack = rig.timed.longest("receive"), rig.timed.longest("delete")
    figure(
        f"{kind} for {lasts:g} s: a poll of {WAIT:g} s given up after at most {poll:.2f} s, an acknowledgement after "
        f"{ack:.2f} s; polling again {back:.2f} s after the cure; {done} ends of 9 messages, {again} received again, lost 0"
    )
    assert poll > 0, "no poll was given up"
    assert ack > 0, "no acknowledgement was given up"
    if long:
        assert poll <= WAIT + 10  # clock: the row's figure
        assert ack <= 5.5  # clock: the row's figure, and half a second for the machine
        assert back <= 30  # clock: the row's figure
    assert rig.memory.ledger.in_flight() == []
