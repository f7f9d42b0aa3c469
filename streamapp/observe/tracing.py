"""Traces by OpenTelemetry's messaging conventions, for a process that has set a tracer provider.

The only module that knows OpenTelemetry; who does not trace never imports it. No span holds a body or an error's
text, which may quote one.
"""

import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from urllib.parse import urlsplit

import msgspec
from opentelemetry import context, trace
from opentelemetry.trace import Link, Span, SpanKind, StatusCode, Tracer, TracerProvider
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from streamapp.errors import Reject, ServiceError
from streamapp.messages import Delivery, Outgoing, Queue
from streamapp.sqs.client import MAX_ATTRIBUTES, Failure, Sqs

LONGEST_KEY = 64
"""Characters of a key that is told as the conversation: ids of orders are far shorter."""

# Not the process's own choice of propagators: baggage may hold anything.
_W3C = TraceContextTextMapPropagator()


class Tracing:
    """Makes spans with *provider*'s tracer, and carries their context in the attributes of messages."""

    def __init__(self, provider: TracerProvider) -> None:
        self.tracer = provider.get_tracer("streamapp")

    def over(self, sqs: Sqs) -> Sqs:
        """Return *sqs* with a span for each call that moves messages."""
        return TracedSqs(sqs, self.tracer)

    def process(self) -> "Process":
        """Return what tells of the processing by one instance of an agent."""
        return Process(self.tracer)

    @staticmethod
    def laden(message: Outgoing, max_bytes: int) -> Outgoing:
        """Return *message* with the context of the current span, as far as SQS's limits leave room for it."""
        carried: dict[str, str] = {}
        _W3C.inject(carried)
        while carried:
            attributes = {**carried, **message.attributes}
            laden = msgspec.structs.replace(message, attributes=attributes)
            if len(attributes) + len(message.typed) <= MAX_ATTRIBUTES and laden.size <= max_bytes:
                return laden
            carried.popitem()  # first the state of a vendor, then the parent
        return message


def current_tracing() -> Tracing | None:
    """Return what traces with the provider that this process has set; None where it has set none."""
    provider = trace.get_tracer_provider()
    if isinstance(provider, (trace.ProxyTracerProvider, trace.NoOpTracerProvider)):
        return None
    return Tracing(provider)


class Process:
    """The span of what an agent has in hand: one at a time, current for the agent's own code.

    It begins a trace of its own, linked to where each of its messages was made.
    """

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer
        self._span: Span | None = None
        self._around = context.Context()
        self._taken = 0

    def take(self, deliveries: Sequence[Delivery]) -> None:
        """Let *deliveries*, all that are in hand, be processed from now on in the context of the caller."""
        if self._span is None:
            queue = deliveries[0].queue
            self._span = self._tracer.start_span(
                f"process {queue.name}",
                context=context.Context(),
                kind=SpanKind.CONSUMER,
                attributes={**_about(queue), **_does("process", "process")},
            )
            if len(deliveries) == 1:
                self._span.set_attribute("messaging.message.id", deliveries[0].message_id)
            self._around = context.get_current()
            # Never detached by its token: the agent may ask for the next event in another task of its own.
            context.attach(trace.set_span_in_context(self._span, self._around))
        for link in _links(_origin(delivery) for delivery in deliveries[self._taken :]):
            self._span.add_link(link.context)
        self._taken = len(deliveries)
        if self._taken > 1:
            self._span.set_attribute("messaging.batch.message_count", self._taken)

    def fail(self, why: Exception | str) -> None:
        """Note that what is in hand did not succeed."""
        if self._span is not None:
            word = why.reason if isinstance(why, Reject) else type(why).__qualname__
            _fail(self._span, why if isinstance(why, str) else word)

    def end(self, keys: Collection[str]) -> None:
        """End the span, if one is open; *keys* are those of the tables that were updated."""
        if self._span is None:
            return
        if len(keys) == 1 and len(key := next(iter(keys))) <= LONGEST_KEY:
            self._span.set_attribute("messaging.message.conversation_id", key)
        self._span.end()
        context.attach(self._around)
        self._span, self._taken = None, 0


class TracedSqs:
    """An SQS whose calls that move messages are told as spans, each once it is over.

    A receive that brings nothing is not told: an idle worker would fill a backend with its polls.
    """

    def __init__(self, sqs: Sqs, tracer: Tracer) -> None:
        self._sqs = sqs
        self._tracer = tracer

    async def find(self, name: str) -> Queue:
        """Return the queue of this name or URL; a missing one is a CONFIGURATION fault."""
        return await self._sqs.find(name)

    async def receive(self, queue: Queue, *, limit: int, wait: float) -> list[Delivery]:
        """Long-poll for 1..10 messages for *wait* seconds (0..20); answer as soon as there is one."""
        begun = time.time_ns()
        try:
            deliveries = await self._sqs.receive(queue, limit=limit, wait=wait)
        except ServiceError as error:
            self._tell(queue, "receive", "receive", begun, 0, error=error.fault.value)
            raise
        if deliveries:
            links = _links(_origin(delivery) for delivery in deliveries)
            self._tell(queue, "receive", "receive", begun, len(deliveries), links)
        return deliveries

    async def send(self, queue: Queue, messages: Sequence[Outgoing]) -> list[Failure | None]:
        """Send messages."""
        begun, links = time.time_ns(), _links(message.attributes for message in messages)
        try:
            outcomes = await self._sqs.send(queue, messages)
        except ServiceError as error:
            self._tell(queue, "send", "send", begun, len(messages), links, error.fault.value)
            raise
        self._tell(queue, "send", "send", begun, len(messages), links, _first(outcomes))
        return outcomes

    async def delete(self, queue: Queue, handles: Sequence[str]) -> list[Failure | None]:
        """Delete messages by receipt handle. Success is no proof: a stale handle may succeed and do nothing."""
        begun = time.time_ns()
        try:
            outcomes = await self._sqs.delete(queue, handles)
        except ServiceError as error:
            self._tell(queue, "delete", "settle", begun, len(handles), error=error.fault.value)
            raise
        self._tell(queue, "delete", "settle", begun, len(handles), error=_first(outcomes))
        return outcomes

    async def change_visibility(
        self, queue: Queue, changes: Sequence[tuple[str, int]]
    ) -> list[Failure | None]:
        """Let each message of (handle, seconds) come back that many seconds from now."""
        return await self._sqs.change_visibility(queue, changes)

    async def create(self, name: str, attributes: Mapping[str, str]) -> Queue:
        """Create the queue, or set these attributes (SQS's names) of one that is there."""
        return await self._sqs.create(name, attributes)

    async def attributes(self, queue: Queue) -> dict[str, str]:
        """Return all queue attributes, by SQS's names."""
        return await self._sqs.attributes(queue)

    def _tell(
        self,
        queue: Queue,
        name: str,
        kind: str,
        begun: int,
        count: int,
        links: Sequence[Link] = (),
        error: str | None = None,
    ) -> None:
        about = {**_about(queue), **_does(name, kind), "messaging.batch.message_count": count}
        span = self._tracer.start_span(
            f"{name} {queue.name}",
            # Sends as well: what a message carries is the context of the event that it follows from.
            kind=SpanKind.CLIENT,
            attributes=about,
            links=links,
            start_time=begun,
        )
        if error is not None:
            _fail(span, error)
        span.end()


def _does(name: str, kind: str) -> dict[str, str]:
    return {"messaging.operation.name": name, "messaging.operation.type": kind}


@lru_cache(maxsize=256)
def _about(queue: Queue) -> Mapping[str, str | int]:
    url = urlsplit(queue.url)
    about: dict[str, str | int] = {
        "messaging.system": "aws_sqs",
        "messaging.destination.name": queue.name,
        "aws.sqs.queue.url": queue.url,
    }
    if url.hostname:
        about["server.address"] = url.hostname
    if url.port:
        about["server.port"] = url.port
    return about


def _links(carriers: Iterable[Mapping[str, str]]) -> list[Link]:
    """Return a link to each context that messages carry; what is no context is passed over."""
    found = [
        trace.get_current_span(_W3C.extract(carrier, context.Context())).get_span_context()
        for carrier in carriers
        if "traceparent" in carrier
    ]
    return [Link(it) for it in found if it.is_valid]


def _origin(delivery: Delivery) -> Mapping[str, str]:
    """Return what *delivery* carries of its maker's context: its own attributes, else X-Ray's header in their form."""
    if delivery.xray is None or "traceparent" in delivery.attributes:
        return delivery.attributes
    parts = (part.strip().partition("=") for part in delivery.xray.split(";"))
    said = {name: value for name, _, value in parts}
    trace_id = said.get("Root", "").removeprefix("1-").replace("-", "")
    flags = "01" if said.get("Sampled") == "1" else "00"
    return {"traceparent": f"00-{trace_id}-{said.get('Parent', '')}-{flags}"}


def _first(outcomes: Sequence[Failure | None]) -> str | None:
    return next((failure.code for failure in outcomes if failure is not None), None)


def _fail(span: Span, word: str) -> None:
    span.set_attribute("error.type", word)
    span.set_status(StatusCode.ERROR)
