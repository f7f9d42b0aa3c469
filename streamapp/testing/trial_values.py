"""The values that a test passes to an app and gets back: bodies, events, states, dead letters."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from streamapp.state.keys import plain
from streamapp.testing.sqs.message import MessageContent
from streamapp_codecs import Decoded, Origin


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A dead letter. *reason* is None when SQS itself moved the message, because it was received too often."""

    body: str
    reason: str | None
    detail: str | None


class StatesByKey(dict[str, Any]):
    """States by key. A key that is stored as a hash is found by its original text too."""

    def __missing__(self, key: str) -> Any:  # noqa: ANN401 - the table's type
        stored = plain(key)
        if stored == key or stored not in self:
            raise KeyError(key)
        return self[stored]


def body_of(value: object) -> str:
    """Return the message body for *value*."""
    if isinstance(value, str):
        return value
    return value.decode() if isinstance(value, bytes) else msgspec.json.encode(value).decode()


def value_of(decode: Callable[[str, Origin], Decoded[Any]], body: str) -> object:
    """Return the first event that *decode* finds in *body*, *body* itself where it finds none."""
    origin = Origin(queue="", message_id="", sent_at=datetime.now(UTC))
    events = decode(body, origin).events
    return events[0] if events else body


def dead_letter_of(content: MessageContent) -> DeadLetter:
    """Return a message of a dead-letter queue as a `DeadLetter`."""
    reason, detail = (content.attributes.get(f"streamapp-{name}") for name in ("reason", "detail"))
    return DeadLetter(content.body, *(str(each.value) if each else None for each in (reason, detail)))


def dead_letter_queue_of(name: str) -> str:
    """Return the name of a queue's dead-letter queue."""
    return f"{name.removesuffix('.fifo')}-dlq.fifo" if name.endswith(".fifo") else f"{name}-dlq"
