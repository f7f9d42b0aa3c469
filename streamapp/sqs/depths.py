"""How many messages a queue holds: SQS's approximate numbers, read from its attributes, so that no message is touched."""

import logging
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from anyio import sleep

from streamapp.errors import ServiceError
from streamapp.messages import Queue
from streamapp.sqs.client import Sqs

logger = logging.getLogger(__name__)

EVERY = 30.0
"""Seconds between two readings: SQS's own numbers lag by up to a minute, and every worker reads them."""


class Depth(NamedTuple):
    """The number of messages of one queue in each state; None if SQS did not return it."""

    waiting: int | None = None
    in_flight: int | None = None
    delayed: int | None = None


def depth_of(attributes: Mapping[str, str]) -> Depth:
    """Return what the attributes of a queue say about its depth."""
    return Depth(
        *(
            None
            if (number := attributes.get(f"ApproximateNumberOfMessages{ending}")) is None
            else int(number)
            for ending in ("", "NotVisible", "Delayed")
        )
    )


class Depths:
    """The last known numbers of messages, by queue and state; a queue that cannot be read has none."""

    def __init__(self) -> None:
        self.known: dict[tuple[str, str], int] = {}

    async def run(self, sqs: Sqs, queues: Iterable[Queue]) -> None:
        """Read the depths of *queues* every `EVERY` seconds, until cancelled."""
        queues = list(queues)
        while True:
            for queue in queues:
                await self._read(sqs, queue)
            await sleep(EVERY)

    async def _read(self, sqs: Sqs, queue: Queue) -> None:
        try:
            depth = depth_of(await sqs.attributes(queue))
        except ServiceError as error:
            depth = Depth()
            logger.debug(
                "the depth of a queue cannot be read", extra={"queue": queue.name, "reason": error.detail}
            )
        for state, number in depth._asdict().items():
            if number is None:
                self.known.pop((queue.name, state), None)
            else:
                self.known[queue.name, state] = number
