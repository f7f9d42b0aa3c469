"""Row 20: bodies of 1 MiB, ten a receive, all tokens taken: memory stays bounded, and the loop responsive."""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from itertools import accumulate
from pathlib import Path

import anyio
import pytest

from faults.letters import Letters
from rigs.queues import create_sources
from streamapp.cli.demo.servers import local_aws
from streamapp.config import Config
from streamapp.messages import Outgoing
from streamapp.sqs.client import BATCH
from streamapp.testing import MemorySqs, serve

STREAMS = ("pedido-events", "pagamento-events", "produto-events")
LARGEST = 1_048_576
SPARE = 2_048
"""Bytes that the attributes of a dead letter need."""


def body(number: int) -> str:
    """Return an order of nearly 1 MiB."""
    start = f'{{"event_type":"pedido_criado","data":{{"id_pedido":{number},"observacao":"'
    return start + "x" * (LARGEST - SPARE - len(start) - 3) + '"}}'


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
@pytest.mark.timeout(300)
async def test_large_bodies_neither_fill_the_memory_nor_block_the_loop(
    redis_url: str, prefix: str, long: bool, figure: Callable[[str], None], letters: Letters
) -> None:
    """One producer of large messages must not bring a worker down."""
    each = 300 if long else 20
    sqs = MemorySqs()
    for queue in await create_sources(sqs, *STREAMS, visibility=30):
        for number in range(each):
            # It lists no products. A dead letter is sent whole, so that takes the most memory.
            letters.may_die(body(number))
            assert await sqs.send(queue, [Outgoing(body(number))]) == [None]
    await sqs.create("acompanhamento-events", {})
    script = Path(__file__).with_name("measured_worker.py")
    async with serve(sqs) as endpoint:
        with anyio.fail_after(280):
            ended = await anyio.run_process(
                [sys.executable, str(script)],
                env={
                    **os.environ,
                    **local_aws(endpoint),
                    "PYTHONPATH": os.pathsep.join(sys.path),
                    "REDIS_URL": redis_url,
                    "STREAMAPP_KEY_PREFIX": f"{prefix}:",
                    "STREAMAPP_WAIT_SECONDS": "1",
                },
                stderr=subprocess.PIPE,
                check=False,
            )
    assert ended.returncode == 0, ended.stderr.decode()
    said = json.loads(ended.stdout)
    entries = [
        it for it in sqs.ledger.entries if it.queue in STREAMS and it.message_id and it.outcome == "done"
    ]
    largest = max(Counter(it.call for it in entries if it.operation == "receive").values())
    steps = [{"receive": 1, "delete": -1}.get(it.operation, 0) for it in entries]
    in_hand = max(accumulate(steps))

    figure(
        f"{3 * each} bodies of {LARGEST - SPARE} bytes, {largest} a receive and {in_hand} in hand at most: RSS at most "
        f"{said['peak_mib']:.0f} MiB; loop lag p99 {said['p99_ms']:.1f} ms, max {said['max_ms']:.1f} ms "
        f"over {said['looks']} looks; {said['done']}"
    )
    assert largest == BATCH
    assert in_hand == len(STREAMS) * Config().concurrency
    assert len(sqs.ledger.deleted()) == 3 * each
    assert sqs.ledger.in_flight() == []
    assert said["peak_mib"] <= 200
    if long:
        assert said["p99_ms"] <= 50
        assert said["max_ms"] <= 150
