"""An agent, as an app declares it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from streamapp.pipeline.stream import Stream
from streamapp_codecs import Decoder

T = TypeVar("T")

Handler = Callable[[Stream[T]], Awaitable[None] | AsyncIterator[Any]]
"""An agent's function: it iterates the stream, and may yield values for its sink."""

BACKOFF = 2.0
"""Seconds that a message waits at most before its second try; each further try may wait twice as long."""


class Outlet(Protocol):
    """Takes what an agent yields."""

    def send(self, message: Any) -> Awaitable[None]:  # noqa: ANN401 - the agent's own type
        """Return when SQS has accepted *message*."""
        ...


@dataclass(frozen=True, slots=True)
class Agent:
    """An async function over one stream.

    *concurrency* is how many messages it has in hand at most, *instances* how many of it run side by side
    (None: as many as messages). *timeout* is how many seconds it may take over an event, or a batch of them,
    before that counts as failed. What the function yields goes to *sink*.
    """

    name: str
    queue: str
    codec: Decoder[Any]
    handler: Handler[Any]
    concurrency: int | None = None
    instances: int | None = None
    backoff: float = BACKOFF
    timeout: float | None = None
    sink: Outlet | None = None
