"""A worker in a process of its own, forked from a server that has imported everything already."""

import json
import logging
import multiprocessing
import os
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import import_module
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import anyio
from anyio import CancelScope, create_task_group, get_running_tasks

import streamapp_agents  # noqa: F401 - most workers run it, so the fork server loads it once
from chaos.crash import Crash, CrashingSqs, CrashingStore, crashing
from streamapp.app import App
from streamapp.cli.terminal.signals import StopSignals
from streamapp.cli.worker.process import tune_garbage_collector
from streamapp.config import Config
from streamapp.errors import ServiceError
from streamapp.observe.counters import Counters
from streamapp.outbox.sweeper import SweepPace
from streamapp.redis.store import open_redis
from streamapp.sqs.boto import open_aws
from streamapp.worker.assembly import Assembly, assemble, most_polls
from streamapp.worker.worker import Worker

SAMPLES_EVERY = 0.25
"""Seconds between two lines of a worker's samples."""


@dataclass(frozen=True)
class WorkerSettings:
    """The settings of a worker process: its environment, its app, the agents to run (None: all), and where to crash.

    It logs to *log*. *samples* is the file for its numbers of tasks and messages, None: no samples.
    """

    env: Mapping[str, str]
    log: str
    agents: Sequence[str] | None = None
    crash: Crash | None = None
    samples: str | None = None
    pace: SweepPace = field(default_factory=SweepPace)
    app: str = "streamapp_agents:app"


def prepare() -> None:
    """Start the fork server; call it before there are threads, and from the process that will start workers."""
    # The server gets this process's import path only through its environment.
    os.environ["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    multiprocessing.set_forkserver_preload(["chaos.preload", "pytest"])


def start(orders: WorkerSettings) -> ForkServerProcess:
    """Start a worker; it does not outlive this process."""
    process = multiprocessing.get_context("forkserver").Process(target=_work, args=(orders,), daemon=True)
    process.start()
    return process


def _work(orders: WorkerSettings) -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=lambda: (parent.join(), os._exit(1)), daemon=True).start()
    for name in [name for name in os.environ if name.startswith(("AWS_", "STREAMAPP_"))]:
        del os.environ[name]
    os.environ.update(orders.env)
    logging.basicConfig(
        filename=orders.log, level="INFO", format="%(asctime)s %(process)d %(name)s %(message)s"
    )
    os._exit(anyio.run(_serve, orders))


async def _serve(orders: WorkerSettings) -> int:
    module, _, name = orders.app.partition(":")
    app: App = getattr(import_module(module), name)
    config, tally, signals = Config.load(os.environ), Counters(), StopSignals()
    async with (
        open_aws(polls=most_polls(app.registry, config)) as aws,
        open_redis(config.redis_url, replicas=config.replicas) as redis,
        create_task_group() as tasks,
    ):
        await tasks.start(signals.listen)
        sqs: Any = aws
        store: Any = redis
        if orders.crash is not None:
            sqs, store = CrashingSqs(aws, orders.crash), CrashingStore(redis, orders.crash)
            app = crashing(app, orders.crash)
        parts: Assembly | None = None
        with CancelScope() as starting:
            signals.on_stop = starting.cancel
            while parts is None:
                # Real workers are restarted by their platform; on a busy machine the server responds late.
                with suppress(ServiceError):
                    parts = await assemble(
                        app.registry,
                        config,
                        sqs,
                        store,
                        tally,
                        agents=orders.agents,
                        pace=orders.pace,
                        # Rounds do not wait for longer than their queues say.
                        shortest_lease=1.0,
                    )
        is_clean = True
        if parts is not None:
            tune_garbage_collector()
            worker = Worker(parts)
            signals.on_stop = worker.stop
            if orders.samples is not None:
                tasks.start_soon(_sample, orders.samples, tally)
            is_clean = await worker.run()
        tasks.cancel_scope.cancel()
    return 0 if is_clean else 1


async def _sample(path: str, tally: Counters) -> None:
    with Path(path).open("a", buffering=1) as file:
        while True:
            status = Path("/proc/self/status").read_text()
            (memory,) = [line for line in status.splitlines() if line.startswith("VmRSS:")]
            line = {
                "at": time.monotonic(),
                "rss_mib": int(memory.split()[1]) / 1024,
                "fds": len(os.listdir("/proc/self/fd")),
                "tasks": len(get_running_tasks()),
                "done": sum(tally.of(word) for word in ("ok", "duplicate", "skipped", "invalid")),
            }
            file.write(json.dumps(line) + "\n")
            await anyio.sleep(SAMPLES_EVERY)
