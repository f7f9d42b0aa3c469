"""A worker process that measures itself: prints the lag of its event loop and its memory as JSON at its end."""

import json
import os
import sys
import time
from pathlib import Path

import anyio

import streamapp_agents
from streamapp.config import Config
from streamapp.observe.counters import Counters
from streamapp.redis.store import open_redis
from streamapp.sqs.boto import open_aws
from streamapp.worker.assembly import assemble, most_polls
from streamapp.worker.worker import Worker

EVERY = 0.005
"""Seconds between two measurements of the loop."""


async def measure(lags: list[float]) -> None:
    """Record by how much each sleep ends too late."""
    while True:
        began = time.perf_counter()
        await anyio.sleep(EVERY)
        lags.append(max(0.0, time.perf_counter() - began - EVERY))


def peak() -> float:
    """Return the most memory that this process ever had, in MiB."""
    # Not getrusage, which begins with the memory of the process that started this one.
    (line,) = [it for it in Path("/proc/self/status").read_text().splitlines() if it.startswith("VmHWM:")]
    return int(line.split()[1]) / 1024


async def main() -> None:
    """Work until the queues have been idle for a while."""
    config, lags, tally = Config.load(os.environ), [], Counters()
    async with (
        open_aws(polls=most_polls(streamapp_agents.app.registry, config)) as aws,
        open_redis(config.redis_url) as store,
        anyio.create_task_group() as tasks,
    ):
        worker = Worker(
            await assemble(streamapp_agents.app.registry, config, aws, store, tally, longest_wait=1)
        )
        tasks.start_soon(measure, lags)
        await worker.run(idle=1.5)
        tasks.cancel_scope.cancel()
    lags.sort()
    said = {
        "looks": len(lags),
        "p99_ms": lags[int(len(lags) * 0.99)] * 1000,
        "max_ms": lags[-1] * 1000,
        "peak_mib": peak(),
        "done": {str(word): number for word, number in tally.words().items()},
    }
    sys.stdout.write(json.dumps(said) + "\n")


anyio.run(main)
