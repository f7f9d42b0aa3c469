"""What the worker's role may do with the messages of one queue: without a right to it, none is received."""

import logging
from collections.abc import Sequence
from typing import Literal

from anyio import Lock, move_on_after

from streamapp.errors import ServiceError
from streamapp.flow.outage import MISCONFIGURED_PAUSE
from streamapp.flow.wakeup import Wakeup
from streamapp.messages import Queue
from streamapp.observe.quiet_log import QuietLog
from streamapp.sqs.client import Failure, Sqs, failure_of

logger = logging.getLogger(__name__)

Right = Literal["DeleteMessage", "ChangeMessageVisibility"]
"""A right by its name in IAM; the one to receive shows by itself."""

NO_HANDLE = "streamapp-probe"
"""A receipt handle of no message. SQS looks at rights first, so its refusal says whether the role has the right."""


class Rights:
    """The rights that were refused at their last use, each with SQS's code, until they are found to be granted.

    A message that is received without them comes again and again, and SQS dead-letters it in the end.
    """

    def __init__(self, sqs: Sqs, queue: Queue) -> None:
        self.refused: dict[Right, str] = {}
        self._sqs = sqs
        self._queue = queue
        self._probing = Lock()
        self._changed = Wakeup()
        self._quiet_log = QuietLog(logger)

    def note(self, right: Right, outcomes: Sequence[Failure | None]) -> bool:
        """Take note of the *outcomes* of a call; return whether the right to it was refused."""
        if any(outcomes):
            for failure in outcomes:
                if failure is not None and failure.is_refused_right:
                    self.refused[right] = failure.code
                    about = {"queue": self._queue.name, "right": right, "code": failure.code}
                    sentence = "a right is missing; nothing is received from this queue until it is there"
                    self._quiet_log.log(logging.ERROR, sentence, right, **about)
                    return True
        if self.refused and self.refused.pop(right, None) is not None:
            self._changed.ring()
        return False

    async def granted(self) -> None:
        """Return once no right is refused any more; for that, try those that were, now and then."""
        async with self._probing:
            while self.refused:
                await self.change()
                for right in list(self.refused):
                    self.note(right, await self._probe(right))

    async def change(self) -> None:
        """Return when a right was granted, or when it is time to try again."""
        with move_on_after(MISCONFIGURED_PAUSE):
            await self._changed.wait()

    def hurry(self) -> None:
        """End all waiting for a change."""
        self._changed.ring()

    async def _probe(self, right: Right) -> Sequence[Failure | None]:
        try:
            if right == "DeleteMessage":
                return await self._sqs.delete(self._queue, [NO_HANDLE])
            return await self._sqs.change_visibility(self._queue, [(NO_HANDLE, 0)])
        except ServiceError as error:
            return [failure_of(error)]
