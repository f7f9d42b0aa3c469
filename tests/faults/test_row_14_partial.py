"""Row 14: whatever part of a batch SQS accepts, only what failed is sent again, and nothing is lost or sent twice."""

import json
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from anyio import create_task_group

from faults.letters import Letters
from rigs.worker import Add, Count, Rig
from streamapp.cli.demo.servers import local_aws
from streamapp.errors import Refused
from streamapp.flow.outage import Outage
from streamapp.messages import Outgoing
from streamapp.observe.counters import Counters
from streamapp.outbox.sender import Sender
from streamapp.redis.store import RedisStore
from streamapp.sqs.boto import open_aws
from streamapp.sqs.client import BATCH, Sqs
from streamapp.testing import Garble, MemorySqs, Partial, serve

ALL = 1 << BATCH
LANES = 4
"""Queues over which the patterns are spread, each with one batch under way."""

FOREIGN = ("10", "00", "01", "-1", "x", "", "\u0660", "0 ")
"""Ids that no entry had; three of them are numbers of one."""

KINDS = ("sender", "failed", "missing", "foreign")


def go_wrong(sqs: MemorySqs, queue: str, kind: str, pattern: int) -> None:
    """Make the entries of *pattern* fail once, in the way of *kind*."""
    match kind:
        case "sender":
            sqs.faults.add(
                "send", Partial(pattern, "InvalidMessageContents", sender_fault=True), queue=queue, times=1
            )
        case "failed":
            sqs.faults.add("send", Partial(pattern), queue=queue, times=1)
        case _:
            sqs.faults.add("send", Partial(pattern, missing=True), queue=queue, times=1)
    if kind == "foreign":
        ids = [str(n) for n in range(BATCH) if not pattern >> n & 1]
        said = [{"Id": it, "MessageId": "m", "MD5OfMessageBody": "d"} for it in (*FOREIGN, *ids, *FOREIGN)]
        failed = [{"Id": it, "Code": "InternalError", "SenderFault": True} for it in FOREIGN]
        answer = json.dumps({"Successful": said, "Failed": failed}).encode()
        sqs.faults.add("send", Garble(answer), queue=queue, times=1)


@asynccontextmanager
async def outbox(sqs: Sqs, name: str) -> AsyncIterator[Sender]:
    """Run the outbox of a new queue."""
    queue = await sqs.create(name, {})
    opened = Sender(sqs, queue, Outage("SQS", lambda: sqs.attributes(queue)), Counters())
    async with create_task_group() as tasks:
        await tasks.start(opened.batcher.run)
        yield opened
        opened.batcher.close()


async def try_patterns(memory: MemorySqs, sqs: Sqs, kind: str, lane: int, patterns: list[int]) -> int:
    """Send a batch for each of *patterns*; return how many entries were refused for good."""
    name, refused = f"{kind}-{lane}", 0
    async with outbox(sqs, name) as opened:
        for pattern in patterns:
            go_wrong(memory, name, kind, pattern)
            outcomes = await opened.batcher.submit_all([Outgoing(f"{pattern}-{n}") for n in range(BATCH)])
            gone = [isinstance(outcome, Refused) for outcome in outcomes]
            assert gone == [kind == "sender" and bool(pattern >> n & 1) for n in range(BATCH)], pattern
            refused += sum(gone)
    bodies = Counter(memory.bodies(await memory.find(name)))
    assert set(bodies.values()) <= {1}, "a success was sent twice"
    assert len(bodies) == len(patterns) * BATCH - refused
    return refused


@pytest.mark.timeout(600)
async def test_every_pattern_of_success_over_http(
    long: bool, figure: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """HTTP 200 does not mean success: reading it so loses announcements without a trace."""
    memory, patterns = MemorySqs(), list(range(0, ALL, 1 if long else 37))
    refused: Counter[str] = Counter()

    async def run(kind: str, lane: int, sqs: Sqs) -> None:
        gone = await try_patterns(memory, sqs, kind, lane, patterns[lane::LANES])
        refused[kind] += gone

    async with serve(memory) as endpoint:
        for name, value in local_aws(endpoint).items():
            monkeypatch.setenv(name, value)
        async with open_aws() as aws, create_task_group() as tasks:
            for kind in KINDS:
                for lane in range(LANES):
                    tasks.start_soon(run, kind, lane, aws)
    sends = memory.ledger.calls("send")

    figure(
        f"{len(patterns)} of {ALL} patterns x {', '.join(KINDS)}: {len(patterns) * BATCH * len(KINDS)} messages in "
        f"{len(sends)} calls, {refused.total()} refused for good, sent twice 0, lost 0, ids always distinct"
    )
    assert refused["sender"] == sum(pattern.bit_count() for pattern in patterns)
    assert {entry.outcome for entry in sends} <= {"done", "lost"}


async def test_what_is_refused_for_good_keeps_its_input(
    store: RedisStore, prefix: str, figure: Callable[[str], None], letters: Letters
) -> None:
    """Neither the announcement nor the message that caused it may vanish, and the next ones go on."""
    rig = await Rig(store, prefix).create()
    rig.count()
    rig.sqs.faults.add("send", Partial(1, "InvalidMessageContents", sender_fault=True), queue="out", times=1)
    letters.may_die('{"key":"a","n":5}')
    await rig.send([Add("a", 5)])
    await rig.work_off()
    await rig.send([Add("b", 7)])
    await rig.work_off()
    parked = [name for name in await rig.fields("a") if name.startswith("_x:")]
    dead = rig.bodies("orders-dlq")

    figure(
        f"a final failure: {len(parked)} announcement parked, {len(dead)} input kept as a dead letter, "
        f"state {await rig.state('a')}; the next one announced"
    )
    assert await rig.state("a") == Count(5, 1)
    assert len(parked) == 1
    assert dead == ['{"key":"a","n":5}']
    assert rig.bodies() == ['{"key_total":"7","times":1}']
