"""Row 15: however large messages are and whatever attributes they have, SQS accepts each batch."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from anyio import create_task_group
from anyio.from_thread import start_blocking_portal
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streamapp.errors import Refused
from streamapp.flow.outage import Outage
from streamapp.messages import Outgoing, Queue
from streamapp.observe.counters import Counters
from streamapp.outbox.sender import Sender
from streamapp.sqs.client import BATCH, Failure
from streamapp.testing import MemorySqs

LIMIT = 1_024
"""The smallest MaximumMessageSize that a queue may have; it bounds the batch as well."""


class Noted(MemorySqs):
    """An SQS that records the batches that it gets."""

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[list[Outgoing]] = []

    async def send(self, queue: Queue, messages: Sequence[Outgoing]) -> list[Failure | None]:
        """Record a batch, and send it."""
        self.batches.append(list(messages))
        return await super().send(queue, messages)


sizes = st.integers(1, 60) | st.integers(1, 300) | st.integers(1, 300) | st.integers(LIMIT - 12, LIMIT + 12)
letters = st.sampled_from(["x", "é", "日", "🍕"])
messages = st.lists(
    st.tuples(sizes, letters, st.integers(0, 3), st.integers(1, 20), st.sampled_from("abc")),
    min_size=1,
    max_size=35,
)
Said = tuple[int, str, int, int, str]


def made(n: int, said: Said) -> Outgoing:
    """Return a message of about this size in bytes, of one repeated letter, with attributes, in this group."""
    size, letter, count, length, group = said
    body = f"{n} {letter * (size // len(letter.encode()))}"
    return Outgoing(body, {f"{letter.isascii()}-{it}": letter * length for it in range(count)}, group, f"{n}")


class Packer:
    """Packs cases, and counts them."""

    def __init__(self) -> None:
        self.cases = self.messages = self.batches = self.parked = 0
        self.largest = 0

    async def pack(self, said: list[Said], fifo: bool) -> None:
        """Send all of *said* in two concurrent parts; check every batch and every outcome."""
        sqs = Noted()
        kind = {"FifoQueue": "true"} if fifo else {}
        queue = await sqs.create("q.fifo" if fifo else "q", {"MaximumMessageSize": str(LIMIT), **kind})
        outbox = Sender(sqs, queue, Outage("SQS", lambda: sqs.attributes(queue)), Counters())
        some = [made(n, it) for n, it in enumerate(said)]
        outcomes: dict[int, Any] = {}

        async def submit(start: int, end: int) -> None:
            outcomes.update(enumerate(await outbox.batcher.submit_all(some[start:end]), start))

        async with create_task_group() as tasks:
            tasks.start_soon(submit, 0, len(some) // 2)
            tasks.start_soon(submit, len(some) // 2, len(some))
            await tasks.start(outbox.batcher.run)
            outbox.batcher.close()
        self._check(sqs, queue, some, outcomes)

    def _check(self, sqs: Noted, queue: Queue, some: list[Outgoing], outcomes: dict[int, Any]) -> None:
        good = [message for message in some if message.size <= LIMIT]
        for n, message in enumerate(some):
            assert isinstance(outcomes[n], Refused) == (message.size > LIMIT)
        arrived = sqs.bodies(queue)
        assert sorted(arrived) == sorted(message.body for message in good)
        if queue.fifo:
            stored = sqs.simulator.broker.stored(queue.name, sqs.clock.now()).messages
            for group in "abc":
                came = [it.content.body for it in stored if it.content.group == group]
                assert came == [message.body for message in good if message.group == group]
        for batch in sqs.batches:
            size = sum(message.size for message in batch)
            assert 1 <= len(batch) <= BATCH
            assert size <= LIMIT or len(batch) == 1
            self.largest = max(self.largest, size if len(batch) > 1 else 0)
        self.cases += 1
        self.messages += len(some)
        self.batches += len(sqs.batches)
        self.parked += len(some) - len(good)


@pytest.mark.timeout(1_500)
def test_every_batch_is_one_that_sqs_takes(long: bool, figure: Callable[[str], None]) -> None:
    """A batch that is refused because of one message would hold up the other nine for ever."""
    packer = Packer()
    with start_blocking_portal() as portal:

        @settings(
            max_examples=10_000 if long else 150,
            deadline=None,
            database=None,
            suppress_health_check=[*HealthCheck],
        )
        @given(messages, st.booleans())
        def pack(said: list[Said], fifo: bool) -> None:
            portal.call(packer.pack, said, fifo)

        pack()

    figure(
        f"{packer.cases} cases, {packer.messages} messages in {packer.batches} batches, none over {BATCH} entries "
        f"or {LIMIT} bytes (largest {packer.largest}); order kept in every group; {packer.parked} too large, each refused alone"
    )
    assert packer.cases >= (10_000 if long else 100)
    assert packer.parked
