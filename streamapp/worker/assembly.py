"""Put together the parts of a worker; a queue or a store that is missing is found here."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from streamapp.config import Config, queue_variable
from streamapp.declared.registry import Registry
from streamapp.declared.sink import Sink
from streamapp.errors import ConfigError, ServiceError
from streamapp.flow.batcher import Batcher
from streamapp.flow.expected_items import ExpectedItems
from streamapp.flow.outage import Outage
from streamapp.messages import Queue
from streamapp.observe.counters import OF_LETTERS, OF_SINK, OF_SOURCE, Counters
from streamapp.observe.presence import PresenceReporter, PresenceStore
from streamapp.observe.quiet_log import QuietLog
from streamapp.observe.shown import show_body_of
from streamapp.observe.tap_writer import Tap, no_tap
from streamapp.outbox.announcer import Announcer
from streamapp.outbox.sender import Sender
from streamapp.outbox.sweeper import Sweeper, SweepPace
from streamapp.pipeline.acks import Acks
from streamapp.pipeline.agent import Agent
from streamapp.pipeline.handoff import Handoff
from streamapp.pipeline.leases import Leases
from streamapp.pipeline.poller import Poller
from streamapp.pipeline.runner import Runner
from streamapp.pipeline.runtime import Runtime, StoreUse
from streamapp.pipeline.settler import Settler
from streamapp.pipeline.tokens import Tokens
from streamapp.sqs.client import BATCH, Sqs
from streamapp.sqs.queue_flaws import SHORTEST_LEASE, lease_of, source_flaws
from streamapp.state.committer import FLUSH, Committer
from streamapp.state.reads import LINGER, Lookup
from streamapp.state.store import Store

if TYPE_CHECKING:
    from streamapp.observe.tracing import Tracing

logger = logging.getLogger(__name__)

USUAL_PACE = SweepPace()


@dataclass(frozen=True, slots=True)
class AgentPipeline:
    """All parts that serve one agent."""

    agent: Agent
    queue: Queue
    leases: Leases
    poller: Poller
    acks: Acks
    runner: Runner
    concurrency: int


@dataclass(frozen=True, slots=True)
class Assembly:
    """All parts of one worker; nothing runs yet."""

    runtime: Runtime
    pipelines: Sequence[AgentPipeline]
    batchers: Sequence[Batcher[Any, Any]]
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
    registry: Registry,
    config: Config,
    sqs: Sqs,
    store: Store,
    counters: Counters,
    *,
    agents: Sequence[str] | None = None,
    longest_wait: float = 20.0,
    pace: SweepPace = USUAL_PACE,
    shortest_lease: float = SHORTEST_LEASE,
    tap: Tap | None = None,
    presence: PresenceStore | None = None,
    tracing: "Tracing | None" = None,
    is_rehearsal: bool = False,
) -> Assembly:
    """Find every queue and the store, and return what will serve the named agents (None: all).

    *longest_wait* bounds every long poll and *shortest_lease* every lease, in seconds; *pace* is that of the sweeps. *tap* and *presence* are for
    viewers, *tracing* for a tracing backend; each may be missing. With *is_rehearsal* agents are told that *sqs* and *store*
    keep nothing.
    Raises `ConfigError` or `ServiceError` for what cannot be used.
    """
    chosen = choose(registry, agents)
    sqs = sqs if tracing is None else tracing.wrap(sqs)
    await store.ping()
    queues = await _queues(sqs, config, [*registry.sinks, *(agent.queue for agent in chosen)])
    use = _Surroundings(
        config,
        sqs,
        Outage("SQS", partial(sqs.attributes, next(iter(queues.values())))),
        store,
        Outage("Redis", store.ping),
        counters,
        no_tap() if tap is None else tap,
        min(config.wait_seconds, longest_wait),
        shortest_lease,
        tracing,
        is_rehearsal,
    )
    runtime = _runtime(
        use, {name: _sender_of(use, sink, queues[name]) for name, sink in registry.sinks.items()}
    )
    dead_letter_sender: dict[str, Sender | None] = {
        agent.queue: await _dead_letter_sender(use, queues[agent.queue]) for agent in chosen
    }
    pipelines = [
        _pipeline(use, agent, queues[agent.queue], dead_letter_sender[agent.queue], runtime)
        for agent in chosen
    ]
    _begin_counters(counters, registry, pipelines, runtime)
    return Assembly(
        runtime,
        pipelines,
        _batchers(runtime, pipelines, [it for it in dead_letter_sender.values() if it is not None]),
        Sweeper(
            [table.folding for table in registry.tables.values()],
            store,
            runtime.announcer,
            counters,
            config,
            pace,
        ),
        use.tap,
        _presence_reporter(use, presence, runtime, pipelines),
    )


def choose(registry: Registry, names: Sequence[str] | None) -> list[Agent]:
    """Return the named agents of *registry*, all without names. Raises `UnknownAgent`."""
    for name in names or ():
        if name not in registry.agents:
            raise UnknownAgent(name, list(registry.agents))
    return [agent for name, agent in registry.agents.items() if names is None or name in names]


def most_polls(registry: Registry, config: Config) -> int:
    """Return how many polls may wait at once, each of which needs a connection."""
    return sum(-(-(agent.concurrency or config.concurrency) // BATCH) for agent in registry.agents.values())


@dataclass(frozen=True, slots=True)
class _Surroundings:
    """What the parts of a worker need; *unfinished* counts deliveries that may still have something to send."""

    config: Config
    sqs: Sqs
    sqs_outage: Outage
    store: Store
    store_outage: Outage
    counters: Counters
    tap: Tap
    wait: float
    shortest_lease: float
    tracing: "Tracing | None"
    is_rehearsal: bool
    unfinished: ExpectedItems = field(default_factory=lambda: ExpectedItems(0))


async def _queues(sqs: Sqs, config: Config, streams: Iterable[str]) -> dict[str, Queue]:
    return {stream: await _find(sqs, config, stream) for stream in streams}


async def _find(sqs: Sqs, config: Config, stream: str) -> Queue:
    name = config.queue(stream)
    try:
        return await sqs.find(name)
    except ServiceError as error:
        if error.detail.endswith(("QueueDoesNotExist", "NonExistentQueue")):
            raise QueueMissing(name, stream) from error
        raise


def _sender_of(use: _Surroundings, sink: Sink[Any], queue: Queue) -> Sender:
    return Sender(
        use.sqs,
        queue,
        use.sqs_outage,
        use.counters,
        expected_items=use.unfinished,
        tap=use.tap,
        show_body=show_body_of(sink.codec),
        add_trace=None if use.tracing is None else use.tracing.with_context,
    )


async def _dead_letter_sender(use: _Surroundings, queue: Queue) -> Sender | None:
    """Return the sender to the dead-letter queue of *queue*, None if there is none that can be used."""
    dead = await _dead_letter_queue(use.sqs, queue, use.config)
    if dead is None:
        return None
    # To wait for a broken dead-letter queue would block the agent. The message is given back instead, and SQS's
    # redrive policy moves it in the end.
    return Sender(
        use.sqs, dead, use.sqs_outage, use.counters, expected_items=use.unfinished, even_misconfigured=False
    )


async def _dead_letter_queue(sqs: Sqs, queue: Queue, config: Config) -> Queue | None:
    """Return the dead-letter queue of *queue*. What its settings lack is a warning, never a refusal."""
    for flaw in source_flaws(queue, config):
        logger.warning("%s: %s; mend it with: %s", queue.name, flaw.text, flaw.cure)
    if queue.dead_letters is None:
        return None
    try:
        return await sqs.find(queue.dead_letters_arn or queue.dead_letters)
    except ServiceError as error:
        if error.heals:
            raise
        detail = error.detail
        logger.warning(
            "%s: its dead-letter queue %s cannot be used: %s", queue.name, queue.dead_letters, detail
        )
        return None


def _runtime(use: _Surroundings, senders: Mapping[str, Sender]) -> Runtime:
    """Return what all agents share: state, its reads, and its announcements."""
    ttl = use.config.state_ttl
    committer = Committer(
        use.store,
        use.store_outage,
        ttl=ttl,
        barrier=use.config.replicas > 0,
        evicted=partial(_count_evicted, use.counters, QuietLog(logger)),
    )
    return Runtime(
        config=use.config,
        counters=use.counters,
        store=use.store,
        store_outage=use.store_outage,
        lookup=Lookup(use.store, use.store_outage, ttl=ttl, expected_items=use.unfinished),
        changes=Batcher(
            committer.flush, name="state", limit=FLUSH, linger=LINGER, expected_items=use.unfinished
        ),
        announcer=Announcer(senders, use.store, use.store_outage),
        senders=senders,
        tracing=use.tracing,
        is_rehearsal=use.is_rehearsal,
    )


def _begin_counters(
    counters: Counters, registry: Registry, pipelines: Sequence[AgentPipeline], runtime: Runtime
) -> None:
    """Begin all that is counted of a worker with 0."""
    for pipeline in pipelines:
        counters.begin(pipeline.queue.name, OF_SOURCE)
        counters.begin(pipeline.agent.name, ["blocked"])
        if pipeline.queue.dead_letters is not None:
            counters.begin(pipeline.queue.dead_letters, OF_LETTERS)
    counters.begin("none", ["blocked"])
    for sender in runtime.senders.values():
        counters.begin(sender.queue.name, OF_SINK)
    for table in registry.tables.values():
        if table.folding.once:
            counters.begin(table.folding.name, ["evicted"])


def _count_evicted(counters: Counters, quiet_log: QuietLog, table: str, number: int) -> None:
    counters.add(table, "evicted", number)
    sentence = "a key has more events than it keeps identities of: an old one that comes again counts twice"
    quiet_log.log(logging.WARNING, sentence, table, table=table, number=number)


def _pipeline(
    use: _Surroundings, agent: Agent, queue: Queue, dead_letter_sender: Sender | None, runtime: Runtime
) -> AgentPipeline:
    """Return the parts that serve *agent*."""
    concurrency = agent.concurrency or use.config.concurrency
    store_use = StoreUse()
    tokens = Tokens(concurrency)
    seconds = lease_of(queue, use.shortest_lease)
    leases = Leases(use.sqs, queue, tokens, use.counters, use.unfinished, seconds=seconds)
    handoff = Handoff(fifo=queue.fifo, tokens=tokens)
    acks = Acks(use.sqs, queue, leases, handoff, use.counters)
    settler = Settler(
        queue,
        acks,
        dead_letter_sender,
        runtime.announcer,
        handoff,
        use.counters,
        max_attempts=use.config.max_attempts,
        backoff=agent.backoff,
        tap=use.tap,
        show_body=show_body_of(agent.codec),
    )
    poller = Poller(
        use.sqs,
        queue,
        tokens=tokens,
        leases=leases,
        acks=acks,
        handoff=handoff,
        store_outage=use.store_outage,
        store_use=store_use,
        counters=use.counters,
        wait=use.wait,
    )
    own = replace(runtime, store_use=store_use)
    runner = Runner(agent, handoff, settler, own, agent.instances or concurrency)
    return AgentPipeline(agent, queue, leases, poller, acks, runner, concurrency)


def _batchers(
    runtime: Runtime, pipelines: Sequence[AgentPipeline], dead_letter_sender: Sequence[Sender]
) -> Sequence[Batcher[Any, Any]]:
    """Return what must be flushed before the worker ends."""
    return [
        runtime.changes,
        runtime.lookup.reads,
        runtime.lookup.adds,
        runtime.announcer.confirmations,
        *(sender.batcher for sender in (*runtime.senders.values(), *dead_letter_sender)),
        *(pipeline.acks.deletes for pipeline in pipelines),
    ]


def _presence_reporter(
    use: _Surroundings,
    presence: PresenceStore | None,
    runtime: Runtime,
    pipelines: Sequence[AgentPipeline],
) -> PresenceReporter:
    return PresenceReporter(
        presence,
        use.tap.worker,
        use.counters,
        {pipeline.queue.name: pipeline.leases for pipeline in pipelines},
        [sender.queue.name for sender in runtime.senders.values()],
    )
