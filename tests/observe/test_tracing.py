"""Traces: the spans of each message, and the context that messages carry to the next service."""

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
from streamapp.testing.sqs.message import MessageAttribute, MessageContent

SENDER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
"""The context of a message's sender."""


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
        """Return everything that a backend would receive."""
        return "".join(span.to_json() for span in self._exporter.get_finished_spans())


@pytest.fixture
def traces() -> Iterator[Traces]:
    """Collect all spans."""
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
    """Return the attributes of the messages in a queue."""
    return [it.attributes for it in await rig.sqs.receive(rig.queues[queue], limit=10, wait=0)]


def parent(span: ReadableSpan) -> str:
    """Return the context of *span*, as messages carry it."""
    return named(span.context)


def linked(span: ReadableSpan) -> list[str]:
    """Return the contexts that *span* is linked to, as messages carry them."""
    return [named(it.context) for it in span.links]


def named(it: trace.SpanContext) -> str:
    """Return a context as messages carry it."""
    return f"00-{it.trace_id:032x}-{it.span_id:016x}-{it.trace_flags:02x}"


async def test_a_message_has_spans_for_receive_process_send_and_delete(traced: Rig, traces: Traces) -> None:
    """Backends recognise messaging spans only by the conventions' names."""
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
    (sent_span,), (deleted,) = traces.named("send out"), traces.named("delete orders")
    assert received.kind is deleted.kind is sent_span.kind is SpanKind.CLIENT
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
    assert (sent_span.attributes or {})["messaging.operation.type"] == "send"
    assert all(
        span.status.status_code is StatusCode.UNSET for span in (received, processed, sent_span, deleted)
    )


async def test_the_process_span_is_linked_to_the_context_in_the_message(traced: Rig, traces: Traces) -> None:
    """An order can be followed from the service that sent it into this one."""
    traced.count()
    await send(traced, '{"key": "a"}', {"traceparent": SENDER, "tracestate": "vendor=1"})
    await send(traced, '{"key": "b"}', {"traceparent": "nonsense"})

    await traced.work_off()

    spans = {
        (span.attributes or {})["messaging.message.conversation_id"]: span
        for span in traces.named("process orders")
    }
    assert linked(spans["a"]) == [SENDER]
    assert spans["a"].links[0].context.trace_state.to_header() == "vendor=1"
    assert linked(spans["b"]) == []
    assert [SENDER] in [linked(span) for span in traces.named("receive orders")]


async def test_a_message_without_a_context_is_linked_by_its_xray_header(traced: Rig, traces: Traces) -> None:
    """Messages of S3, SNS or EventBridge carry only AWS's own header; a sender's context has precedence."""
    traced.count()
    xray = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
    own = {"traceparent": MessageAttribute("String", SENDER)}
    bodies = [f'{{"key": "{key}"}}' for key in "abc"]
    letters = [
        MessageContent(bodies[0], trace=xray),
        MessageContent(bodies[1], own, trace=xray),
        MessageContent(bodies[2], trace="Root=nonsense"),
    ]
    await traced.sqs.simulator.send("orders", letters, list("012"))

    await traced.work_off()

    spans = {
        (span.attributes or {})["messaging.message.conversation_id"]: linked(span)
        for span in traces.named("process orders")
    }
    assert spans == {
        "a": ["00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01"],
        "b": [SENDER],
        "c": [],
    }


async def test_an_announcement_carries_the_context_of_its_event(traced: Rig, traces: Traces) -> None:
    """The next service continues the trace; body and id are the same as without traces."""
    traced.count()
    await traced.send([Add("a")])

    await traced.work_off()

    (processed,) = traces.named("process orders")
    (sent_span,) = traces.named("send out")
    assert traced.bodies() == ['{"key_total":"1","times":1}']
    assert await sent(traced) == [{"traceparent": parent(processed)}]
    assert linked(sent_span) == [parent(processed)]


async def test_yielded_messages_carry_the_context_and_the_agents_own_spans_are_children(
    traced: Rig, traces: Traces
) -> None:
    """The agent's own calls belong to the event that they are made for."""

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


async def test_a_batch_is_one_process_span_linked_to_each_message(traced: Rig, traces: Traces) -> None:
    """A batch has one duration and several origins."""

    async def batches(events: Any) -> None:
        async for _ in events.take(2, within=5):
            pass

    traced.agent(batches, concurrency=2, instances=1)
    other = SENDER.replace("b7ad", "c7ad")
    for origin in (SENDER, other):
        await send(traced, '{"key": "a"}', {"traceparent": origin})

    await traced.work_off()

    (processed,) = traces.named("process orders")
    assert sorted(linked(processed)) == [SENDER, other]
    assert (processed.attributes or {})["messaging.batch.message_count"] == 2
    assert "messaging.message.id" not in (processed.attributes or {})


async def test_a_failure_is_recorded_by_its_type_without_its_text(traced: Rig, traces: Traces) -> None:
    """Texts of errors quote messages, and messages contain people's names."""

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
    """After a redrive it must still lead to its sender."""

    async def rejecting(events: Any) -> None:
        async for _ in events:
            raise Reject("unwanted")

    traced.agent(rejecting)
    await send(traced, '{"key": "a"}', {"traceparent": SENDER, "tenant": "t"})
    await send(traced, '{"key": "b"}', {})

    await traced.work_off()

    letters = await sent(traced, "orders-dlq")
    assert [{name: it.get(name) for name in ("traceparent", "tenant")} for it in letters] == [
        {"traceparent": SENDER, "tenant": "t"},
        {"traceparent": None, "tenant": None},
    ]
    assert {(span.attributes or {})["error.type"] for span in traces.named("process orders")} == {"unwanted"}


async def test_a_failed_call_is_recorded_with_the_class_of_its_failure(traced: Rig, traces: Traces) -> None:
    """A trace must show where an outage happened."""
    traced.count()
    await traced.send([Add("a")])
    traced.sqs.faults.add("send", Fail("ServiceUnavailable"), times=1)

    await traced.work_off()

    assert [(span.attributes or {}).get("error.type") for span in traces.named("send out")] == [
        "transient",
        None,
    ]


async def test_the_context_is_left_out_if_there_is_no_room(traces: Traces) -> None:
    """A message must not be refused because of its trace context."""
    state = trace.TraceState([("vendor", "1")])
    context = trace.SpanContext(1, 2, is_remote=False, trace_state=state)
    both, one = {"traceparent", "tracestate"}, {"traceparent"}
    others = {f"a{n}": "v" for n in range(MAX_ATTRIBUTES)}

    def added(attributes: Mapping[str, str], room: int) -> set[str]:
        message = Outgoing("body", attributes)
        extended = Tracing(traces.provider).with_context(message, message.size + room)
        assert extended.size <= message.size + room
        assert extended.attributes.items() >= attributes.items()
        return extended.attributes.keys() - attributes.keys()

    with trace.use_span(trace.NonRecordingSpan(context)):
        assert added({}, 1000) == both
        assert added(dict(list(others.items())[:8]), 1000) == both
        assert added(dict(list(others.items())[:9]), 1000) == one
        assert added(others, 1000) == set()
        assert added({}, 80) == one
        assert added({}, 20) == set()
    assert added({}, 1000) == set()


async def test_an_idle_worker_makes_no_spans(traced: Rig, traces: Traces) -> None:
    """A span for each empty poll would cost money and tell nothing."""
    traced.count()

    await traced.work_off()

    assert traces.text() == ""
