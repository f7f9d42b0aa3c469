"""Batches keep the order of messages and the limits of SQS."""

from streamapp.messages import Outgoing
from streamapp.sqs.packing import MAX_BATCH_BYTES, batches


def test_calls_keep_order_and_limits() -> None:
    """SQS refuses a call that is over either limit as a whole."""
    messages = [
        Outgoing("x" * size) for size in (MAX_BATCH_BYTES - 10, 10, 1, *[1] * 25, MAX_BATCH_BYTES + 1, 1)
    ]

    calls = list(batches(messages))

    assert [message for call in calls for message in call] == messages
    assert [len(call) for call in calls] == [2, 10, 10, 6, 1, 1]
    assert list(batches([])) == []
