"""Where outgoing messages of one type go, and how they are encoded."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from streamapp.messages import Outgoing


@dataclass(frozen=True, slots=True)
class Destination:
    """One queue, named by its *stream*, and how a value becomes a message of it.

    *encode* returns the body of a value. *identity* returns what makes two values the same message; by default that is
    the hash of group and body, so the same content has the same identity.
    """

    stream: str
    encode: Callable[[Any], str]
    identity: Callable[[Any], str] | None = None

    def outgoing(self, value: object, group: str) -> tuple[str, Outgoing]:
        """Return the identity of *value* and its message; *group* is its group on a FIFO queue.

        Raises `TypeError` or `UnicodeEncodeError` if its body or its identity is no text: stored, it would fail others too.
        """
        body: Any = self.encode(value)  # the codec is anybody's
        if not (isinstance(body, str) and body.isascii()):
            body = _text("body", body)
        identity = _text("identity", self.identity(value)) if self.identity else _digest(group, body)
        return identity, Outgoing(body, group=group, deduplication=identity)


def _text(what: str, given: object) -> str:
    if not isinstance(given, str):
        raise TypeError(f"expected the {what} of a message as str, got {type(given).__name__}")
    if not given.isascii():
        given.encode()
    return given


def _digest(group: str, body: str) -> str:
    return hashlib.sha256(f"{group}\0{body}".encode()).hexdigest()
