"""HTTP/1.1 connections to one host, kept open between calls."""

import select
import ssl
from typing import NamedTuple

from anyio import (
    BrokenResourceError,
    ClosedResourceError,
    EndOfStream,
    Semaphore,
    aclose_forcefully,
    connect_tcp,
    current_time,
    fail_after,
)
from anyio.abc import ByteStream, SocketAttribute
from anyio.streams.tls import TLSAttribute
from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from streamapp.errors import StreamappError

CONNECT_TIMEOUT = 3.0
"""Seconds to reach the host; one that takes longer is not usable."""

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
        """Answer what the host answers to *request*. Raises `NoAnswer`; the deadline is the caller's.

        A request whose kept connection turns out to be closed goes out once more, on a new one. The host may have
        acted on the first all the same, so this is for requests that may be repeated.
        """
        async with self._places:
            kept = await self._take_kept()
            if kept is not None:
                answer = await self._ask(kept, request)
                if answer is not None:
                    return answer
            answer = await self._ask(await self._connect(), request)
            if answer is None:
                raise NoAnswer("the connection was closed before an answer came")
            return answer

    async def aclose(self) -> None:
        """Close what is open."""
        while self._idle:
            await aclose_forcefully(self._idle.pop().stream)

    async def _take_kept(self) -> "_Connection | None":
        while self._idle:
            connection = self._idle.pop()
            if current_time() - connection.idle_since < KEEP and connection.is_quiet():
                return connection
            await aclose_forcefully(connection.stream)
        return None

    async def _connect(self) -> "_Connection":
        try:
            with fail_after(CONNECT_TIMEOUT):
                if self._tls is None:
                    stream: ByteStream = await connect_tcp(self._host, self._port)
                else:
                    # An answer says how long it is, so an end without TLS's goodbye cannot cut one short unseen.
                    stream = await connect_tcp(
                        self._host, self._port, ssl_context=self._tls, tls_standard_compatible=False
                    )
        except (OSError, BrokenResourceError, EndOfStream) as error:
            raise NoAnswer(f"no connection: {type(error).__name__}") from error
        return _Connection(stream)

    async def _ask(self, connection: "_Connection", request: bytes) -> Answer | None:
        """Answer what the host answers, None where the connection ended before the first byte of it."""
        stays = False
        try:
            answer, stays = await connection.ask(request)
        except (EndOfStream, BrokenResourceError, ClosedResourceError, OSError) as error:
            if connection.is_answering:
                raise NoAnswer(f"the answer was cut off: {type(error).__name__}") from error
            return None
        except (HttpParserError, HttpParserUpgrade) as error:
            raise NoAnswer(f"no HTTP: {type(error).__name__}") from error
        finally:
            # Whoever was cut off half-way leaves a connection on which an old answer may still come.
            if stays:
                connection.idle_since = current_time()
                self._idle.append(connection)
            else:
                await aclose_forcefully(connection.stream)
        return answer


class _Connection:
    """One connection; those of its methods whose name begins with `on_` are the parser's to call."""

    def __init__(self, stream: ByteStream) -> None:
        self.stream = stream
        self.idle_since = 0.0
        self.is_answering = False
        self._poll = select.poll()
        below = stream.extra(SocketAttribute.raw_socket)  # noqa: S610 - anyio's, no query
        self._poll.register(below.fileno(), select.POLLIN)
        self._tls = stream.extra(TLSAttribute.ssl_object, None)  # noqa: S610 - anyio's, no query
        self._parser = HttpResponseParser(self)
        self._parts: list[bytes] = []
        self._begun = 0
        self._status: int | None = None
        self._stays = False

    def is_quiet(self) -> bool:
        """Whether nothing came while it was idle: neither its end, nor an answer to no question."""
        return not self._poll.poll(0) and (self._tls is None or _is_read(self._tls))

    async def ask(self, request: bytes) -> tuple[Answer, bool]:
        """Answer the answer, and whether another call may follow it here."""
        self._forget()
        await self.stream.send(request)
        size = 0
        while self._status is None:
            received = await self.stream.receive()
            self.is_answering = True
            size += len(received)
            if size > LARGEST:
                raise NoAnswer(f"an answer of more than {LARGEST} bytes")
            self._parser.feed_data(received)
        stays = self._stays and self._begun == 1 and self._status >= _FIRST_FINAL
        return Answer(self._status, b"".join(self._parts)), stays

    def _forget(self) -> None:
        self.is_answering, self._begun, self._status, self._parts = False, 0, None, []

    def on_message_begin(self) -> None:
        self._begun += 1

    def on_body(self, part: bytes) -> None:
        if self._begun == 1:
            self._parts.append(part)

    def on_message_complete(self) -> None:
        if self._begun == 1:
            # Asked later, the parser has forgotten.
            self._status, self._stays = self._parser.get_status_code(), self._parser.should_keep_alive()


def _is_read(tls: ssl.SSLObject) -> bool:
    """Whether nothing is left to read of what came over *tls*; a byte that is left is taken.

    What came together is taken from the socket together and read record by record, so one may wait unseen.
    """
    try:
        tls.read(1)
    except ssl.SSLError as error:
        return isinstance(error, ssl.SSLWantReadError)
    return False
