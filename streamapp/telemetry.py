"""Let a worker be watched over HTTP, where that is asked for."""

import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from streamapp.config import Config
from streamapp.tally import Tally
from streamapp.worker import Worker

logger = logging.getLogger(__name__)


@asynccontextmanager
async def monitored(config: Config, tally: Tally) -> AsyncGenerator[Callable[[Worker], None]]:
    """Serve probes and metrics while the context is open, from before the worker is ready to after it has ended.

    Answers what to call with the worker when it begins. Without `config.http` nothing is served, and nothing of it
    is imported. Raises `CannotListen`.
    """
    if config.http is None:
        yield lambda _: None
        return
    from streamapp.health import Health  # noqa: PLC0415 - only who is watched needs them
    from streamapp.http import serve_http  # noqa: PLC0415
    from streamapp.metrics import Metrics  # noqa: PLC0415

    health, metrics = Health(), Metrics(tally)

    def begin(worker: Worker) -> None:
        health.begin(worker)
        metrics.begin(worker)
        worker.tap.observe = metrics.note

    async with serve_http(config.http, health, metrics.page, {}) as url:
        logger.info("serving livez, readyz and metrics", extra={"http": url})
        yield begin
