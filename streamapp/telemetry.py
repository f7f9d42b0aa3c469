"""Let a worker be watched, over HTTP and by traces, where that is asked for."""

import logging
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from streamapp.app import App
from streamapp.config import Config
from streamapp.tally import Tally
from streamapp.worker import Worker

if TYPE_CHECKING:
    from streamapp.tracing import Tracing

logger = logging.getLogger(__name__)


@asynccontextmanager
async def monitored(app: App, config: Config, tally: Tally) -> AsyncGenerator[Callable[[Worker], None]]:
    """Serve probes, metrics and the app's website while the context is open, from before the worker is ready to after it has ended.

    Answers what to call with the worker when it begins. Without `config.http` nothing is served, and nothing of it
    is imported. Raises `CannotListen`.
    """
    if config.http is None:
        yield lambda _: None
        return
    from streamapp.health import Health  # noqa: PLC0415 - only who is watched needs them
    from streamapp.http import serve_http  # noqa: PLC0415
    from streamapp.metrics import Metrics  # noqa: PLC0415
    from streamapp.redis_store import open_redis  # noqa: PLC0415
    from streamapp.redis_tap import open_tap  # noqa: PLC0415
    from streamapp.site import pages_of  # noqa: PLC0415

    health, metrics = Health(), Metrics(tally)

    def begin(worker: Worker) -> None:
        health.begin(worker)
        metrics.begin(worker)
        worker.tap.observe = metrics.note

    async with (
        # Connections of its own: browsers are in nobody's way.
        open_redis(config.redis_url) as state,
        open_tap(config.redis_url, config.key_prefix) as news,
        pages_of(app, config, state, news) as pages,
        serve_http(config.http, health, metrics.page, pages) as url,
    ):
        logger.info("serving", extra={"http": url, "paths": ["/livez", "/readyz", "/metrics", *pages]})
        yield begin


def tracing_in_use() -> "Tracing | None":
    """Answer how to trace, where the app or what started it has set a tracer provider."""
    if "opentelemetry.trace" not in sys.modules:
        return None  # who sets a provider has imported it
    from streamapp.tracing import current_tracing  # noqa: PLC0415 - only who traces needs it

    return current_tracing()
