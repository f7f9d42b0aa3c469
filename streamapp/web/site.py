"""An app's boards as web pages, served by its worker: no build step, no framework, no personal data."""

import logging
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from importlib import resources

import msgspec
from aiohttp import ClientConnectionResetError, web
from aiohttp.typedefs import Handler
from anyio import create_task_group, current_time

from streamapp.config import Config
from streamapp.declared.boards import Board, Website
from streamapp.declared.registry import Registry
from streamapp.errors import ServiceError
from streamapp.sqs.names import queue_name
from streamapp.state.keys import plain
from streamapp.web.board_reader import BoardReader, HashReader
from streamapp.web.live_boards import ChangeFeed, LiveBoards

logger = logging.getLogger(__name__)

WATCHERS = 200
"""Browsers that may watch at once; the next one gets a 503 and tries again later."""

SIGN_OF_LIFE = 2.0
"""Seconds between two events that tell a browser that its board is still current."""

RECONNECT_MS = 2000
"""Milliseconds after which a browser that lost its connection tries again."""

# Nothing from other sites, nothing inline.
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


@asynccontextmanager
async def pages_of(
    registry: Registry, config: Config, state: HashReader, news: ChangeFeed
) -> AsyncGenerator[Mapping[str, Handler]]:
    """Yield the handlers of the app's website by path, empty without a website; they work while the context is open."""
    if registry.extras.website is None:
        yield {}
        return
    # The tap uses the names of queues, not those of streams.
    queues = [queue_name(config.queue(sink)) for sink in registry.sinks]
    site = Site(registry.extras.website, config.key_prefix, state, news, queues)
    async with create_task_group() as tasks:
        tasks.start_soon(site.live.run, name="boards")
        yield site.pages
        tasks.cancel_scope.cancel("the pages are served no more")


class Site:
    """The pages of one app, whose state changes with the messages of *queues*."""

    def __init__(
        self, website: Website, prefix: str, state: HashReader, news: ChangeFeed, queues: Sequence[str]
    ) -> None:
        self._website = website
        self._boards = {board.name: board for board in website.pages.values()}
        self._prefix = prefix
        self._state = state
        self._watchers = 0
        readers = {
            name: BoardReader(board, state, self._start(board)) for name, board in self._boards.items()
        }
        self.live = LiveBoards(readers, news, queues)
        files = resources.files("streamapp.web") / "static"
        self._files = {name: (files / name).read_text() for name in ("board.html", "board.js", "board.css")}

    @property
    def pages(self) -> Mapping[str, Handler]:
        """The handlers by path."""
        return {
            **{path: self._page(board) for path, board in self._website.pages.items()},
            "/board.js": self._file("board.js", "text/javascript"),
            "/board.css": self._file("board.css", "text/css"),
            "/events": self._events,
            self._website.queue: self._queue,
            self._website.one + "/{key}": self._one,
        }

    def _start(self, board: Board) -> str:
        return f"{self._prefix}{board.table}:"

    def _page(self, board: Board) -> Handler:
        about = {
            "name": board.name,
            "title": board.title or board.name,
            "columns": board.columns,
            "ageing": board.ageing,
            "showsAge": board.shows_age,
            "words": board.words,
        }
        # The text goes into an attribute, which only a quote would end.
        text = msgspec.json.encode(about).decode().replace("&", "&amp;").replace('"', "&quot;")
        body = self._files["board.html"].replace("{{board}}", text)

        async def page(_: web.Request) -> web.Response:
            return web.Response(text=body, content_type="text/html", headers=HEADERS)

        return page

    def _file(self, name: str, kind: str) -> Handler:
        async def file(_: web.Request) -> web.Response:
            headers = HEADERS | {"Cache-Control": "no-cache"}
            return web.Response(text=self._files[name], content_type=kind, headers=headers)

        return file

    async def _queue(self, request: web.Request) -> web.Response:
        board = self._named(request)
        body = self.live.now.get(board.name)
        if body is None:
            raise web.HTTPServiceUnavailable(text='{"error":"the state was not read yet"}', headers=_JSON)
        return web.Response(body=body, headers=HEADERS | _JSON)

    async def _one(self, request: web.Request) -> web.Response:
        board = next(iter(self._boards.values()))
        fields = await self._read(self._start(board) + plain(request.match_info["key"]))
        if not fields:
            raise web.HTTPNotFound(text='{"error":"not known"}', headers=HEADERS | _JSON)
        hidden = self._website.hidden
        shown = {name: text for name, text in fields.items() if name[0] != "_" and name not in hidden}
        return web.Response(body=msgspec.json.encode(shown), headers=HEADERS | _JSON)

    async def _read(self, key: str) -> dict[str, str]:
        try:
            (fields,) = await self._state.read([key])
        except ServiceError as error:
            fields = error
        if isinstance(fields, ServiceError):
            raise web.HTTPServiceUnavailable(text='{"error":"the state cannot be read"}', headers=_JSON)
        return fields

    def _named(self, request: web.Request) -> Board:
        name = request.query.get("board", next(iter(self._boards)))
        if name not in self._boards:
            raise web.HTTPNotFound(text='{"error":"no such board"}', headers=HEADERS | _JSON)
        return self._boards[name]

    async def _events(self, request: web.Request) -> web.StreamResponse:
        """Send the whole board at once and at each change, so that a browser that reconnects has missed nothing."""
        board = self._named(request)
        if self._watchers >= WATCHERS:
            raise web.HTTPServiceUnavailable(headers={"Retry-After": "30"})
        response = web.StreamResponse(
            headers=HEADERS
            | {
                "Content-Type": "text/event-stream",
                "Cache-Control": "no-cache",
                "X-Accel-Buffering": "no",
            }
        )
        self._watchers += 1
        try:
            await response.prepare(request)
            await response.write(f"retry: {RECONNECT_MS}\n\n".encode())
            await self._send_changes(board.name, response)
        except (ClientConnectionResetError, ConnectionResetError):
            logger.debug("a browser has left")
        finally:
            self._watchers -= 1
        return response

    async def _send_changes(self, board: str, response: web.StreamResponse) -> None:
        sent: bytes | None = None
        while True:
            body = self.live.now.get(board)
            if body is not None and body != sent:
                await response.write(b"id: %b\nevent: board\ndata: %b\n\n" % (self.live.id.encode(), body))
                sent = body
            elif current_time() - self.live.looked_at < 3 * SIGN_OF_LIFE + 5:
                # When no event comes, the browser shows that its board may be old.
                await response.write(b"event: alive\ndata:\n\n")
            await self.live.change(SIGN_OF_LIFE)


_JSON = {"Content-Type": "application/json; charset=utf-8", "Cache-Control": "no-store"}
