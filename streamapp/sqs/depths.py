"""How many messages lie in a worker's queues, asked now and then and in a way that disturbs none of them."""

import logging
from collections.abc import Iterable, Mapping

from anyio import sleep

from streamapp.errors import ServiceError
from streamapp.messages import Queue
from streamapp.sqs.client import Sqs

logger = logging.getLogger(__name__)

EVERY = 30.0
"""Seconds between two questions: SQS's own numbers lag by up to a minute, and every worker asks."""

STATES: Mapping[str, str] = {"waiting": "", "in_flight": "NotVisible", "delayed": "Delayed"}
"""What messages can be, and how SQS's attribute for their number ends."""


class Depths:
    """The last known numbers of messages, by queue and state; none of a queue that cannot be asked."""

    def __init__(self) -> None:
        self.known: dict[tuple[str, str], int] = {}

    async def run(self, sqs: Sqs, queues: Iterable[Queue]) -> None:
        """Ask for ever."""
        queues = list(queues)
        while True:
            for queue in queues:
                await self._ask(sqs, queue)
            await sleep(EVERY)

    async def _ask(self, sqs: Sqs, queue: Queue) -> None:
        try:
            found = await sqs.attributes(queue)
        except ServiceError as error:
            found = {}
            logger.debug(
                "a queue does not tell its depth", extra={"queue": queue.name, "reason": error.detail}
            )
        for state, ending in STATES.items():
            number = found.get(f"ApproximateNumberOfMessages{ending}")
            if number is None:
                self.known.pop((queue.name, state), None)
            else:
                self.known[queue.name, state] = int(number)
