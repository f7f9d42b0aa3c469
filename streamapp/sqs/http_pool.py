"""HTTP/1.1 connections to one host, kept open between calls."""

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
"""Seconds after which the next of a host's addresses is tried beside the one before it (RFC 8305)."""

KEEP = 12.0
"""Seconds that a connection is kept without use; servers and balancers close theirs after 20 and more."""

LARGEST = 64 * 1_048_576
"""Bytes of an answer: ten messages of 1 MiB with every byte escaped."""

_FIRST_FINAL = 200
"""Below are the interim answers of HTTP, for which nobody asked."""


class NoAnswer(StreamappError):
    """The host could not be reached, or what came from it is no answer; the call may have taken effect."""


class Answer(NamedTuple):
    """What came back."""

    status: int
    body: bytes


class Connections:
    """At most *most* connections to *host*, each with one call under way at a time."""

    def __init__(self, host: str, port: int, *, tls: ssl.SSLContext | None, most: int) -> None:
        self._host = host
        self._port = port
        self._tls = tls
        self._places = Semaphore(most, fast_acquire=True)
        self._idle: list[_Connection] = []

    async def exchange(self, request: bytes) -> Answer:
        """Return what the host answers to *request*. Raises `NoAnswer`; the deadline is the caller's.

        A request whose kept connection turns out to be closed goes out once more, on a new one. The host may have
        acted on the first all the same, so this is for requests that may be repeated.
        """
        if self._places.value:
            self._places.acquire_nowait()
        else:
            await self._places.acquire()
        try:
            kept = self._take_kept()
            if kept is not None:
                answer = await self._ask(kept, request)
                if answer is not None:
                    return answer
            answer = await self._ask(await self._connect(), request)
            if answer is None:
                raise NoAnswer("the connection was closed before an answer came")
            return answer
        finally:
            self._places.release()

    def close(self) -> None:
        """Close what is open."""
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
        except (OSError, UnicodeError) as error:  # the latter for what can be no name
            connection.close()
            raise NoAnswer(f"no connection: {type(error).__name__}") from error
        except BaseException:
            # Cut off as its handshake ended, it would wait for the host's goodbye, uncounted.
            connection.close()
            raise
        return connection

    async def _ask(self, connection: "_Connection", request: bytes) -> Answer | None:
        """Return what the host answers, None where the connection ended before the first byte of it."""
        connection.stays = False
        try:
            return await connection.ask(request)
        finally:
            # Whoever was cut off half-way leaves a connection on which an old answer may still come.
            if connection.stays:
                connection.idle_since = current_time()
                self._idle.append(connection)
            else:
                connection.close()


class _Connection(asyncio.Protocol):
    """One connection. The event loop calls what is asyncio's, and the parser what begins with `on_`.

    It is none of anyio's streams, with which a message costs a twentieth more.
    """

    def __init__(self) -> None:
        self.idle_since = 0.0
        self.stays = False
        """Whether another call may follow the last one here."""
        self._is_made = False
        self._poll = select.poll()
        self._parser = HttpResponseParser(self)
        self._answered: asyncio.Future[Answer | None] | None = None
        self._parts: list[bytes] = []
        self._begun = self._size = 0
        self._status: int | None = None
        self._keeps = False

    def is_quiet(self) -> bool:
        """Whether nothing came while it was idle: neither its end, nor an answer to no question."""
        # In this order: the number of a closed socket may be another's by now.
        return not self._transport.is_closing() and not self._poll.poll(0)

    async def ask(self, request: bytes) -> Answer | None:
        """Return the answer, None where the connection ended before the first byte of it. Raises `NoAnswer`."""
        if self._transport.is_closing():
            return None
        self._parts, self._begun, self._size, self._status = [], 0, 0, None
        self._answered = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answered

    def close(self) -> None:
        """Close it at once, if it was ever open."""
        if self._is_made:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's own class is none by name
        self._is_made = True
        self._poll.register(transport.get_extra_info("socket").fileno(), select.POLLIN)

    def data_received(self, data: bytes) -> None:
        if self._answered is None or self._answered.done():
            self.close()
            return
        self._size += len(data)
        if self._size > LARGEST:
            self._give_up(f"an answer of more than {LARGEST} bytes")
            return
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            if self._status is None or isinstance(error, HttpParserUpgrade):
                self._give_up(f"no HTTP: {type(error).__name__}")
                return
            self._keeps = False  # the answer is whole, and what follows it is none
        if self._status is not None:
            # More than one answer is one to no question, and an interim one is followed by another.
            self.stays = self._keeps and self._begun == 1 and self._status >= _FIRST_FINAL
            self._answered.set_result(Answer(self._status, b"".join(self._parts)))

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answered is None or self._answered.done():
            return
        if self._size:
            self._give_up(f"the answer was cut off: {type(exc).__name__ if exc else 'end of stream'}")
        else:
            self._answered.set_result(None)

    def on_message_begin(self) -> None:
        self._begun += 1

    def on_body(self, part: bytes) -> None:
        if self._begun == 1:
            self._parts.append(part)

    def on_message_complete(self) -> None:
        if self._begun == 1:
            # Asked later, the parser has forgotten.
            self._status, self._keeps = self._parser.get_status_code(), self._parser.should_keep_alive()

    def _give_up(self, why: str) -> None:
        if self._answered is not None:
            self._answered.set_exception(NoAnswer(why))
