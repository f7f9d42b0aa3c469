"""The data of the minimal SQS: messages, polls that wait for them, and queues with their ledger."""

import asyncio
import hashlib
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import msgspec

encode = msgspec.json.Encoder().encode
Fields = dict[str, Any]


def digest(body: str) -> str:
    """Return the MD5 by which clients check that a body is complete."""
    return hashlib.md5(body.encode(), usedforsecurity=False).hexdigest()


class Message:
    """One message; *head* is the part of its JSON that is the same in all receives."""

    __slots__ = ("due", "head", "id", "receives")

    def __init__(self, number: int, body: str, attributes: object) -> None:
        self.id = f"{number:032x}"
        shown = b',"MessageAttributes":' + encode(attributes) if attributes else b""
        sent = int(time.time() * 1000)
        self.head = b'{"MessageId":"%b","MD5OfBody":"%b","Body":%b%b,"Attributes":{"SentTimestamp":"%d"' % (
            self.id.encode(), digest(body).encode(), encode(body), shown, sent,
        )  # fmt: skip
        self.receives = 0
        self.due = 0.0


class Poll:
    """A receive that waits for messages."""

    __slots__ = ("answer", "limit", "timer")

    def __init__(self, answer: Callable[[bytes], None], limit: int) -> None:
        self.answer = answer
        self.limit = limit
        self.timer: asyncio.TimerHandle | None = None

    def end(self, body: bytes) -> None:
        """End the poll before its time is over."""
        if self.timer is not None:
            self.timer.cancel()
        self.answer(body)


class Queue:
    """The messages of one queue, and the record of what was done with them."""

    def __init__(self, name: str, attributes: Fields) -> None:
        self.name = name
        self.attributes = {"VisibilityTimeout": "30", **attributes}
        self.ready: deque[Message] = deque()
        self.held: dict[str, Message] = {}
        self.polls: deque[Poll] = deque()
        self.sent: list[tuple[float, str]] = []
        self.known = 0
        self.deleted: set[str] = set()
        self.deleted_at = 0.0

    def summary(self) -> Fields:
        """Return the record of this queue; times are monotonic seconds."""
        return {
            "ready": len(self.ready),
            "held": len(self.held),
            "deleted": len(self.deleted),
            "deleted_at": self.deleted_at,
            "sent": self.sent,
        }
