"""A pool of HTTP/1.1 connections to one host, kept open between requests."""

import asyncio
import select
import socket
import ssl
from typing import NamedTuple, cast

from aiohappyeyeballs import start_connection  # pyright: ignore[reportUnknownVariableType]  # its tuples have no parameters
from anyio import Semaphore, current_time, fail_after
from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from streamapp.errors import StreamappError

CONNECT_TIMEOUT = 3.0
"""Seconds to reach the host; one that takes longer is not usable."""

NEXT_ADDRESS = 0.25
"""Seconds after which the host's next address is tried as well (RFC 8305)."""

KEEP = 12.0
"""Seconds that a connection is kept without use; servers and load balancers close theirs after 20 and more."""

LARGEST = 64 * 1_048_576
"""Bytes of a response: ten messages of 1 MiB with every byte escaped."""

_FIRST_FINAL = 200
"""Statuses below are HTTP's interim responses, which we never ask for."""


class NoResponse(StreamappError):
    """The host could not be reached, or it sent no valid response. The request may have taken effect."""


class Response(NamedTuple):
    """What the host returned."""

    status: int
    body: bytes


class ConnectionPool:
    """At most *most* connections to *host*, each with one request under way at a time."""

    def __init__(self, host: str, port: int, *, tls: ssl.SSLContext | None, most: int) -> None:
        self._host = host
        self._port = port
        self._tls = tls
        self._places = Semaphore(most, fast_acquire=True)
        self._idle: list[_Connection] = []

    async def exchange(self, request: bytes) -> Response:
        """Return the host's response to *request*. Raises `NoResponse`; the caller sets the deadline.

        If a kept connection turns out to be closed, the request is sent once more on a new one. The host may have
        processed it the first time as well, so use this only for requests that may be repeated.
        """
        if self._places.value:
            self._places.acquire_nowait()
        else:
            await self._places.acquire()
        try:
            kept = self._take_kept()
            if kept is not None:
                response = await self._exchange(kept, request)
                if response is not None:
                    return response
            response = await self._exchange(await self._connect(), request)
            if response is None:
                raise NoResponse("the connection was closed before a response came")
            return response
        finally:
            self._places.release()

    def close(self) -> None:
        """Close all idle connections."""
        while self._idle:
            self._idle.pop().close()

    def _take_kept(self) -> "_Connection | None":
        while self._idle:
            connection = self._idle.pop()
            if current_time() - connection.idle_since < KEEP and connection.is_quiet():
                return connection
            connection.close()
        return None

    async def _connect(self) -> "_Connection":
        loop = asyncio.get_running_loop()
        connection = _Connection()
        try:
            with fail_after(CONNECT_TIMEOUT):
                addresses = await loop.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
                connected = await start_connection(addresses, happy_eyeballs_delay=NEXT_ADDRESS, interleave=1)
                name = None if self._tls is None else self._host
                await loop.create_connection(
                    lambda: connection, sock=connected, ssl=self._tls, server_hostname=name
                )
        except (OSError, UnicodeError) as error:  # UnicodeError: the host is not a possible name
            connection.close()
            raise NoResponse(f"no connection: {type(error).__name__}") from error
        except BaseException:
            # A connection cancelled at the end of its handshake would stay open, uncounted, until the host closes it.
            connection.close()
            raise
        return connection

    async def _exchange(self, connection: "_Connection", request: bytes) -> Response | None:
        """Return the host's response; None if the connection ended before the first byte of it."""
        connection.is_reusable = False
        try:
            return await connection.exchange(request)
        finally:
            # After a cancelled exchange its response may still come, so that connection is not reused.
            if connection.is_reusable:
                connection.idle_since = current_time()
                self._idle.append(connection)
            else:
                connection.close()


class _Connection(asyncio.Protocol):
    """One connection. Methods named `on_...` are called by the parser, asyncio's own by the event loop.

    It does not use anyio's streams: with them a message costs a twentieth more.
    """

    def __init__(self) -> None:
        self.idle_since = 0.0
        self.is_reusable = False
        """Whether another request may follow the last one on this connection."""
        self._is_made = False
        self._poll = select.poll()
        self._parser = HttpResponseParser(self)
        self._response: asyncio.Future[Response | None] | None = None
        self._parts: list[bytes] = []
        self._begun = self._size = 0
        self._status: int | None = None
        self._keeps = False

    def is_quiet(self) -> bool:
        """Whether nothing has come while it was idle: neither its end nor an unexpected response."""
        # In this order: the descriptor of a closed socket may already belong to another one.
        return not self._transport.is_closing() and not self._poll.poll(0)

    async def exchange(self, request: bytes) -> Response | None:
        """Return the response; None if the connection ended before the first byte of it. Raises `NoResponse`."""
        if self._transport.is_closing():
            return None
        self._parts, self._begun, self._size, self._status = [], 0, 0, None
        self._response = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._response

    def close(self) -> None:
        """Close the connection at once, if it was ever open."""
        if self._is_made:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's class is no subclass of it
        self._is_made = True
        self._poll.register(transport.get_extra_info("socket").fileno(), select.POLLIN)

    def data_received(self, data: bytes) -> None:
        if self._response is None or self._response.done():
            self.close()
            return
        self._size += len(data)
        if self._size > LARGEST:
            self._fail(f"a response of more than {LARGEST} bytes")
            return
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            if self._status is None or isinstance(error, HttpParserUpgrade):
                self._fail(f"not HTTP: {type(error).__name__}")
                return
            self._keeps = False  # the response is complete, and what follows it is not HTTP
        if self._status is not None:
            # A second response answers no request of ours, and an interim one is followed by another.
            self.is_reusable = self._keeps and self._begun == 1 and self._status >= _FIRST_FINAL
            self._response.set_result(Response(self._status, b"".join(self._parts)))

    def connection_lost(self, exc: Exception | None) -> None:
        if self._response is None or self._response.done():
            return
        if self._size:
            self._fail(f"the response was cut off: {type(exc).__name__ if exc else 'end of stream'}")
        else:
            self._response.set_result(None)

    def on_message_begin(self) -> None:
        self._begun += 1

    def on_body(self, part: bytes) -> None:
        if self._begun == 1:
            self._parts.append(part)

    def on_message_complete(self) -> None:
        if self._begun == 1:
            # Read them now: the parser forgets both after this call.
            self._status, self._keeps = self._parser.get_status_code(), self._parser.should_keep_alive()

    def _fail(self, why: str) -> None:
        if self._response is not None:
            self._response.set_exception(NoResponse(why))
