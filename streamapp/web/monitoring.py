"""Let a worker be watched, over HTTP and by traces, where that is asked for."""

import logging
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from anyio import create_task_group, sleep

from streamapp.config import Config
from streamapp.declared.registry import Registry
from streamapp.errors import ServiceError
from streamapp.observe.counters import Counters
from streamapp.pipeline.runtime import Runtime
from streamapp.sqs.client import Sqs
from streamapp.worker.worker import Worker

if TYPE_CHECKING:
    from streamapp.observe.tracing import Tracing

logger = logging.getLogger(__name__)

PING_EVERY = 5.0
"""Seconds between two looks at the state of a worker that is watched."""


def _unchanged(sqs: Sqs) -> Sqs:
    return sqs


def _nothing(worker: Worker, sqs: Sqs) -> None:
    del worker, sqs


@dataclass(frozen=True, slots=True)
class Monitoring:
    """How a worker is watched; not at all, unless it is said how."""

    over: Callable[[Sqs], Sqs] = _unchanged
    """Answers the SQS for the worker, whose calls are measured."""

    begin: Callable[[Worker, Sqs], None] = _nothing
    """To be called with the worker when it begins, and its SQS."""


@asynccontextmanager
async def monitored(registry: Registry, config: Config, counters: Counters) -> AsyncGenerator[Monitoring]:
    """Serve probes, metrics and the app's website while the context is open, from before the worker is ready to after it has ended.

    Without `config.http` nothing is served, and nothing of it is imported. Raises `CannotListen`.
    """
    if config.http is None:
        yield Monitoring()
        return
    from streamapp.redis.store import open_redis  # noqa: PLC0415
    from streamapp.redis.tap import open_tap  # noqa: PLC0415
    from streamapp.sqs.metered import metered  # noqa: PLC0415
    from streamapp.web.health import Health  # noqa: PLC0415 - only who is watched needs them
    from streamapp.web.metrics import Metrics  # noqa: PLC0415
    from streamapp.web.server import serve_http  # noqa: PLC0415
    from streamapp.web.site import pages_of  # noqa: PLC0415

    health, metrics = Health(), Metrics(counters)

    def begin(worker: Worker, sqs: Sqs) -> None:
        health.begin(worker)
        metrics.begin(worker)
        worker.tap.observe = metrics.note
        asking.start_soon(metrics.depths.run, sqs, worker.queues, name="depths")
        asking.start_soon(_look_after_state, worker.runtime, name="state")

    async with (
        # Connections of its own: browsers are in nobody's way.
        open_redis(config.redis_url) as state,
        open_tap(config.redis_url, config.key_prefix) as news,
        pages_of(registry, config, state, news) as pages,
        serve_http(config.http, health, metrics.page, pages) as url,
        create_task_group() as asking,
    ):
        logger.info("serving", extra={"http": url, "paths": ["/livez", "/readyz", "/metrics", *pages]})
        yield Monitoring(partial(metered, report=metrics.call), begin)
        asking.cancel_scope.cancel("the worker has ended")


async def _look_after_state(runtime: Runtime) -> None:
    """Let a worker that has nothing to do notice as well that its state is away."""
    while True:
        with suppress(ServiceError):  # what does not heal is the messages' to find out
            await runtime.store_outage.ride_out(runtime.store.ping)
        await sleep(PING_EVERY)


def tracing_in_use() -> "Tracing | None":
    """Return how to trace, where the app or what started it has set a tracer provider."""
    if "opentelemetry.trace" not in sys.modules:
        return None  # who sets a provider has imported it
    from streamapp.observe.tracing import current_tracing  # noqa: PLC0415 - only who traces needs it

    return current_tracing()
