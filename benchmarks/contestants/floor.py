"""The least that the work can cost: own HTTP, own signature, hiredis's reader, on bare sockets of the event loop.

No failure is handled: no error, no retry, no timeout, no redelivery. It is a yardstick, not an example.
"""

import asyncio
import hashlib
import hmac
import time
from typing import Any
from urllib.parse import urlsplit

import hiredis
import msgspec
from handling import QUEUES, REDIS_URL, SINK
from together import process

IN_FLIGHT = 8


class Received(msgspec.Struct, rename="pascal"):
    """The parts of a received message that the work needs."""

    body: str
    receipt_handle: str


class Response(msgspec.Struct, rename="pascal"):
    """The response to a receive."""

    messages: list[Received] = []


encode = msgspec.json.Encoder().encode
read_answer = msgspec.json.Decoder(Response).decode
HOST = urlsplit(QUEUES[0]).netloc


class Http(asyncio.Protocol):
    """A connection to SQS with one request at a time."""

    data = b""
    waiting: asyncio.Future[bytes]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Pass on a response when it is complete."""
        self.data += data
        if http_end(self.data):
            self.waiting.set_result(self.data)
            self.data = b""

    async def ask(self, question: bytes) -> bytes:
        """Send a request and return the whole response."""
        self.waiting = asyncio.get_running_loop().create_future()
        self.transport.write(question)  # type: ignore[attr-defined]  # every transport here is writable
        return await self.waiting


class Resp(asyncio.Protocol):
    """A connection to Redis with one pipeline at a time."""

    waiting: asyncio.Future[list[Any]]

    def __init__(self) -> None:
        self.reader = hiredis.Reader(encoding="utf-8")
        self.answers: list[Any] = []
        self.expected = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Pass on the replies when all have come."""
        self.reader.feed(data)
        while len(self.answers) < self.expected and (answer := self.reader.gets()) is not False:
            self.answers.append(answer)
        if len(self.answers) == self.expected:
            self.waiting.set_result(self.answers)

    async def ask(self, commands: list[tuple[str, ...]]) -> list[Any]:
        """Send a pipeline and return each command's reply."""
        self.waiting = asyncio.get_running_loop().create_future()
        self.answers, self.expected = [], len(commands)
        self.transport.write(b"".join(map(hiredis.pack_command, commands)))  # type: ignore[attr-defined]
        return await self.waiting


def http_end(data: bytes) -> int:
    """Return where an HTTP response ends."""
    head = data.find(b"\r\n\r\n")
    if head < 0:
        return 0
    at = data.lower().find(b"content-length:", 0, head)
    size = head + 4 + int(data[at + 15 : data.find(b"\r\n", at)])
    return size if len(data) >= size else 0


def signing_key(day: str) -> bytes:
    """Return the SigV4 signing key of a day."""
    made = b"AWS4test"
    for part in (day, "us-east-1", "sqs", "aws4_request"):
        made = hmac.digest(made, part.encode(), "sha256")
    return made


DAY = time.strftime("%Y%m%d", time.gmtime())
KEY = signing_key(DAY)
SCOPE = f"{DAY}/us-east-1/sqs/aws4_request"
SIGNED = "content-type;host;x-amz-date;x-amz-target"


def request(operation: str, body: bytes) -> bytes:
    """Return a signed request."""
    now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    target = f"AmazonSQS.{operation}"
    canonical = (
        f"POST\n/\n\ncontent-type:application/x-amz-json-1.0\nhost:{HOST}\nx-amz-date:{now}\n"
        f"x-amz-target:{target}\n\n{SIGNED}\n{hashlib.sha256(body).hexdigest()}"
    )
    text = f"AWS4-HMAC-SHA256\n{now}\n{SCOPE}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    signature = hmac.digest(KEY, text.encode(), "sha256").hex()
    head = (
        f"POST / HTTP/1.1\r\nhost: {HOST}\r\ncontent-type: application/x-amz-json-1.0\r\n"
        f"x-amz-target: {target}\r\nx-amz-date: {now}\r\ncontent-length: {len(body)}\r\n"
        f"authorization: AWS4-HMAC-SHA256 Credential=test/{SCOPE}, SignedHeaders={SIGNED}, "
        f"Signature={signature}\r\n\r\n"
    )
    return head.encode() + body


async def consume(queue: str) -> None:
    """Work off one queue, ten messages at a time, for ever."""
    loop = asyncio.get_running_loop()
    host, port = HOST.split(":")
    _, sqs = await loop.create_connection(Http, host, int(port))
    _, redis = await loop.create_unix_connection(Resp, REDIS_URL.removeprefix("unix://"))
    receive = encode({"QueueUrl": queue, "MaxNumberOfMessages": 10, "WaitTimeSeconds": 10})
    while True:
        answer = await sqs.ask(request("ReceiveMessage", receive))
        messages = read_answer(answer[answer.index(b"\r\n\r\n") + 4 :]).messages
        if not messages:
            continue
        said = await process([message.body for message in messages], redis.ask)
        sends = [{"Id": str(n), "MessageBody": body} for n, body in enumerate(said) if body is not None]
        if sends:
            await sqs.ask(request("SendMessageBatch", encode({"QueueUrl": SINK, "Entries": sends})))
        deletes = [{"Id": str(n), "ReceiptHandle": it.receipt_handle} for n, it in enumerate(messages)]
        await sqs.ask(request("DeleteMessageBatch", encode({"QueueUrl": queue, "Entries": deletes})))


async def main() -> None:
    """Work off every queue."""
    async with asyncio.TaskGroup() as tasks:
        for queue in QUEUES:
            for _ in range(IN_FLIGHT if queue == QUEUES[0] else 1):
                tasks.create_task(consume(queue))


try:
    import uvloop
except ImportError:
    asyncio.run(main())
else:
    uvloop.run(main())
