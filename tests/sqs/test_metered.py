"""Calls to SQS are timed."""

import pytest

from streamapp.errors import ServiceError
from streamapp.messages import Outgoing, Queue
from streamapp.sqs.metered import metered
from streamapp.testing import Fail, MemorySqs


async def test_each_call_that_moves_messages_is_reported_with_its_failure_and_an_empty_poll_is_not() -> None:
    """A slow or throttled SQS is visible nowhere else; a poll that waits 20 s for nothing is not slow."""
    sqs = MemorySqs()
    queue = await sqs.create("orders", {})
    told: list[tuple[str, str, str]] = []

    def note(queue: Queue, operation: str, seconds: float, error: str) -> None:
        assert seconds >= 0
        told.append((queue.name, operation, error))

    timed = metered(sqs, note)

    assert await timed.receive(queue, limit=10, wait=0) == []
    assert await timed.send(queue, [Outgoing("{}")]) == [None]
    (delivery,) = await timed.receive(queue, limit=10, wait=0)
    await timed.change_visibility(queue, [(delivery.handle, 30)])
    await timed.delete(queue, [delivery.handle])
    with sqs.faults.add("send", Fail("AccessDenied")), pytest.raises(ServiceError):
        await timed.send(queue, [Outgoing("{}")])

    operations = ["send", "receive", "change_visibility", "delete"]
    assert told == [("orders", it, "") for it in operations] + [("orders", "send", "configuration")]
