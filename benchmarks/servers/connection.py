"""The HTTP that SQS's clients need: one connection, one request after the other."""

import asyncio
import sys
import traceback
from collections.abc import Callable
from typing import Protocol

import msgspec

from benchmarks.servers.queues import Fields

decode = msgspec.json.Decoder().decode
encode = msgspec.json.Encoder().encode


class Asked(Protocol):
    """Handles requests."""

    def ledger(self, path: str) -> bytes:
        """Return the response to a request of the benchmark."""
        ...

    def call(self, operation: str, said: Fields, answer: Callable[[bytes], None]) -> bytes | None:
        """Return the response to a call, or None when *answer* will be called later."""
        ...


class Connection(asyncio.Protocol):
    """One client's connection: requests come one after the other."""

    def __init__(self, stub: Asked) -> None:
        self.stub = stub
        self.data = b""
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self.transport = transport  # type: ignore[assignment]  # TCP's are both readable and writable

    def data_received(self, data: bytes) -> None:
        """Handle the complete requests in what came."""
        self.data += data
        while (end := self.data.find(b"\r\n\r\n")) >= 0:
            head = self.data[:end]
            small = head.lower()
            size = _number(small, b"content-length:")
            if len(self.data) < end + 4 + size:
                return
            body = self.data[end + 4 : end + 4 + size]
            self.data = self.data[end + 4 + size :]
            self.handle(head, small, body)

    def handle(self, head: bytes, small: bytes, body: bytes) -> None:
        """Handle one request."""
        at = small.find(b"x-amz-target:")
        if at < 0:
            self.answer(self.stub.ledger(head.split(b" ", 2)[1].decode()))
            return
        target = head[at:].split(b"\r\n", 1)[0]
        operation = target.rsplit(b".", 1)[-1].strip().decode()
        try:
            answer = self.stub.call(operation, decode(body or b"{}"), self.answer)
        except LookupError as missing:
            self.refuse(b"400 Bad Request", "QueueDoesNotExist", f"there is no queue {missing}")
        except Exception as error:  # noqa: BLE001 - otherwise the connection would be closed without a response
            sys.stderr.write(f"stub: {operation} failed\n{traceback.format_exc()}")
            self.refuse(b"500 Internal Server Error", "InternalFailure", f"{type(error).__name__}: {error}")
        else:
            if answer is not None:
                self.answer(answer)

    def refuse(self, status: bytes, code: str, message: str) -> None:
        """Send an error of SQS."""
        self.answer(encode({"__type": f"com.amazonaws.sqs#{code}", "message": message}), status)

    def answer(self, body: bytes, status: bytes = b"200 OK") -> None:
        """Send a response, unless the client has gone."""
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(
                b"HTTP/1.1 %b\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: %d\r\n\r\n%b"
                % (status, len(body), body)
            )


def _number(head: bytes, name: bytes) -> int:
    at = head.find(name)
    return int(head[at + len(name) :].split(b"\r\n", 1)[0]) if at >= 0 else 0
