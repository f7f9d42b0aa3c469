"""The minimal SQS of the benchmark reads requests however the network splits them."""

import json
import socket
from collections.abc import Iterator

import pytest

from benchmarks.server import Server, running


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A running stub."""
    with running("stub") as it:
        yield it


def asked(operation: str, **said: object) -> bytes:
    """Return the bytes of a request."""
    body = json.dumps(said).encode()
    head = (
        f"POST / HTTP/1.1\r\nHost: stub\r\nX-Amz-Target: AmazonSQS.{operation}\r\nContent-Length: {len(body)}"
    )
    return head.encode() + b"\r\n\r\n" + body


def read(connection: socket.socket, answers: int) -> bytes:
    """Read until that many responses have begun, and the JSON of the last one is complete."""
    got = b""
    while got.count(b"HTTP/1.1 ") < answers or not got.endswith(b"}"):
        more = connection.recv(65_536)
        assert more, "the stub has closed the connection"
        got += more
    return got


def test_requests_may_come_in_pieces_and_together(server: Server) -> None:
    """Clients pipeline, and the kernel splits anywhere; a contestant must not fail because of the stub."""
    both = asked("CreateQueue", QueueName="a") + asked("GetQueueUrl", QueueName="a")
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for start in range(0, len(both), 7):
            connection.sendall(both[start : start + 7])

        got = read(connection, answers=2)

    assert got.count(b"/000000000000/a") == 2


def test_what_the_stub_cannot_do_is_answered_and_its_connection_goes_on(server: Server) -> None:
    """A closed connection does not tell the client what went wrong."""
    server.create("b")

    with pytest.raises(RuntimeError, match="NotImplementedError"):
        server.call("TagQueue", QueueUrl=server.url("b"))

    assert server.left("b") == 0
