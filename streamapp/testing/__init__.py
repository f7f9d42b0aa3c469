"""An SQS and a state store for tests: they follow the rules of the real ones, fail on command, and record every call.

from streamapp.testing import Fail, MemorySqs, VirtualClock

sqs = MemorySqs()
orders = await sqs.create("orders", {})
sqs.faults.add("send", Fail("RequestThrottled"), queue="orders", times=3)
"""

from typing import TYPE_CHECKING

from streamapp.testing.clocks.clock import Clock, RealClock, VirtualClock, settle
from streamapp.testing.faults.effects import (
    MISSING,
    Delay,
    Drip,
    Duplicate,
    Effect,
    Fail,
    Garble,
    Hang,
    Lose,
    Partial,
    Reorder,
    Reset,
    Slow,
)
from streamapp.testing.faults.ledger import Entry, Ledger
from streamapp.testing.faults.plan import Faults, Planned
from streamapp.testing.sqs.memory import MemorySqs
from streamapp.testing.state.memory_store import MemoryStore

if TYPE_CHECKING:
    from streamapp.testing.sqs.server import serve
    from streamapp.testing.trial import Trial

__all__ = [
    "MISSING",
    "Clock",
    "Delay",
    "Drip",
    "Duplicate",
    "Effect",
    "Entry",
    "Fail",
    "Faults",
    "Garble",
    "Hang",
    "Ledger",
    "Lose",
    "MemorySqs",
    "MemoryStore",
    "Partial",
    "Planned",
    "RealClock",
    "Reorder",
    "Reset",
    "Slow",
    "Trial",
    "VirtualClock",
    "serve",
    "settle",
]


def __getattr__(name: str) -> object:
    """Import `serve` and `Trial` at their first use: the HTTP server and the engine are slow to import."""
    if name == "serve":
        from streamapp.testing.sqs.server import serve  # noqa: PLC0415

        return serve
    if name == "Trial":
        from streamapp.testing.trial import Trial  # noqa: PLC0415

        return Trial
    raise AttributeError(name)
