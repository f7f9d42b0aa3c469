"""Kept connections, to a server that follows a script."""

import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from anyio import (
    BrokenResourceError,
    CancelScope,
    EndOfStream,
    Event,
    create_task_group,
    create_tcp_listener,
    fail_after,
    move_on_after,
    sleep,
    sleep_forever,
    wait_all_tasks_blocked,
)
from anyio.abc import ByteStream, SocketAttribute
from anyio.streams.tls import TLSAttribute, TLSListener, TLSStream

from rigs.certificates import certified
from streamapp.sqs.http_pool import ConnectionPool, NoResponse, Response


@pytest.fixture(params=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, bool]]:
    """Each event loop has transports of its own."""
    if request.param == "uvloop":
        pytest.importorskip("uvloop", reason="uvloop comes with the extra `fast`")
    return "asyncio", {"use_uvloop": request.param == "uvloop"}


REQUEST = b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 2\r\n\r\n{}"


def response(body: bytes = b"{}", status: str = "200 OK", more: bytes = b"") -> bytes:
    """Return a complete HTTP response."""
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n%s\r\n%s" % (status.encode(), len(body), more, body)


@dataclass
class Server:
    """A server that calls its *script* for each request, with the connection and the request's number from 0."""

    port: int = 0
    script: Callable[[ByteStream, int], Awaitable[bool | None]] | None = None
    connections: int = 0
    requests: int = 0
    closed: Event = field(default_factory=Event)

    async def talk(self, stream: ByteStream) -> None:
        """Serve one connection, until a script returns True."""
        self.connections += 1
        try:
            async with stream:
                while True:
                    received = await stream.receive()
                    assert received == REQUEST
                    number = self.requests
                    self.requests += 1
                    if self.script is None:
                        await stream.send(response())
                    elif await self.script(stream, number):
                        return
        except (EndOfStream, BrokenResourceError):
            pass
        finally:
            self.closed.set()


@asynccontextmanager
async def serving(server: Server, tls: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    """Serve on a free loopback port."""
    async with await create_tcp_listener(local_host="127.0.0.1") as listener, create_task_group() as tasks:
        server.port = listener.extra(SocketAttribute.local_port)
        served = listener if tls is None else TLSListener(listener, tls, standard_compatible=False)
        tasks.start_soon(served.serve, server.talk)
        yield server
        tasks.cancel_scope.cancel()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    """A server that returns `{}` for each request, until it has a script."""
    async with serving(Server()) as serves:
        yield serves


@asynccontextmanager
async def connected(
    server: Server, *, most: int = 4, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1"
) -> AsyncIterator[ConnectionPool]:
    """Open connections to *server*."""
    connections = ConnectionPool(host, server.port, tls=tls, most=most)
    try:
        yield connections
    finally:
        connections.close()


async def test_successive_requests_share_a_connection(server: Server) -> None:
    """A handshake for each request would cost more than the request."""
    async with connected(server) as connections:
        for _ in range(5):
            assert await connections.exchange(REQUEST) == Response(200, b"{}")

    assert (server.connections, server.requests) == (1, 5)


async def test_there_are_never_more_connections_than_allowed(server: Server) -> None:
    """A request without a free connection waits for one, within its own deadline."""
    go = Event()

    async def wait(stream: ByteStream, _: int) -> None:
        await go.wait()
        await stream.send(response())

    server.script = wait
    async with connected(server, most=2) as connections, create_task_group() as tasks:
        for _ in range(6):
            tasks.start_soon(connections.exchange, REQUEST)
        with fail_after(30):
            while server.requests < 2:
                await sleep(0.01)
        await sleep(0.3)  # in which a third would come, if one did
        assert server.requests == 2
        go.set()

    assert (server.connections, server.requests) == (2, 6)


async def test_a_kept_connection_that_was_closed_is_not_reused(server: Server) -> None:
    """Its end is noticed before a request is sent."""

    async def once(stream: ByteStream, _: int) -> bool:
        await stream.send(response())
        return True

    server.script = once
    async with connected(server) as connections:
        await connections.exchange(REQUEST)
        await server.closed.wait()
        await wait_all_tasks_blocked()
        assert await connections.exchange(REQUEST) == Response(200, b"{}")

    assert (server.connections, server.requests) == (2, 2)


async def test_an_unexpected_response_is_discarded(server: Server) -> None:
    """It must not be read as the response to the next request."""

    async def twice(stream: ByteStream, number: int) -> None:
        await stream.send(response())
        if number == 0:
            await stream.send(response(b"stray", "408 Request Timeout"))

    server.script = twice
    async with connected(server) as connections:
        await connections.exchange(REQUEST)
        with move_on_after(0.1):
            await sleep_forever()
        assert await connections.exchange(REQUEST) == Response(200, b"{}")


async def test_a_request_whose_kept_connection_dies_is_sent_once_more(server: Server) -> None:
    """The server closed it while the request was being sent."""

    async def script(stream: ByteStream, number: int) -> bool | None:
        if number == 1:
            return True
        await stream.send(response(b"%d" % number))
        return None

    server.script = script
    async with connected(server) as connections:
        await connections.exchange(REQUEST)
        assert await connections.exchange(REQUEST) == Response(200, b"2")


async def test_a_request_that_fails_on_a_new_connection_is_not_repeated(server: Server) -> None:
    """A request that makes the server close each connection must not be repeated for ever."""

    async def hang_up(_: ByteStream, __: int) -> bool:
        return True

    server.script = hang_up
    async with connected(server) as connections:
        with pytest.raises(NoResponse):
            await connections.exchange(REQUEST)

    assert server.requests == 1


async def test_a_request_whose_response_has_begun_is_not_repeated(server: Server) -> None:
    """The server has processed it, so the caller decides whether to repeat it."""

    async def script(stream: ByteStream, number: int) -> bool | None:
        if number == 0:
            await stream.send(response())
            return None
        await stream.send(response(b"x" * 100)[:60])
        return True

    server.script = script
    async with connected(server) as connections:
        await connections.exchange(REQUEST)
        with pytest.raises(NoResponse):
            await connections.exchange(REQUEST)

    assert server.requests == 2


async def test_a_cancelled_request_leaves_no_connection_behind(server: Server) -> None:
    """A late response must not be read as the response to the next request."""

    async def late(stream: ByteStream, number: int) -> None:
        if number > 0:
            await stream.send(response(b"%d" % number))

    server.script = late
    async with connected(server) as connections:
        with move_on_after(0.1):
            await connections.exchange(REQUEST)
        await server.closed.wait()
        assert await connections.exchange(REQUEST) == Response(200, b"1")

    assert server.connections == 2


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}",
        response(b"{}") + response(b"more"),
        response(b"{}") + b"more",
    ],
)
@pytest.mark.parametrize("piece", [1, 1000])
async def test_every_framing_is_read(server: Server, raw: bytes, piece: int) -> None:
    """Emulators and load balancers frame in different ways; bytes after a complete response do not invalidate it."""

    async def script(stream: ByteStream, _: int) -> None:
        for n in range(0, len(raw), piece):
            await stream.send(raw[n : n + piece])

    server.script = script
    async with connected(server) as connections:
        assert await connections.exchange(REQUEST) == Response(200, b"{}")
        assert await connections.exchange(REQUEST) == Response(200, b"{}")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x16\x03\x01",
        b"<html>",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\nuntil the end",
        b"HTTP/1.1 200 OK\nContent-Length: 2\n\n{}",
    ],
)
async def test_an_invalid_response_is_no_response(server: Server, raw: bytes) -> None:
    """No bytes from the network may raise another exception, or be read as a complete response."""

    async def script(stream: ByteStream, _: int) -> bool:
        await stream.send(raw or response()[:10])
        return True

    server.script = script
    async with connected(server) as connections:
        with fail_after(30), pytest.raises(NoResponse):
            await connections.exchange(REQUEST)


async def test_a_reset_is_no_response(server: Server) -> None:
    """It is the most common failure."""

    async def reset(stream: ByteStream, _: int) -> bool:
        raw = stream.extra(SocketAttribute.raw_socket)
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return True

    server.script = reset
    async with connected(server) as connections:
        with pytest.raises(NoResponse):
            await connections.exchange(REQUEST)


async def test_an_endless_response_is_cut_off(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker's memory must be bounded, whatever a server sends."""
    monkeypatch.setattr("streamapp.sqs.http_pool.LARGEST", 1000)

    async def flood(stream: ByteStream, _: int) -> None:
        await stream.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            await stream.send(b"64\r\n" + b"x" * 100 + b"\r\n")

    server.script = flood
    async with connected(server) as connections:
        with fail_after(30), pytest.raises(NoResponse, match="more than"):
            await connections.exchange(REQUEST)


async def test_a_closed_port_is_no_response() -> None:
    """It must not raise an `OSError`."""
    connections = ConnectionPool("127.0.0.1", 1, tls=None, most=1)

    with pytest.raises(NoResponse):
        await connections.exchange(REQUEST)


async def test_an_address_that_does_not_connect_delays_the_next_one_only_briefly(
    server: Server, anyio_backend: tuple[str, dict[str, bool]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first of two addresses may be unreachable, as an IPv6 address often is."""
    if anyio_backend[1]["use_uvloop"]:
        pytest.skip("uvloop asks the system itself")
    with ExitStack() as sockets:
        hole = sockets.enter_context(socket.create_server(("127.0.0.2", server.port), backlog=0))
        for _ in range(2):  # one more than the backlog: the next connection is not accepted
            guest = sockets.enter_context(socket.socket())
            guest.setblocking(False)
            guest.connect_ex(hole.getsockname())
        both = [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, server.port))
            for address in ("127.0.0.2", "127.0.0.1")
        ]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: both)
        async with connected(server, host="two.example") as connections:
            with fail_after(30):
                assert await connections.exchange(REQUEST) == Response(200, b"{}")


async def test_tls_needs_a_trusted_certificate_with_the_right_name(tmp_path: Path) -> None:
    """Both the certificate and its name are checked."""
    context, trust = certified(tmp_path)

    async with serving(Server(), context) as server:
        trusting = ssl.create_default_context(cafile=str(trust))
        async with connected(server, tls=trusting) as connections:
            assert await connections.exchange(REQUEST) == Response(200, b"{}")
            assert await connections.exchange(REQUEST) == Response(200, b"{}")
        async with connected(server, tls=ssl.create_default_context()) as connections:
            with pytest.raises(NoResponse):
                await connections.exchange(REQUEST)
        async with connected(server, tls=trusting, host="localhost") as connections:
            with pytest.raises(NoResponse):
                await connections.exchange(REQUEST)

    assert server.requests == 2


async def test_an_unexpected_response_is_discarded_behind_tls_too(tmp_path: Path) -> None:
    """Its TLS record was read from the socket with the first response, so the socket looks quiet."""
    context, trust = certified(tmp_path)

    async def twice(stream: ByteStream, number: int) -> None:
        if number > 0:
            await stream.send(response())
            return
        tls = stream.extra(TLSAttribute.ssl_object)
        tls.write(response())  # not flushed, so that both records are sent together
        await stream.send(response(b"stray", "408 Request Timeout"))

    async with serving(Server(script=twice), context) as server:
        trusting = ssl.create_default_context(cafile=str(trust))
        async with connected(server, tls=trusting) as connections:
            assert await connections.exchange(REQUEST) == Response(200, b"{}")
            assert await connections.exchange(REQUEST) == Response(200, b"{}")

    assert server.connections == 2


async def test_a_handshake_that_is_cancelled_at_its_end_leaves_no_connection_behind(tmp_path: Path) -> None:
    """If the host does not close it, it would stay open for half a minute, above the limit of connections."""
    context, trust = certified(tmp_path)
    gone = Event()

    class Deaf(Server):
        async def talk(self, stream: ByteStream) -> None:
            """Read everything, and never respond."""
            assert isinstance(stream, TLSStream)
            async with stream.transport_stream:
                with suppress(EndOfStream, BrokenResourceError):
                    while True:
                        await stream.transport_stream.receive()
            gone.set()

    class Cutting(ssl.SSLObject):
        def do_handshake(self) -> None:
            """Cancel the request when it could begin."""
            super().do_handshake()
            call.cancel()

    trusting = ssl.create_default_context(cafile=str(trust))
    trusting.sslobject_class = Cutting
    async with serving(Deaf(), context) as server, connected(server, tls=trusting) as connections:
        with CancelScope() as call:
            await connections.exchange(REQUEST)
        with fail_after(30):
            await gone.wait()


@pytest.mark.parametrize("host", ["two..dots", "long" * 16])
async def test_an_impossible_host_name_is_no_response(host: str) -> None:
    """Python raises no `OSError` for it."""
    connections = ConnectionPool(host, 1, tls=None, most=1)

    with pytest.raises(NoResponse):
        await connections.exchange(REQUEST)
