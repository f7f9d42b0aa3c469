"""What a test gives an app and finds afterwards: bodies, values, states, dead letters."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from streamapp.state.keys import plain
from streamapp.testing.sqs.message import Letter
from streamapp_codecs import Decoded, Origin


@dataclass(frozen=True, slots=True)
class Dead:
    """A dead letter. Without *reason* it was SQS that moved it, for it was received too often."""

    body: str
    reason: str | None
    detail: str | None


class Rows(dict[str, Any]):
    """States by key; a key that is stored as its hash is found by itself too."""

    def __missing__(self, key: str) -> Any:  # noqa: ANN401 - the table's own type
        stored = plain(key)
        if stored == key or stored not in self:
            raise KeyError(key)
        return self[stored]


def body_of(value: object) -> str:
    """Return the body that *value* stands for."""
    if isinstance(value, str):
        return value
    return value.decode() if isinstance(value, bytes) else msgspec.json.encode(value).decode()


def value_of(decode: Callable[[str, Origin], Decoded[Any]], body: str) -> object:
    """Return the value in *body*, or *body* where it holds none."""
    origin = Origin(queue="", message_id="", sent_at=datetime.now(UTC))
    events = decode(body, origin).events
    return events[0] if events else body


def dead_of(letter: Letter) -> Dead:
    """Return what a message of a dead-letter queue says."""
    reason, detail = (letter.attributes.get(f"streamapp-{name}") for name in ("reason", "detail"))
    return Dead(letter.body, *(str(each.value) if each else None for each in (reason, detail)))


def dead_letters_of(name: str) -> str:
    """Return the name of a queue's dead-letter queue."""
    return f"{name.removesuffix('.fifo')}-dlq.fifo" if name.endswith(".fifo") else f"{name}-dlq"
