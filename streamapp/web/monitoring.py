"""Watch a worker over HTTP and by traces, if it is configured."""

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
"""Seconds between two pings of Redis when a worker serves HTTP."""


def _unchanged(sqs: Sqs) -> Sqs:
    return sqs


def _nothing(worker: Worker, sqs: Sqs) -> None:
    del worker, sqs


@dataclass(frozen=True, slots=True)
class Monitoring:
    """How a worker is watched; the defaults do nothing."""

    wrap: Callable[[Sqs], Sqs] = _unchanged
    """Wraps the worker's SQS so that its calls are measured."""

    begin: Callable[[Worker, Sqs], None] = _nothing
    """To be called when the worker begins, with the worker and its SQS."""


@asynccontextmanager
async def monitored(registry: Registry, config: Config, counters: Counters) -> AsyncGenerator[Monitoring]:
    """Serve probes, metrics and the app's website while the context is open. Raises `CannotListen`.

    Open it before the worker is ready, and close it after the worker has ended. Without `config.http` nothing is
    served, and the modules of HTTP are not imported.
    """
    if config.http is None:
        yield Monitoring()
        return
    from streamapp.redis.store import open_redis  # noqa: PLC0415
    from streamapp.redis.tap import open_tap  # noqa: PLC0415
    from streamapp.sqs.metered import metered  # noqa: PLC0415
    from streamapp.web.health import Health  # noqa: PLC0415 - needed only when HTTP is served
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
        # Connections of its own, so that browsers do not slow the worker.
        open_redis(config.redis_url) as state,
        open_tap(config.redis_url, config.key_prefix) as news,
        pages_of(registry, config, state, news) as pages,
        serve_http(config.http, health, metrics.render, pages) as url,
        create_task_group() as asking,
    ):
        logger.info("serving", extra={"http": url, "paths": ["/livez", "/readyz", "/metrics", *pages]})
        yield Monitoring(partial(metered, report=metrics.call), begin)
        asking.cancel_scope.cancel("the worker has ended")


async def _look_after_state(runtime: Runtime) -> None:
    """Ping Redis, so that a worker without messages notices an outage too."""
    while True:
        with suppress(ServiceError):  # an error that is no outage will fail messages
            await runtime.store_outage.ride_out(runtime.store.ping)
        await sleep(PING_EVERY)


def tracing_in_use() -> "Tracing | None":
    """Return the tracing to use, None if no tracer provider was set in this process."""
    if "opentelemetry.trace" not in sys.modules:
        return None  # a provider cannot be set without this import
    from streamapp.observe.tracing import current_tracing  # noqa: PLC0415 - needed only when tracing

    return current_tracing()
