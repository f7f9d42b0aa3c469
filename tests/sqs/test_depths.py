"""The numbers of messages in queues."""

from anyio import create_task_group, wait_all_tasks_blocked

from streamapp.messages import Outgoing
from streamapp.sqs.depths import Depth, Depths, depth_of
from streamapp.testing import Fail, MemorySqs


def test_a_missing_number_is_unknown_and_not_zero() -> None:
    """Some emulators return fewer attributes; a zero would be a false reading."""
    assert depth_of({}) == Depth(None, None, None)
    assert depth_of({"ApproximateNumberOfMessages": "3", "ApproximateNumberOfMessagesDelayed": "0"}) == Depth(
        waiting=3, in_flight=None, delayed=0
    )


async def test_the_depth_of_a_queue_that_cannot_be_read_is_unknown() -> None:
    """An old number must not be shown as if it were new."""
    sqs = MemorySqs()
    orders, gone = await sqs.create("orders", {}), await sqs.create("gone", {})
    await sqs.send(orders, [Outgoing("a"), Outgoing("b")])
    await sqs.receive(orders, limit=1, wait=0)
    depths = Depths()
    depths.known["gone", "waiting"] = 7
    sqs.faults.add("attributes", Fail("AccessDenied"), queue="gone")

    async with create_task_group() as tasks:
        tasks.start_soon(depths.run, sqs, [orders, gone])
        await wait_all_tasks_blocked()
        tasks.cancel_scope.cancel()

    assert depths.known == {("orders", "waiting"): 1, ("orders", "in_flight"): 1, ("orders", "delayed"): 0}
