"""Both clients of one SQS in memory, and the calls that move messages."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from streamapp.errors import ServiceError
from streamapp.messages import Outgoing, Queue
from streamapp.sqs.boto import BotoSqs
from streamapp.sqs.client import Sqs
from streamapp.sqs.direct import DirectSqs
from streamapp.testing import MemorySqs


@dataclass(frozen=True)
class Both:
    """One SQS, and both clients of it."""

    memory: MemorySqs
    aws: BotoSqs
    direct: DirectSqs
    queue: Queue


Operation = Callable[[Sqs, Queue], Awaitable[object]]


OPERATIONS: dict[str, Operation] = {
    "receive": lambda sqs, queue: sqs.receive(queue, limit=1, wait=0),
    "send": lambda sqs, queue: sqs.send(queue, [Outgoing("x"), Outgoing("y", {"a": "é"}, "g")]),
    "delete": lambda sqs, queue: sqs.delete(queue, ["h", "i"]),
    "change_visibility": lambda sqs, queue: sqs.change_visibility(queue, [("h", 1)]),
}


async def outcome(operation: Operation, sqs: Sqs, queue: Queue) -> object:
    """Return the result of a call, or the class and the text of its error."""
    try:
        return await operation(sqs, queue)
    except ServiceError as error:
        return error.fault, str(error)
