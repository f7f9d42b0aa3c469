"""Traces by OpenTelemetry's messaging conventions, for a process that has set a tracer provider.

Only this module uses OpenTelemetry, and it is imported only by processes that trace. No span contains a body, or the
text of an error, which may quote one.
"""

import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache, partial
from urllib.parse import urlsplit

import msgspec
from opentelemetry import context, trace
from opentelemetry.trace import Link, Span, SpanKind, StatusCode, Tracer, TracerProvider
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from streamapp.errors import Reject, ServiceError
from streamapp.messages import Delivery, Outgoing, Queue
from streamapp.sqs.around import Call, Operation, T, around
from streamapp.sqs.client import MAX_ATTRIBUTES, Failure, Sqs

LONGEST_KEY = 64
"""Characters of a key that is used as conversation id: ids of orders are far shorter."""

# Not the propagators set for the process: baggage, one of them, may contain personal data.
_W3C = TraceContextTextMapPropagator()


class Tracing:
    """Makes spans with a tracer of *provider*, and puts their context into the attributes of messages."""

    def __init__(self, provider: TracerProvider) -> None:
        self.tracer = provider.get_tracer("streamapp")

    def wrap(self, sqs: Sqs) -> Sqs:
        """Return *sqs* with a span for each call that receives, sends or deletes messages.

        A receive that returned nothing has none: an idle worker would fill a backend with its polls.
        """
        return around(sqs, partial(_traced, self.tracer))

    def process(self) -> "ProcessSpans":
        """Return the spans of the processing by one instance of an agent."""
        return ProcessSpans(self.tracer)

    @staticmethod
    def with_context(message: Outgoing, max_bytes: int) -> Outgoing:
        """Return *message* with the context of the current span, as far as SQS's limits allow."""
        carried: dict[str, str] = {}
        _W3C.inject(carried)
        while carried:
            attributes = {**carried, **message.attributes}
            extended = msgspec.structs.replace(message, attributes=attributes)
            if len(attributes) + len(message.typed) <= MAX_ATTRIBUTES and extended.size <= max_bytes:
                return extended
            carried.popitem()  # first a vendor's tracestate, then traceparent
        return message


def current_tracing() -> Tracing | None:
    """Return tracing with the provider that this process has set; None if it has set none."""
    provider = trace.get_tracer_provider()
    if isinstance(provider, (trace.ProxyTracerProvider, trace.NoOpTracerProvider)):
        return None
    return Tracing(provider)


class ProcessSpans:
    """The spans of what an agent has in hand: one at a time, which is the current span for the agent's own code.

    Each begins a trace of its own, with a link to the context in which each of its messages was made.
    """

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer
        self._span: Span | None = None
        self._around = context.Context()
        self._taken = 0

    def take(self, deliveries: Sequence[Delivery]) -> None:
        """Begin the span of *deliveries*, which are all in hand, or extend it to them; it becomes current."""
        if self._span is None:
            queue = deliveries[0].queue
            self._span = self._tracer.start_span(
                f"process {queue.name}",
                context=context.Context(),
                kind=SpanKind.CONSUMER,
                attributes={**_queue_attributes(queue), **_operation_attributes("process", "process")},
            )
            if len(deliveries) == 1:
                self._span.set_attribute("messaging.message.id", deliveries[0].message_id)
            self._around = context.get_current()
            # Not detached with its token: the agent may ask for its next event in another task.
            context.attach(trace.set_span_in_context(self._span, self._around))
        for link in _links(_origin(delivery) for delivery in deliveries[self._taken :]):
            self._span.add_link(link.context)
        self._taken = len(deliveries)
        if self._taken > 1:
            self._span.set_attribute("messaging.batch.message_count", self._taken)

    def fail(self, why: Exception | str) -> None:
        """Record that what is in hand failed."""
        if self._span is not None:
            word = why.reason if isinstance(why, Reject) else type(why).__qualname__
            _fail(self._span, why if isinstance(why, str) else word)

    def end(self, keys: Collection[str]) -> None:
        """End the span, if one is open; *keys* are the keys that were updated in tables."""
        if self._span is None:
            return
        if len(keys) == 1 and len(key := next(iter(keys))) <= LONGEST_KEY:
            self._span.set_attribute("messaging.message.conversation_id", key)
        self._span.end()
        context.attach(self._around)
        self._span, self._taken = None, 0


async def _traced(
    tracer: Tracer, queue: Queue, operation: Operation, entries: Sequence[object], call: Call[T]
) -> list[T]:
    """Make one call, and then its span; a receive that returned nothing, and a change of visibility, have none."""
    if operation == "change_visibility":
        return await call
    begun = time.time_ns()
    try:
        returned = await call
    except ServiceError as error:
        _span_of_call(tracer, queue, operation, begun, entries, error.fault.value)
        raise
    # The entries of a receive are its deliveries; those of a batch were sent with the call.
    if entries := entries or [it for it in returned if isinstance(it, Delivery)]:
        failed = (it.code for it in returned if isinstance(it, Failure))
        _span_of_call(tracer, queue, operation, begun, entries, next(failed, None))
    return returned


def _span_of_call(
    tracer: Tracer,
    queue: Queue,
    operation: Operation,
    begun: int,
    entries: Sequence[object],
    error: str | None,
) -> None:
    kind = "settle" if operation == "delete" else operation
    span = tracer.start_span(
        f"{operation} {queue.name}",
        # CLIENT also for sends: a message carries the context of the event that caused it, not that of this span.
        kind=SpanKind.CLIENT,
        attributes={
            **_queue_attributes(queue),
            **_operation_attributes(operation, kind),
            "messaging.batch.message_count": len(entries),
        },
        links=_links(_carried(entry) for entry in entries),
        start_time=begun,
    )
    if error is not None:
        _fail(span, error)
    span.end()


def _carried(entry: object) -> Mapping[str, str]:
    """Return the attributes in which *entry*, of a call, may carry a context."""
    if isinstance(entry, Delivery):
        return _origin(entry)
    return entry.attributes if isinstance(entry, Outgoing) else {}


def _operation_attributes(name: str, kind: str) -> dict[str, str]:
    return {"messaging.operation.name": name, "messaging.operation.type": kind}


@lru_cache(maxsize=256)
def _queue_attributes(queue: Queue) -> Mapping[str, str | int]:
    url = urlsplit(queue.url)
    attributes: dict[str, str | int] = {
        "messaging.system": "aws_sqs",
        "messaging.destination.name": queue.name,
        "aws.sqs.queue.url": queue.url,
    }
    if url.hostname:
        attributes["server.address"] = url.hostname
    if url.port:
        attributes["server.port"] = url.port
    return attributes


def _links(carriers: Iterable[Mapping[str, str]]) -> list[Link]:
    """Return a link to each context that messages carry; invalid ones are left out."""
    found = [
        trace.get_current_span(_W3C.extract(carrier, context.Context())).get_span_context()
        for carrier in carriers
        if "traceparent" in carrier
    ]
    return [Link(it) for it in found if it.is_valid]


def _origin(delivery: Delivery) -> Mapping[str, str]:
    """Return the attributes with the sender's context: those of *delivery*, or else X-Ray's header in their form."""
    if delivery.xray is None or "traceparent" in delivery.attributes:
        return delivery.attributes
    parts = (part.strip().partition("=") for part in delivery.xray.split(";"))
    fields = {name: value for name, _, value in parts}
    trace_id = fields.get("Root", "").removeprefix("1-").replace("-", "")
    flags = "01" if fields.get("Sampled") == "1" else "00"
    return {"traceparent": f"00-{trace_id}-{fields.get('Parent', '')}-{flags}"}


def _fail(span: Span, word: str) -> None:
    span.set_attribute("error.type", word)
    span.set_status(StatusCode.ERROR)
