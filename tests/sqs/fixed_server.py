"""Servers that send the same response to every request."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web


@asynccontextmanager
async def empty_queues() -> AsyncIterator[tuple[str, list[dict[str, str]]]]:
    """Run a server where every queue is empty; return its URL and the headers of each request."""
    heard: list[dict[str, str]] = []

    async def handle(request: web.Request) -> web.Response:
        heard.append(dict(request.headers))
        attributes = request.headers["X-Amz-Target"].endswith("GetQueueAttributes")
        return web.Response(text=json.dumps({"Attributes": {}} if attributes else {}))

    async with serving(handle) as endpoint:
        yield endpoint, heard


@asynccontextmanager
async def fixed_response(status: int, text: str) -> AsyncIterator[str]:
    """Run a server with one response for every request; return its URL."""

    async def handle(_: web.Request) -> web.Response:
        return web.Response(status=status, text=text)

    async with serving(handle) as endpoint:
        yield endpoint


@asynccontextmanager
async def serving(handle: Callable[[web.Request], Awaitable[web.Response]]) -> AsyncIterator[str]:
    """Run a server of one handler; return its URL."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
