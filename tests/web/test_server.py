"""The worker's HTTP server."""

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
