"""A minimal SQS, fast enough that the server is not what is measured.

It has AWS JSON 1.0 only, and a ledger: requests by kind, what was sent and when, and deletes of messages that were
never received. Receives can be held until all is ready. It is no emulator: it has no FIFO, delays, redrive or limits.
"""

import asyncio
import ssl
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import Literal

import msgspec

from benchmarks.servers.connection import Connection
from benchmarks.servers.queues import Fields, Message, Poll, Queue, digest

SWEEP = 0.25
"""Seconds between two checks for messages whose visibility timeout has passed."""

HELD_POLL = 1.0
"""Seconds that even a short poll waits while receives are held, so that clients do not spin."""

LAST_POLL = 0.05
"""Seconds that a poll waits at the end, so that a contestant that waits for its polls ends soon."""

encode = msgspec.json.Encoder().encode


class Stub:
    """All queues, and the ledger."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.queues: dict[str, Queue] = {}
        self.counts: Counter[str] = Counter()
        self.problems: list[str] = []
        self.phase: Literal["held", "open", "ending"] = "open"
        self.released_at = 0.0
        self.numbers = 0

    def queue(self, said: Fields) -> Queue:
        """Return the queue of a request."""
        name = said.get("QueueName") or said.get("QueueUrl", "").rsplit("/", 1)[-1]
        if name not in self.queues:
            raise LookupError(name)
        return self.queues[name]

    def url(self, name: str) -> str:
        """Return the URL of a queue on this server."""
        return f"http://127.0.0.1:{self.port}/000000000000/{name}"

    port = 0

    def ledger(self, path: str) -> bytes:
        """Return the response to a request of the benchmark."""
        match path:
            case "/_bench/reset":
                self.queues.clear()
                self.counts.clear()
                self.problems.clear()
            case "/_bench/hold":
                self.phase = "held"
            case "/_bench/end":
                self.phase = "ending"
                for queue in self.queues.values():
                    while queue.polls:
                        queue.polls.popleft().end(b"{}")
            case "/_bench/release":
                self.phase = "open"
                self.counts.clear()
                self.released_at = time.monotonic()
                for queue in self.queues.values():
                    self.serve(queue)
            case "/_bench/progress":
                return encode({name: [len(it.deleted), len(it.sent)] for name, it in self.queues.items()})
            case _:
                queues = {name: queue.summary() for name, queue in self.queues.items()}
                facts = {"counts": self.counts, "problems": self.problems, "released_at": self.released_at}
                return encode({**facts, "queues": queues})
        return b"{}"

    def call(self, operation: str, said: Fields, answer: Callable[[bytes], None]) -> bytes | None:  # noqa: PLR0911 - one return per operation
        """Return the response to a call, or None when *answer* will be called later."""
        self.counts[operation] += 1
        if operation == "CreateQueue":
            self.queues.setdefault(said["QueueName"], Queue(said["QueueName"], said.get("Attributes") or {}))
        queue = self.queue(said) if operation != "ListQueues" else None
        if queue is None:
            return encode({"QueueUrls": [self.url(name) for name in self.queues]})
        match operation:
            case "ReceiveMessage":
                return self.receive(queue, said, answer)
            case "DeleteMessageBatch" | "ChangeMessageVisibilityBatch" | "SendMessageBatch":
                act = {"D": self.delete, "C": self.change, "S": self.send}[operation[0]]
                done = [{"Id": entry["Id"], **act(queue, entry)} for entry in said["Entries"]]
                self.serve(queue)
                failed = [it for it in done if "Code" in it]
                return encode({"Successful": [it for it in done if "Code" not in it], "Failed": failed})
            case "DeleteMessage" | "ChangeMessageVisibility" | "SendMessage":
                result = {"D": self.delete, "C": self.change, "S": self.send}[operation[0]](queue, said)
                self.serve(queue)
                return encode(result)
            case "CreateQueue" | "GetQueueUrl":
                return encode({"QueueUrl": self.url(queue.name)})
            case "SetQueueAttributes":
                queue.attributes |= said["Attributes"]
                return b"{}"
            case "GetQueueAttributes":
                counts = {
                    "QueueArn": f"arn:aws:sqs:us-east-1:000000000000:{queue.name}",
                    "ApproximateNumberOfMessages": str(len(queue.ready)),
                    "ApproximateNumberOfMessagesNotVisible": str(len(queue.held)),
                }
                return encode({"Attributes": {**queue.attributes, **counts}})
            case _:
                raise NotImplementedError(operation)

    def send(self, queue: Queue, entry: Fields) -> Fields:
        """Store a message."""
        body = entry["MessageBody"]
        self.numbers += 1
        message = Message(self.numbers, body, entry.get("MessageAttributes"))
        queue.ready.append(message)
        queue.sent.append((time.monotonic(), body))
        return {"MessageId": message.id, "MD5OfMessageBody": digest(body)}

    def receive(self, queue: Queue, said: Fields, answer: Callable[[bytes], None]) -> bytes | None:
        """Return messages, or wait for some."""
        limit = int(said.get("MaxNumberOfMessages") or 1)
        if queue.ready and self.phase == "open":
            return self.hand_out(queue, limit)
        wait = float(said.get("WaitTimeSeconds") or queue.attributes.get("ReceiveMessageWaitTimeSeconds", 0))
        if self.phase != "open":
            wait = max(wait, HELD_POLL) if self.phase == "held" else LAST_POLL
        if not wait:
            return b"{}"
        poll = Poll(answer, limit)
        poll.timer = self.loop.call_later(wait, self.give_up, queue, poll)
        queue.polls.append(poll)
        return None

    def give_up(self, queue: Queue, poll: Poll) -> None:
        """End a poll without messages."""
        queue.polls.remove(poll)
        poll.answer(b"{}")

    def serve(self, queue: Queue) -> None:
        """Give messages to waiting polls, as long as there are some."""
        while queue.ready and queue.polls and self.phase == "open":
            poll = queue.polls.popleft()
            poll.end(self.hand_out(queue, poll.limit))

    def hand_out(self, queue: Queue, limit: int) -> bytes:
        """Make up to *limit* messages invisible and return them."""
        due = time.monotonic() + float(queue.attributes["VisibilityTimeout"])
        parts: list[bytes] = []
        for _ in range(min(limit, len(queue.ready))):
            message = queue.ready.popleft()
            message.receives += 1
            message.due = due
            queue.held[message.id] = message
            count = message.receives
            tail = b',"ApproximateReceiveCount":"%d"},"ReceiptHandle":"%b.%d"}' % (
                count,
                message.id.encode(),
                count,
            )
            parts.append(message.head + tail)
        return b'{"Messages":[' + b",".join(parts) + b"]}"

    def delete(self, queue: Queue, entry: Fields) -> Fields:
        """Delete a received message; any other delete is recorded as the contestant's fault."""
        number, _, receipt = entry["ReceiptHandle"].partition(".")
        message = queue.held.get(number)
        if message is not None and receipt.isdecimal() and int(receipt) <= message.receives:
            del queue.held[number]
            queue.deleted.add(number)
            queue.deleted_at = time.monotonic()
        elif number not in queue.deleted:
            self.problems.append(
                f"{queue.name}: {entry['ReceiptHandle']} was deleted and is in nobody's hand"
            )
            return {"Code": "ReceiptHandleIsInvalid", "SenderFault": True, "Message": "not in flight"}
        return {}

    def change(self, queue: Queue, entry: Fields) -> Fields:
        """Make a message visible later, or now."""
        message = queue.held.get(entry["ReceiptHandle"].partition(".")[0])
        if message is not None:
            message.due = time.monotonic() + float(entry["VisibilityTimeout"])
            if not entry["VisibilityTimeout"]:
                self.sweep_queue(queue)
        return {}

    def sweep(self) -> None:
        """Make messages visible whose visibility timeout has passed, again and again."""
        for queue in self.queues.values():
            self.sweep_queue(queue)
        self.loop.call_later(SWEEP, self.sweep)

    def sweep_queue(self, queue: Queue) -> None:
        """Make the messages visible that are due in one queue."""
        now = time.monotonic()
        for number in [number for number, message in queue.held.items() if message.due <= now]:
            queue.ready.append(queue.held.pop(number))
        self.serve(queue)


async def main() -> None:
    """Serve on a free loopback port until stdin ends; print that port, and the port of TLS or 0."""
    loop = asyncio.get_running_loop()
    stub = Stub(loop)
    server = await loop.create_server(lambda: Connection(stub), "127.0.0.1", 0)
    stub.port = server.sockets[0].getsockname()[1]
    safe_port = 0
    if len(sys.argv) > 1:  # a certificate with its key
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(sys.argv[1])
        safe = await loop.create_server(lambda: Connection(stub), "127.0.0.1", 0, ssl=tls)
        safe_port = safe.sockets[0].getsockname()[1]
    sys.stdout.write(f"{stub.port} {safe_port}\n")
    sys.stdout.flush()
    stub.sweep()
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    try:
        import uvloop
    except ImportError:
        asyncio.run(main())
    else:
        uvloop.run(main())
