"""Row 18: bodies that can never be an event, among good ones: they end as dead letters, and the good ones go on."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest
from anyio import create_task_group, sleep

import streamapp_agents
from faults.letters import Letters
from faults.poison import POISON
from rigs.queues import create_sources
from streamapp.app import App
from streamapp.config import Config
from streamapp.messages import Outgoing
from streamapp.observe.counters import Counters
from streamapp.pipeline.agent import Agent
from streamapp.redis.store import RedisStore
from streamapp.sqs.client import BATCH
from streamapp.testing import MemorySqs
from streamapp.worker.assembly import assemble
from streamapp.worker.worker import Worker
from streamapp_agents.simulador.simulacao import simular
from streamapp_codecs import pedido
from streamapp_codecs.codec import Origin

STREAMS = ("pedido-events", "pagamento-events", "produto-events")
MOST_RECEIVES = 8


@dataclass(frozen=True)
class Run:
    """One run: good messages a second, how often an agent was started, and the ledger of its SQS."""

    throughput: float
    starts: Counter[str]
    sqs: MemorySqs


def application(starts: Counter[str], most: dict[str, int]) -> App:
    """Return the real application, which counts how often its functions are called."""
    app = App("poisoned")
    app.registry.sinks = dict(streamapp_agents.app.sinks)

    def counted(agent: Agent) -> Agent:
        async def handler(events: Any) -> None:
            starts[agent.name] += 1
            await agent.handler(events)  # type: ignore[misc]  # none of them yields

        most[agent.name] = agent.instances or agent.concurrency or Config().concurrency
        return replace(agent, handler=handler)

    app.registry.agents = {name: counted(agent) for name, agent in streamapp_agents.app.agents.items()}
    return app


async def work_off(store: RedisStore, prefix: str, orders: int, poison: list[str]) -> Run:
    """Run a worker on the story of that many orders, with *poison* mixed in."""
    sqs, starts, most = MemorySqs(), Counter[str](), dict[str, int]()
    app = application(starts, most)
    story = simular(
        orders, 7, duplicados=0, fora_de_ordem=0, invalidos=0, inicio_em=datetime(2025, 7, 28, 15, tzinfo=UTC)
    )
    for stream, queue in zip(STREAMS, await create_sources(sqs, *STREAMS, visibility=30), strict=True):
        bodies = [message.body for message in story.mensagens if message.queue == stream]
        if stream == "pedido-events":
            bodies += poison
            Random(7).shuffle(bodies)
        for start in range(0, len(bodies), BATCH):
            some = [Outgoing(body) for body in bodies[start : start + BATCH]]
            assert await sqs.send(queue, some) == [None] * len(some)
    await sqs.create("acompanhamento-events", {})
    tally = Counters()
    config = Config(key_prefix=f"{prefix}:", wait_seconds=0.1, drain_timeout=10)
    worker = Worker(await assemble(app.registry, config, sqs, store, tally))
    expected = len(story.mensagens) + len(poison)
    async with create_task_group() as tasks:
        tasks.start_soon(worker.run)
        while tally.of("ok") + tally.of("duplicate") + tally.of("skipped") + tally.of("invalid") < expected:
            await sleep(0.01)
        worker.stop()
    ends = [entry.at for entry in sqs.ledger.entries if entry.operation == "delete"]
    took = max(ends) - sqs.ledger.received()[0].at
    assert starts == most
    assert sqs.ledger.in_flight() == []
    return Run(len(story.mensagens) / took, starts, sqs)


def test_the_corpus_is_poison() -> None:
    """A body that decodes would prove nothing."""
    origin = Origin(queue="q", message_id="m", sent_at=datetime(2025, 7, 28, 18, tzinfo=UTC))

    assert len(set(POISON)) >= 40
    assert [body for body in POISON if pedido.codec.decode(body, origin).error is None] == []


@pytest.mark.timeout(600)
async def test_poison_stops_nobody_and_ends_as_dead_letters_byte_for_byte(
    store: RedisStore, prefix: str, long: bool, figure: Callable[[str], None], letters: Letters
) -> None:
    """One bad producer must not stop the shop, and what it sent must be kept for inspection."""
    # A story is about five messages an order: with 1,280 orders the corpus is one in a hundred.
    orders, rounds, least = (1_280, 5, 0.95) if long else (100, 1, 0.4)
    runs: list[tuple[Run, Run]] = []
    letters.may_die(*POISON)
    for number in range(rounds):
        clean = await work_off(store, f"{prefix}-clean-{number}", orders, [])
        runs.append((clean, await work_off(store, f"{prefix}-poison-{number}", orders, list(POISON))))
    clean_best = max(clean.throughput for clean, _ in runs)
    best = max(poisoned.throughput for _, poisoned in runs)
    last = runs[-1][1].sqs
    dead = last.bodies(await last.find("pedido-events-dlq"))
    receives = last.ledger.receives("pedido-events")
    good = len(last.ledger.deleted()) - len(POISON)

    figure(
        f"{len(POISON)} bodies among {good} good ones ({100 * len(POISON) / (good + len(POISON)):.1f} %): "
        f"agent restarts 0; {best:.0f} good messages/s against {clean_best:.0f} without "
        f"({100 * best / clean_best:.1f} %); all {len(dead)} in the DLQ byte for byte, "
        f"after at most {max(receives.values())} receive(s)"
    )
    assert Counter(dead) == Counter(POISON)
    assert max(receives.values()) <= MOST_RECEIVES
    assert last.bodies(await last.find("pagamento-events-dlq")) == []
    assert best >= least * clean_best
