"""A function around the calls that move messages."""

from collections.abc import Sequence

from streamapp.messages import Outgoing, Queue
from streamapp.sqs.around import Call, Operation, T, around
from streamapp.testing import MemorySqs


async def test_only_calls_that_move_messages_go_through_the_hook() -> None:
    """Every call must still be made once, and return what the SQS below returns."""
    seen: list[tuple[str, str, int]] = []

    async def hook(queue: Queue, operation: Operation, entries: Sequence[object], call: Call[T]) -> list[T]:
        seen.append((queue.name, operation, len(entries)))
        return await call

    memory = MemorySqs()
    sqs = around(memory, hook)

    queue = await sqs.create("orders", {"VisibilityTimeout": "7"})
    assert await sqs.find("orders") == queue
    assert (await sqs.attributes(queue))["VisibilityTimeout"] == "7"
    assert await sqs.send(queue, [Outgoing("a"), Outgoing("b")]) == [None, None]
    first, second = await sqs.receive(queue, limit=10, wait=0)
    assert await sqs.change_visibility(queue, [(second.handle, 0)]) == [None]
    assert await sqs.delete(queue, [first.handle]) == [None]

    assert memory.bodies(queue) == [second.body]
    assert seen == [
        ("orders", "send", 2),
        ("orders", "receive", 0),
        ("orders", "change_visibility", 1),
        ("orders", "delete", 1),
    ]
