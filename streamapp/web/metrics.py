"""A worker's metrics in Prometheus's format; messaging metrics are named by OpenTelemetry's conventions."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

from anyio import current_time
from prometheus_client import CollectorRegistry, Histogram, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from streamapp.errors import Fault
from streamapp.messages import Queue
from streamapp.observe.counters import EVENTS, OUTCOMES, Counters
from streamapp.observe.tap_writer import Recordable
from streamapp.pipeline.attempt import Attempt
from streamapp.sqs.depths import Depths
from streamapp.worker.assembly import AgentPipeline
from streamapp.worker.worker import Worker

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
"""Bounds of durations in seconds, from OpenTelemetry's messaging conventions."""

AGES = (0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3600, 14_400, 86_400)
"""Bounds of the ages of messages, in seconds: from at once to a day's outage."""


class Metrics:
    """The content of `/metrics`: the worker's counters, gauges of its parts, histograms of durations."""

    def __init__(self, counters: Counters) -> None:
        self.depths = Depths()
        """Counts the messages in the queues, while its `run` is running."""
        self._registry = CollectorRegistry()
        self._failures: Counter[tuple[str, str, str]] = Counter()
        self._registry.register(_CounterCollector(counters))
        self._registry.register(_FailureCollector(self._failures))
        self._registry.register(_QueueCollector(self.depths))
        ProcessCollector(registry=self._registry)
        self._took = Histogram(
            "messaging_process_duration_seconds",
            "From an agent's taking a message until it has ended.",
            ["messaging_destination_name", "error_type"],
            buckets=SECONDS,
            registry=self._registry,
        )
        self._calls = Histogram(
            "messaging_client_operation_duration_seconds",
            "Calls to SQS; a receive that brought nothing is not counted.",
            ["messaging_system", "messaging_destination_name", "messaging_operation_name", "error_type"],
            buckets=SECONDS,
            registry=self._registry,
        )
        self._age = Histogram(
            "streamapp_message_age_seconds",
            "From a message's being sent until it ended well.",
            ["stream"],
            buckets=AGES,
            registry=self._registry,
        )

    def begin(self, worker: Worker) -> None:
        """From now on, report *worker*'s parts too; all that may be counted of them is there, with 0."""
        for queue, operations in worker.calls().items():
            for operation in operations:
                self._calls.labels("aws_sqs", queue, operation, "")
                for fault in Fault:
                    self._failures[queue, operation, fault.value] += 0
        for pipeline in worker.pipelines:
            self._took.labels(pipeline.queue.name, "")
            self._age.labels(pipeline.queue.name)
        self._registry.register(_WorkerCollector(worker))

    def note(self, seen: Recordable) -> None:
        """Record how long an attempt took and, when it ended well, the age of its message."""
        if not isinstance(seen, Attempt):
            return
        lease, queue = seen.lease, seen.queue
        if seen.begun_at is not None:
            self._took.labels(queue, seen.reason or "").observe(seen.at - seen.begun_at)
        if seen.outcome in {"ok", "duplicate", "skipped"}:
            self._age.labels(queue).observe(max(0.0, seen.at - lease.delivery.sent_at.timestamp()))

    def call(self, queue: Queue, operation: str, seconds: float, error: str) -> None:
        """Record how long a call to SQS took; *error* is the class of its failure, "" for none."""
        self._calls.labels("aws_sqs", queue.name, operation, error).observe(seconds)
        if error:
            self._failures[queue.name, operation, error] += 1

    def render(self) -> tuple[bytes, str]:
        """Return all metrics as text, and its content type."""
        return generate_latest(self._registry), CONTENT_TYPE_LATEST


class _CounterCollector(Collector):
    def __init__(self, counters: Counters) -> None:
        self._counters = counters

    def collect(self) -> Iterator[Metric]:
        """Return the worker's counters."""
        outcomes = CounterMetricFamily(
            "streamapp_messages", "Attempts at messages by how they ended.", labels=["stream", "outcome"]
        )
        consumed = CounterMetricFamily(
            "messaging_client_consumed_messages",
            "Messages received.",
            labels=["messaging_system", "messaging_destination_name", "messaging_operation_name"],
        )
        sent = CounterMetricFamily(
            "messaging_client_sent_messages",
            "Messages that SQS accepted.",
            labels=["messaging_system", "messaging_destination_name", "messaging_operation_name"],
        )
        batches = CounterMetricFamily(
            "streamapp_sink_batches", "Calls in which messages were sent.", labels=["stream"]
        )
        events = CounterMetricFamily(
            "streamapp_events",
            f"What an operator should see: {', '.join(EVENTS)}.",
            labels=["subject", "event"],
        )
        for (subject, word), number in self._counters.counts().items():
            match word:
                case "received":
                    consumed.add_metric(["aws_sqs", subject, "receive"], number)
                case "sent":
                    sent.add_metric(["aws_sqs", subject, "send"], number)
                case "sends":
                    batches.add_metric([subject], number)
                case _ if word in OUTCOMES:
                    outcomes.add_metric([subject, word], number)
                case _:
                    events.add_metric([subject, word], number)
        yield from (outcomes, consumed, sent, batches, events)


class _FailureCollector(Collector):
    def __init__(self, failures: Mapping[tuple[str, str, str], int]) -> None:
        self._failures = failures

    def collect(self) -> Iterator[Metric]:
        """Return the numbers of calls to SQS that failed."""
        family = CounterMetricFamily(
            "streamapp_sqs_failures",
            "Calls to SQS that failed, by what can be done about it.",
            labels=["stream", "operation", "error_type"],
        )
        for labels, number in self._failures.items():
            family.add_metric(labels, number)
        yield family


class _QueueCollector(Collector):
    def __init__(self, depths: Depths) -> None:
        self._depths = depths

    def collect(self) -> Iterator[Metric]:
        """Return the numbers that SQS gave last."""
        family = GaugeMetricFamily(
            "streamapp_queue_messages",
            "Messages in a queue, as SQS counts them: waiting, in_flight, delayed.",
            labels=["stream", "state"],
        )
        for labels, number in self._depths.known.items():
            family.add_metric(labels, number)
        yield family


class _WorkerCollector(Collector):
    def __init__(self, worker: Worker) -> None:
        self._worker = worker

    def collect(self) -> Iterator[Metric]:
        """Return the state of the worker's parts now."""
        worker, now = self._worker, current_time()
        yield _gauge("streamapp_draining", "Whether the worker was told to stop.", {"": worker.is_draining})
        yield _gauge(
            "streamapp_redis_up", "Whether state can be used.", {"": not worker.runtime.store_outage.is_on}
        )
        if (backlog := worker.sweeper.backlog) is not None:  # after the first sweep
            yield _gauge(
                "streamapp_oldest_pending_announcement_seconds",
                "For how long the oldest announcement that the last sweep found has been owed; 0 where none is.",
                {"": backlog.oldest},
            )
        for name, text, value in _BY_STREAM:
            yield _gauge(
                f"streamapp_{name}",
                text,
                {pipeline.queue.name: value(pipeline, now) for pipeline in worker.pipelines},
                "stream",
            )
        decoded = CounterMetricFamily(
            "streamapp_decoded",
            "Bodies by the path of the codec that took them.",
            labels=["stream", "path"],
        )
        for pipeline in worker.pipelines:
            paths: Mapping[str, int] = getattr(pipeline.agent.codec, "paths", {})
            for path, number in paths.items():
                decoded.add_metric([pipeline.queue.name, path], number)
        yield decoded


_BY_STREAM: Sequence[tuple[str, str, Callable[[AgentPipeline, float], float]]] = (
    ("in_flight", "Messages in hand.", lambda pipeline, _: len(pipeline.leases)),
    ("concurrency", "Messages in hand at most.", lambda pipeline, _: pipeline.concurrency),
    (
        "last_poll_timestamp_seconds",
        "When a receive last ended well; 0 before the first.",
        lambda pipeline, _: pipeline.poller.polled_at or 0.0,
    ),
    (
        "poll_overdue_seconds",
        "For how long a receive is late.",
        lambda pipeline, now: max(0.0, pipeline.poller.silent_for(now)),
    ),
    ("polls_failing", "Whether receives fail.", lambda pipeline, _: pipeline.poller.failure is not None),
)


def _gauge(name: str, text: str, values: Mapping[str, float], label: str = "") -> GaugeMetricFamily:
    gauge = GaugeMetricFamily(name, text, labels=[label] if label else [])
    for key, value in values.items():
        gauge.add_metric([key] if label else [], float(value))
    return gauge
