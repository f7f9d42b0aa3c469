"""Sends that faults may hit."""

from streamapp.errors import Fault, ServiceError
from streamapp.messages import Outgoing, Queue
from streamapp.testing import (
    MemorySqs,
)

TEN = [Outgoing(str(n)) for n in range(10)]


async def fault(sqs: MemorySqs, queue: Queue) -> Fault | None:
    """Send something; return the fault of the call."""
    try:
        await sqs.send(queue, TEN[:1])
    except ServiceError as error:
        return error.fault
    return None
