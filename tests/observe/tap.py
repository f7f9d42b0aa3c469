"""The tap's two ends: something to write, and all that viewers can read."""

from typing import Any

import msgspec

from streamapp.observe.tap_reader import TapReader
from streamapp.observe.tap_record import TapRecord
from streamapp.redis.tap import RedisTap


class EndedAttempt:
    """Something that the tap can record."""

    queue = "q"
    outcome: Any = "ok"

    def __init__(self, number: int, body: str = "") -> None:
        self.number = number
        self.body = body

    def line(self, worker: str) -> bytes:
        """Return its record."""
        return msgspec.json.encode(
            TapRecord(queue="q", outcome="ok", done_ms=1, message_id=str(self.number), worker=worker)
        )


async def recorded(taps: RedisTap, *patterns: str) -> list[TapRecord]:
    """Return all records of the tap."""
    reader = TapReader(taps, patterns)
    await reader.open()
    return await reader.history()
