"""One message to send, and what must happen to it."""

from dataclasses import dataclass
from typing import Literal

from streamapp_codecs import Reason

Queue = Literal["pedido-events", "pagamento-events", "produto-events"]
"""A queue's default name."""


@dataclass(frozen=True, slots=True)
class Message:
    """A *body* for a *queue*.

    *repeated* is whether it repeats another message, *moved* whether it was moved from its place in time. With a
    *reason* it must be dead-lettered for that reason; *skipped* must be acknowledged without effect.
    """

    queue: Queue
    body: str
    repeated: bool = False
    moved: bool = False
    reason: Reason | None = None
    skipped: bool = False
