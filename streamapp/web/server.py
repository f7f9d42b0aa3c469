"""The worker's HTTP server: probes, metrics and the app's pages. Off unless configured."""

import logging
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager

from aiohttp import web
from aiohttp.typedefs import Handler

from streamapp.errors import ConfigError
from streamapp.web.health import Health, HealthReport

logger = logging.getLogger(__name__)

GRACE = 1.0
"""Seconds that open requests get to finish when the worker ends."""


class CannotListen(ConfigError):
    """The address is in use, or not one of this machine."""

    def __init__(self, address: str, why: str) -> None:
        super().__init__(f"STREAMAPP_HTTP: cannot listen on {address}: {why}; choose another HOST:PORT")


@asynccontextmanager
async def serve_http(
    address: str, health: Health, metrics: Callable[[], tuple[bytes, str]], pages: Mapping[str, Handler]
) -> AsyncGenerator[str]:
    """Serve on *address* (HOST:PORT) while the context is open, and yield the URL.

    The host `*` stands for all addresses of this machine, of IPv4 and of IPv6.

    *metrics* returns a body and its content type. *pages* are the app's handlers by path. Raises `CannotListen`.
    """
    app = web.Application()

    async def live(_: web.Request) -> web.Response:
        return _reported(health.live())

    async def ready(_: web.Request) -> web.Response:
        return _reported(await health.ready())

    async def measured(_: web.Request) -> web.Response:
        body, kind = metrics()
        return web.Response(body=body, headers={"Content-Type": kind, "Cache-Control": "no-store"})

    app.router.add_get("/livez", live)
    app.router.add_get("/readyz", ready)
    app.router.add_get("/metrics", measured)
    for path, page in pages.items():
        app.router.add_get(path, page)
    runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=GRACE)
    await runner.setup()
    host, _, port = address.rpartition(":")
    try:
        try:
            await web.TCPSite(
                runner, None if host == "*" else host.strip("[]") or "127.0.0.1", int(port)
            ).start()
        except (OSError, OverflowError) as error:
            raise CannotListen(address, getattr(error, "strerror", None) or str(error)) from error
        name, number = runner.addresses[0][:2]
        yield f"http://{f'[{name}]' if ':' in name else name}:{number}"
    finally:
        await runner.cleanup()


def _reported(report: HealthReport) -> web.Response:
    status = 200 if report.is_good else 503
    body = {"status": "ok" if report.is_good else "failing", "checks": report.checks}
    return web.json_response(body, status=status, headers={"Cache-Control": "no-store"})
