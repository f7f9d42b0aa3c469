"""Fixtures of a worker that is watched over HTTP."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from rigs.worker import Rig
from streamapp.testing import MemoryStore
from streamapp.web.health import Health
from streamapp.web.metrics import Metrics
from streamapp.web.server import serve_http
from web.probes import Probes


@pytest.fixture
async def rig(prefix: str) -> Rig:
    """The usual rig, with its state in memory."""
    return await Rig(MemoryStore(), prefix).create(visibility=30)


@pytest.fixture
def health() -> Health:
    """The health of no worker yet."""
    return Health()


@pytest.fixture
def metrics(rig: Rig) -> Metrics:
    """The metrics of the rig's counters."""
    return Metrics(rig.tally)


@pytest.fixture
async def probes(health: Health, metrics: Metrics) -> AsyncIterator[Probes]:
    """A client of an HTTP server that is up before the worker."""
    async with (
        serve_http("127.0.0.1:0", health, metrics.render, {}) as url,
        aiohttp.ClientSession() as session,
    ):
        yield Probes(url, session)
