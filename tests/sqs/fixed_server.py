"""Servers that send the same response to every request."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web


@asynccontextmanager
async def listening() -> AsyncIterator[tuple[str, list[dict[str, str]]]]:
    """Run a server that answers an empty receive, and writes down the headers of each request."""
    heard: list[dict[str, str]] = []

    async def handle(request: web.Request) -> web.Response:
        heard.append(dict(request.headers))
        attributes = request.headers["X-Amz-Target"].endswith("GetQueueAttributes")
        return web.Response(text=json.dumps({"Attributes": {}} if attributes else {}))

    async with answering(handle) as endpoint:
        yield endpoint, heard


@asynccontextmanager
async def saying(status: int, text: str) -> AsyncIterator[str]:
    """Run a server that says the same to everybody."""

    async def handle(_: web.Request) -> web.Response:
        return web.Response(status=status, text=text)

    async with answering(handle) as endpoint:
        yield endpoint


@asynccontextmanager
async def answering(handle: Callable[[web.Request], Awaitable[web.Response]]) -> AsyncIterator[str]:
    """Run a server of one handler; answer where."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
