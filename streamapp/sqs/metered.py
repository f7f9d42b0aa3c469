"""An SQS whose calls that move messages are timed."""

from collections.abc import Callable, Sequence

from anyio import current_time

from streamapp.errors import ServiceError
from streamapp.messages import Queue
from streamapp.sqs.around import Call, Operation, T, around
from streamapp.sqs.client import Sqs

Report = Callable[[Queue, str, float, str], None]
"""Called after each call with its queue, operation, seconds, and the class of its failure ("" for none)."""


def metered(sqs: Sqs, report: Report) -> Sqs:
    """Return *sqs* with the duration of each call reported.

    A receive that returned nothing is not reported: it lasts as long as its wait, and says nothing about SQS.
    """

    async def timed(queue: Queue, operation: Operation, entries: Sequence[object], call: Call[T]) -> list[T]:
        del entries
        started = current_time()
        try:
            returned = await call
        except ServiceError as error:
            report(queue, operation, current_time() - started, error.fault.value)
            raise
        if returned:
            report(queue, operation, current_time() - started, "")
        return returned

    return around(sqs, timed)
