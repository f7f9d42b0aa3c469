"""Row 31: with a tail open, a queue's receive counts and visibility are the same as without it."""

from collections.abc import Callable

import pytest
from anyio import fail_after, sleep, to_thread

from rigs.queues import create_sources
from rigs.terminal import Terminal, environment, record, write_records
from streamapp.cli.demo.servers import local_aws
from streamapp.messages import Outgoing
from streamapp.testing import MemorySqs
from streamapp.testing.sqs.server import serve


@pytest.mark.timeout(900)
async def test_a_tail_on_a_terminal_touches_no_message(
    redis_url: str, prefix: str, long: bool, figure: Callable[[str], None]
) -> None:
    """Other tools receive messages to show them: that hides them from workers and moves them towards the DLQ."""
    seconds = 600.0 if long else 6.0
    sqs = MemorySqs()
    (queue,) = await create_sources(sqs, "pedido-events", visibility=1000)
    await sqs.send(queue, [Outgoing(f"message {n}") for n in range(10)])
    hidden = await sqs.receive(queue, limit=3, wait=0)
    before = await sqs.attributes(queue)
    calls = len(sqs.ledger.calls())
    env = environment(redis_url, f"{prefix}:")
    write_records(redis_url, f"{prefix}:", [record(1)])
    async with serve(sqs) as endpoint:
        with Terminal(["tail", "pedido-events"], {**env, **local_aws(endpoint)}) as terminal:
            await to_thread.run_sync(terminal.until, "waiting 7", "in flight 3")
            with fail_after(seconds + 60):
                for _ in range(round(seconds / 2)):
                    await to_thread.run_sync(terminal.read, 0.1)
                    await sleep(2)
            terminal.press("q")
            assert await to_thread.run_sync(terminal.ended) == 0

    made = sqs.ledger.calls()[calls:]
    assert await sqs.attributes(queue) == before
    assert len(sqs.ledger.received("pedido-events")) == len(hidden)
    assert {call.operation for call in made} <= {"attributes", "find"}, "it asks for the depth and no more"
    receives = sqs.ledger.receives("pedido-events")
    assert set(receives.values()) == {1}
    figure(
        f"a tail for {seconds:.0f} s: receive counts {sum(receives.values())} before and after, "
        f"visible {before['ApproximateNumberOfMessages']} and invisible "
        f"{before['ApproximateNumberOfMessagesNotVisible']} before and after, 0 receives"
    )
