"""The worker's HTTP server."""

import socket
from pathlib import Path

import aiohttp
import pytest

from streamapp.errors import ConfigError
from streamapp.web.health import Health
from streamapp.web.metrics import Metrics
from streamapp.web.server import CannotListen, serve_http


async def test_an_address_that_is_taken_is_an_error_that_names_it(health: Health, metrics: Metrics) -> None:
    """Two workers on one machine are the first thing that people try."""
    async with serve_http("127.0.0.1:0", health, metrics.render, {}) as url:
        address = url.removeprefix("http://")

        with pytest.raises(CannotListen, match="STREAMAPP_HTTP") as raised:
            async with serve_http(address, health, metrics.render, {}):
                raise AssertionError

    assert isinstance(raised.value, ConfigError)
    assert address in str(raised.value)


async def test_a_star_listens_on_every_address_of_both_protocols(health: Health, metrics: Metrics) -> None:
    """The probes of a cluster with IPv6 alone come over IPv6."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    async with serve_http(f"*:{port}", health, metrics.render, {}), aiohttp.ClientSession() as session:
        for host in ("127.0.0.1", "[::1]"):
            async with session.get(f"http://{host}:{port}/livez") as response:
                assert response.status == 200, host


def test_what_is_shipped_listens_on_both_protocols() -> None:
    """A file that names 0.0.0.0 works until the first cluster with IPv6 alone."""
    root = Path(__file__).parents[2]
    shipped = [
        root / "Dockerfile",
        root / "compose.yaml",
        *(path for path in (root / "deploy").rglob("*") if path.is_file()),
    ]

    named = [path.name for path in shipped if "0.0.0.0" in path.read_text()]

    assert named == []
    assert "STREAMAPP_HTTP=*:8080" in shipped[0].read_text()
