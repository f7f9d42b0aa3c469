"""Put together the parts that serve each agent; a queue or a store that is missing is found out here."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from streamapp.app import App
from streamapp.config import Config, queue_variable
from streamapp.errors import ConfigError, ServiceError
from streamapp.flow.batcher import Batcher
from streamapp.flow.outage import Outage
from streamapp.messages import Queue
from streamapp.observe.counters import Counters
from streamapp.observe.presence import PresenceReporter, PresenceStore
from streamapp.observe.shown import shows
from streamapp.observe.tap_writer import Tap, no_tap
from streamapp.outbox.announcer import Announcer
from streamapp.outbox.sender import Sender
from streamapp.outbox.sweeper import Sweeper, SweepPace
from streamapp.pipeline.agent import Agent
from streamapp.pipeline.handoff import Handoff
from streamapp.pipeline.leases import Leases
from streamapp.pipeline.poller import Poller
from streamapp.pipeline.runner import Runner
from streamapp.pipeline.runtime import Runtime
from streamapp.pipeline.settler import Settler
from streamapp.pipeline.tokens import Tokens
from streamapp.sqs.client import BATCH, Sqs
from streamapp.sqs.queue_flaws import source_flaws
from streamapp.state.committer import Committer
from streamapp.state.reads import LINGER, Lookup
from streamapp.state.store import Store

if TYPE_CHECKING:
    from streamapp.observe.tracing import Tracing

logger = logging.getLogger(__name__)

FLUSH = 100
"""Events in one flush of state: about 20 ms of Redis and of folding."""


USUAL_PACE = SweepPace()


@dataclass(frozen=True, slots=True)
class AgentPipeline:
    """All parts that serve one agent."""

    agent: Agent
    queue: Queue
    leases: Leases
    source: Poller
    settler: Settler
    runner: Runner
    concurrency: int


@dataclass(frozen=True, slots=True)
class Assembly:
    """All parts of one worker; none of them runs yet."""

    runtime: Runtime
    lines: Sequence[AgentPipeline]
    batchers: Sequence[Batcher[object, object]]
    sweeper: Sweeper
    tap: Tap
    presence_reporter: PresenceReporter


class QueueMissing(ConfigError):
    """A queue is not there."""

    def __init__(self, name: str, stream: str) -> None:
        super().__init__(
            f"queue {name} does not exist; create it with `streamapp queues create`, "
            f"or set {queue_variable(stream)} to its URL or name"
        )


class UnknownAgent(ConfigError):
    """An agent was asked for that the app does not have."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(f"there is no agent {name!r}; this app has {', '.join(known) or 'none'}")


async def assemble(
    app: App,
    config: Config,
    sqs: Sqs,
    store: Store,
    counters: Counters,
    *,
    agents: Sequence[str] | None = None,
    longest_wait: float = 20.0,
    pace: SweepPace = USUAL_PACE,
    tap: Tap | None = None,
    presence: PresenceStore | None = None,
    tracing: "Tracing | None" = None,
) -> Assembly:
    """Find every queue and the store, and answer what will serve the named agents (None: all).

    *longest_wait* bounds every long poll, in seconds, and *pace* is that of the sweeps. *tap* and *presence* tell
    viewers, and *tracing* whoever looks at traces; without them nobody is told anything.
    Raises `ConfigError` or `ServiceError` for what cannot be used.
    """
    chosen = choose(app, agents)
    tap = no_tap() if tap is None else tap
    sqs = sqs if tracing is None else tracing.over(sqs)
    await store.ping()
    outage = Outage("Redis", store.ping)
    queues = {
        name: await _find(sqs, config, name) for name in (*app.sinks, *(agent.queue for agent in chosen))
    }
    sqs_outage = Outage("SQS", partial(sqs.attributes, next(iter(queues.values()))))
    lines: list[AgentPipeline] = []

    def unsent() -> int:
        """Return how many messages are in hand that may still have something to send."""
        number = 0
        for line in lines:  # no generator: it is asked for each message, some times
            number += len(line.leases) - len(line.settler.acks.deletes)
        return number

    load = None if tracing is None else tracing.with_context
    outboxes = {
        name: Sender(
            sqs,
            queues[name],
            sqs_outage,
            counters,
            in_hand=unsent,
            tap=tap,
            shows=shows(sink.codec),
            load=load,
        )
        for name, sink in app.sinks.items()
    }
    state = Committer(
        store,
        outage,
        ttl=config.state_ttl,
        barrier=config.replicas > 0,
        evicted=lambda table, number: counters.add(table, "evicted", number),
    )
    runtime = Runtime(
        config=config,
        counters=counters,
        store=store,
        store_outage=outage,
        lookup=Lookup(store, outage, ttl=config.state_ttl, in_hand=unsent),
        changes=Batcher(state.flush, name="state", limit=FLUSH, linger=LINGER, in_hand=unsent),
        announcer=Announcer(outboxes, store, outage),
        outboxes=outboxes,
        tracing=tracing,
    )
    letters: list[Sender] = []
    for agent in chosen:
        queue = queues[agent.queue]
        dead = await _dead_letters(sqs, queue, config)
        # Who waits to be dead-lettered holds up others: it comes again, and SQS moves it by rights of its own.
        outbox = (
            Sender(sqs, dead, sqs_outage, counters, in_hand=unsent, even_misconfigured=False)
            if dead
            else None
        )
        letters += [outbox] if outbox else []
        wait = min(config.wait_seconds, longest_wait)
        lines.append(_line(agent, queue, outbox, runtime, sqs, tap, wait=wait))
    batchers = [
        runtime.changes,
        runtime.lookup.reads,
        runtime.lookup.adds,
        runtime.announcer.confirmations,
        *(outbox.batcher for outbox in (*outboxes.values(), *letters)),
        *(line.settler.acks.deletes for line in lines),
    ]
    sweeper = Sweeper(app.tables.values(), store, runtime.announcer, counters, config, pace)
    presence_reporter = PresenceReporter(
        presence,
        tap.worker,
        counters,
        {line.queue.name: line.leases for line in lines},
        [outbox.queue.name for outbox in outboxes.values()],
    )
    return Assembly(runtime, lines, batchers, sweeper, tap, presence_reporter)  # type: ignore[arg-type]  # each takes its own items


def choose(app: App, names: Sequence[str] | None) -> list[Agent]:
    """Return the named agents of *app*, all without names. Raises `UnknownAgent`."""
    for name in names or ():
        if name not in app.agents:
            raise UnknownAgent(name, list(app.agents))
    return [agent for name, agent in app.agents.items() if names is None or name in names]


def most_polls(app: App, config: Config) -> int:
    """Return how many polls may wait at once, each of which needs a connection."""
    return sum(-(-(agent.concurrency or config.concurrency) // BATCH) for agent in app.agents.values())


async def _find(sqs: Sqs, config: Config, stream: str) -> Queue:
    name = config.queue(stream)
    try:
        return await sqs.find(name)
    except ServiceError as error:
        if error.detail.endswith(("QueueDoesNotExist", "NonExistentQueue")):
            raise QueueMissing(name, stream) from error
        raise


async def _dead_letters(sqs: Sqs, queue: Queue, config: Config) -> Queue | None:
    """Return where the letters of *queue* go; what its settings lack is a warning, never a refusal."""
    for flaw in source_flaws(queue, config):
        logger.warning("%s: %s; mend it with: %s", queue.name, flaw.text, flaw.cure)
    if queue.dead_letters is None:
        return None
    try:
        return await sqs.find(queue.dead_letters)
    except ServiceError as error:
        if error.heals:
            raise
        logger.warning("%s: its dead-letter queue %s cannot be used", queue.name, queue.dead_letters)
        return None


def _line(
    agent: Agent, queue: Queue, letters: Sender | None, runtime: Runtime, sqs: Sqs, tap: Tap, *, wait: float
) -> AgentPipeline:
    config, counters = runtime.config, runtime.counters
    concurrency = agent.concurrency or config.concurrency
    feed = Handoff()
    tokens = Tokens(concurrency)
    leases = Leases(sqs, queue, tokens, counters)
    settler = Settler(
        sqs,
        queue,
        leases,
        letters,
        counters,
        max_attempts=config.max_attempts,
        backoff=agent.backoff,
        tap=tap,
        shows=shows(agent.codec),
    )
    source = Poller(
        sqs,
        queue,
        tokens=tokens,
        leases=leases,
        settler=settler,
        feed=feed,
        outage=runtime.store_outage,
        counters=counters,
        wait=wait,
    )
    runner = Runner(agent, feed, settler, runtime, agent.instances or concurrency)
    return AgentPipeline(agent, queue, leases, source, settler, runner, concurrency)
