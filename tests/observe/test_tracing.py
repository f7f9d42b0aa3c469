"""Traces: what a backend sees of each message, and what a message tells the next service."""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from rigs.worker import Add, Note, Rig
from streamapp.errors import Reject
from streamapp.messages import Outgoing
from streamapp.observe.tracing import Tracing
from streamapp.sqs.client import MAX_ATTRIBUTES
from streamapp.testing import Fail, MemoryStore
from streamapp.testing.sqs.message import Attribute, Letter

MAKER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
"""The context of whoever made a message."""


class Traces:
    """All spans that have ended, and a tracer for an agent's own."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self.provider = TracerProvider()
        self.provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.tracer = self.provider.get_tracer("test")

    def named(self, name: str) -> list[ReadableSpan]:
        """Return the spans of this name."""
        return [span for span in self._exporter.get_finished_spans() if span.name == name]

    def text(self) -> str:
        """Return everything that a backend would be told."""
        return "".join(span.to_json() for span in self._exporter.get_finished_spans())


@pytest.fixture
def traces() -> Iterator[Traces]:
    """Keep what is traced."""
    kept = Traces()
    yield kept
    kept.provider.shutdown()


@pytest.fixture
async def traced(traces: Traces) -> Rig:
    """A rig, all in memory, whose worker is traced."""
    it = await Rig(MemoryStore(), "test").create()
    it.tracing = Tracing(traces.provider)
    return it


async def send(rig: Rig, body: str, attributes: Mapping[str, str], queue: str = "orders") -> None:
    """Send one message with attributes."""
    assert await rig.sqs.send(rig.queues[queue], [Outgoing(body, attributes)]) == [None]


async def sent(rig: Rig, queue: str = "out") -> list[Mapping[str, str]]:
    """Return the attributes of what a queue holds."""
    return [it.attributes for it in await rig.sqs.receive(rig.queues[queue], limit=10, wait=0)]


def parent(span: ReadableSpan) -> str:
    """Return how a message names *span*."""
    return named(span.context)


def linked(span: ReadableSpan) -> list[str]:
    """Return what *span* is linked to, as messages name it."""
    return [named(it.context) for it in span.links]


def named(it: trace.SpanContext) -> str:
    """Return a context as messages carry it."""
    return f"00-{it.trace_id:032x}-{it.span_id:016x}-{it.trace_flags:02x}"


async def test_a_message_is_seen_received_processed_sent_on_and_settled(traced: Rig, traces: Traces) -> None:
    """Backends find what they know how to show only by the conventions' names."""
    traced.count()
    await traced.send([Add("a")])

    await traced.work_off()

    url = traced.queues["orders"].url
    about = {
        "messaging.system": "aws_sqs",
        "messaging.destination.name": "orders",
        "aws.sqs.queue.url": url,
        "server.address": "sqs.test",
    }
    (received,), (processed,) = traces.named("receive orders"), traces.named("process orders")
    (told,), (deleted,) = traces.named("send out"), traces.named("delete orders")
    assert received.kind is deleted.kind is told.kind is SpanKind.CLIENT
    assert dict(received.attributes or {}) == about | {
        "messaging.operation.name": "receive",
        "messaging.operation.type": "receive",
        "messaging.batch.message_count": 1,
    }
    assert processed.kind is SpanKind.CONSUMER
    assert processed.parent is None
    message_id = (processed.attributes or {})["messaging.message.id"]
    assert dict(processed.attributes or {}) == about | {
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.message.id": message_id,
        "messaging.message.conversation_id": "a",
    }
    assert dict(deleted.attributes or {}) == about | {
        "messaging.operation.name": "delete",
        "messaging.operation.type": "settle",
        "messaging.batch.message_count": 1,
    }
    assert (told.attributes or {})["messaging.operation.type"] == "send"
    assert all(span.status.status_code is StatusCode.UNSET for span in (received, processed, told, deleted))


async def test_the_processing_is_linked_to_where_the_message_was_made(traced: Rig, traces: Traces) -> None:
    """An order is followed from the service that sent it into this one."""
    traced.count()
    await send(traced, '{"key": "a"}', {"traceparent": MAKER, "tracestate": "vendor=1"})
    await send(traced, '{"key": "b"}', {"traceparent": "nonsense"})

    await traced.work_off()

    spans = {
        (span.attributes or {})["messaging.message.conversation_id"]: span
        for span in traces.named("process orders")
    }
    assert linked(spans["a"]) == [MAKER]
    assert spans["a"].links[0].context.trace_state.to_header() == "vendor=1"
    assert linked(spans["b"]) == []
    assert [MAKER] in [linked(span) for span in traces.named("receive orders")]


async def test_a_message_without_a_context_is_linked_to_where_xray_says(traced: Rig, traces: Traces) -> None:
    """What S3, SNS or EventBridge sent carries AWS's own header alone; a context of the maker's goes before it."""
    traced.count()
    xray = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
    own = {"traceparent": Attribute("String", MAKER)}
    bodies = [f'{{"key": "{key}"}}' for key in "abc"]
    letters = [
        Letter(bodies[0], trace=xray),
        Letter(bodies[1], own, trace=xray),
        Letter(bodies[2], trace="Root=nonsense"),
    ]
    await traced.sqs.service.send("orders", letters, list("012"))

    await traced.work_off()

    spans = {
        (span.attributes or {})["messaging.message.conversation_id"]: linked(span)
        for span in traces.named("process orders")
    }
    assert spans == {
        "a": ["00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01"],
        "b": [MAKER],
        "c": [],
    }


async def test_an_announcement_carries_the_context_of_its_event(traced: Rig, traces: Traces) -> None:
    """And the next service follows it on; body and id stay what they are without traces."""
    traced.count()
    await traced.send([Add("a")])

    await traced.work_off()

    (processed,) = traces.named("process orders")
    (told,) = traces.named("send out")
    assert traced.bodies() == ['{"key_total":"1","times":1}']
    assert await sent(traced) == [{"traceparent": parent(processed)}]
    assert linked(told) == [parent(processed)]


async def test_what_an_agent_yields_carries_the_context_and_its_own_spans_are_children(
    traced: Rig, traces: Traces
) -> None:
    """The agent's own calls belong to the event that they are made for, each event to its own."""

    async def yielding(events: Any) -> Any:
        async for event in events:
            with traces.tracer.start_as_current_span(f"work {event.key}"):
                pass
            yield Note(event.key, 1)

    traced.agent(yielding, sink=traced.out, concurrency=1)
    await traced.send([Add("a"), Add("b")])

    await traced.work_off()

    processed = traces.named("process orders")
    own = [traces.named(f"work {key}")[0] for key in "ab"]
    assert sorted(it["traceparent"] for it in await sent(traced)) == sorted(map(parent, processed))
    assert len({span.context.trace_id for span in own}) == 2
    assert {span.parent.span_id for span in own if span.parent} == {it.context.span_id for it in processed}


async def test_a_batch_is_one_processing_linked_to_each_message(traced: Rig, traces: Traces) -> None:
    """What is processed together has one duration and several origins."""

    async def batches(events: Any) -> None:
        async for _ in events.take(2, within=5):
            pass

    traced.agent(batches, concurrency=2, instances=1)
    other = MAKER.replace("b7ad", "c7ad")
    for origin in (MAKER, other):
        await send(traced, '{"key": "a"}', {"traceparent": origin})

    await traced.work_off()

    (processed,) = traces.named("process orders")
    assert sorted(linked(processed)) == [MAKER, other]
    assert (processed.attributes or {})["messaging.batch.message_count"] == 2
    assert "messaging.message.id" not in (processed.attributes or {})


async def test_a_failure_is_named_and_its_text_is_not_told(traced: Rig, traces: Traces) -> None:
    """Texts of errors quote messages, and messages hold people's names."""

    async def failing(events: Any) -> None:
        async for event in events:
            raise ValueError(f"Maria da Silva ordered {event.key}")

    traced.agent(failing)
    await traced.send([Add("Rua das Flores")])

    await traced.work_off()

    spans = traces.named("process orders")
    assert len(spans) == 3
    assert {(span.attributes or {})["error.type"] for span in spans} == {"ValueError"}
    assert {span.status.status_code for span in spans} == {StatusCode.ERROR}
    assert not any(word in traces.text() for word in ("Maria", "Flores"))


async def test_a_dead_letter_keeps_its_attributes_and_gains_no_context(traced: Rig, traces: Traces) -> None:
    """What is redriven later must still lead to where it was made."""

    async def rejecting(events: Any) -> None:
        async for _ in events:
            raise Reject("unwanted")

    traced.agent(rejecting)
    await send(traced, '{"key": "a"}', {"traceparent": MAKER, "tenant": "t"})
    await send(traced, '{"key": "b"}', {})

    await traced.work_off()

    letters = await sent(traced, "orders-dlq")
    assert [{name: it.get(name) for name in ("traceparent", "tenant")} for it in letters] == [
        {"traceparent": MAKER, "tenant": "t"},
        {"traceparent": None, "tenant": None},
    ]
    assert {(span.attributes or {})["error.type"] for span in traces.named("process orders")} == {"unwanted"}


async def test_a_refused_call_is_seen_with_its_kind(traced: Rig, traces: Traces) -> None:
    """An outage shows where it happened."""
    traced.count()
    await traced.send([Add("a")])
    traced.sqs.faults.add("send", Fail("ServiceUnavailable"), times=1)

    await traced.work_off()

    assert [(span.attributes or {}).get("error.type") for span in traces.named("send out")] == [
        "transient",
        None,
    ]


async def test_the_context_is_dropped_where_there_is_no_room(traces: Traces) -> None:
    """A trace is never worth a message that SQS refuses."""
    state = trace.TraceState([("vendor", "1")])
    context = trace.SpanContext(1, 2, is_remote=False, trace_state=state)
    both, one = {"traceparent", "tracestate"}, {"traceparent"}
    others = {f"a{n}": "v" for n in range(MAX_ATTRIBUTES)}

    def added(attributes: Mapping[str, str], room: int) -> set[str]:
        message = Outgoing("body", attributes)
        laden = Tracing(traces.provider).laden(message, message.size + room)
        assert laden.size <= message.size + room
        assert laden.attributes.items() >= attributes.items()
        return laden.attributes.keys() - attributes.keys()

    with trace.use_span(trace.NonRecordingSpan(context)):
        assert added({}, 1000) == both
        assert added(dict(list(others.items())[:8]), 1000) == both
        assert added(dict(list(others.items())[:9]), 1000) == one
        assert added(others, 1000) == set()
        assert added({}, 80) == one
        assert added({}, 20) == set()
    assert added({}, 1000) == set()


async def test_an_idle_worker_tells_nothing(traced: Rig, traces: Traces) -> None:
    """Nobody pays for a span each time a poll brings nothing."""
    traced.count()

    await traced.work_off()

    assert traces.text() == ""


def test_nothing_of_it_is_imported_without_a_provider() -> None:
    """Who does not trace pays nothing, and need not have OpenTelemetry."""
    program = """
import sys
sys.modules["opentelemetry"] = None  # as where it is not installed
import streamapp, streamapp.cli.root, streamapp.cli.worker.process
from streamapp.web.monitoring import tracing_in_use
assert tracing_in_use() is None
assert "streamapp.observe.tracing" not in sys.modules
"""

    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_a_provider_that_is_set_is_used() -> None:
    """The app, or what started it, says where spans go; without that they go nowhere."""
    program = """
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from streamapp.web.monitoring import tracing_in_use
assert tracing_in_use() is None
trace.set_tracer_provider(TracerProvider())
assert tracing_in_use() is not None
"""

    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
