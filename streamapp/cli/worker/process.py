"""Run a worker in this process until SIGTERM or Ctrl-C."""

import gc
import logging
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import anyio
from anyio import CancelScope, create_task_group

from streamapp.cli import setup
from streamapp.cli.terminal import logs
from streamapp.cli.terminal.signals import StopSignals
from streamapp.cli.worker.banner import report_start
from streamapp.cli.worker.event_loop import WorkerLoop
from streamapp.errors import ConfigError, StreamappError
from streamapp.observe.counters import Counters
from streamapp.observe.quiet_log import log_repetitions
from streamapp.observe.tap_writer import Tap
from streamapp.sqs.message_client import open_message_client
from streamapp.web.monitoring import monitored, tracing_in_use
from streamapp.worker.assembly import assemble, choose, most_polls
from streamapp.worker.worker import Worker

if TYPE_CHECKING:
    from streamapp.app import App
    from streamapp.config import Config

logger = logging.getLogger(__name__)

YOUNG_OBJECTS = 10_000
"""New objects after which the garbage collector looks for cycles among them: some MiB at most. With Python's own
700 it scans all messages in hand again and again, for an eighth of a worker's time."""


class NoAgents(ConfigError):
    """The app has no agents, so there is nothing to run."""

    def __init__(self, app: str) -> None:
        super().__init__(f"app {app!r} has no agents; declare one with @app.agent(QUEUE, CODEC)")


def run(path: str, config: "Config", *, agents: Sequence[str] | None, idle: float | None, check: bool) -> int:
    """Run the app at *path*, and return the exit code."""
    app = setup.load_app(path)
    logs.restore(config)
    choose(app.registry, agents)
    if not (app.agents or app.sinks):
        raise NoAgents(app.name)
    options = {"loop_factory": WorkerLoop}
    return anyio.run(_serve, app, config, agents, idle, check, backend_options=options)


async def _serve(
    app: "App", config: "Config", agents: Sequence[str] | None, idle: float | None, check: bool
) -> int:
    signals = StopSignals()
    outcome: int | StreamappError = 0
    async with create_task_group() as tasks:
        await tasks.start(signals.listen)
        with CancelScope() as starting:
            # Until the worker is ready, there is nothing to drain.
            signals.on_stop = starting.cancel
            try:
                outcome = await _work(app, config, agents, idle, signals, check=check)
            except* StreamappError as errors:
                # Raised below: a task group would wrap it in a group of errors, and with HTTP it did.
                outcome = first_of(errors)
        tasks.cancel_scope.cancel("the worker has ended")
    if isinstance(outcome, StreamappError):
        raise outcome
    return 130 if signals.was_interrupted else outcome


async def _work(
    app: "App",
    config: "Config",
    agents: Sequence[str] | None,
    idle: float | None,
    signals: "StopSignals",
    *,
    check: bool,
) -> int:
    wait = 20.0 if idle is None else max(1.0, idle)
    counters = Counters()
    polls = most_polls(app.registry, config)
    async with (
        monitored(app.registry, config, counters) as monitoring,
        setup.open_sqs(polls=polls) as aws,
        open_message_client(aws, config.sqs_client, polls=polls) as messages,
        setup.open_store(config) as store,
        setup.open_taps(config) as taps,
    ):
        sqs = monitoring.wrap(messages)
        parts = await assemble(
            app.registry,
            config,
            sqs,
            store,
            counters,
            agents=agents,
            longest_wait=wait,
            tap=Tap(taps, counters, mode=config.tap, keep=config.tap_maxlen),
            presence=taps,
            tracing=tracing_in_use(),
        )
        report_start(app, config, parts, aws)
        if check:
            return 0
        tune_garbage_collector()
        logs.keep_enabled()  # those of modules that were imported since
        worker = Worker(parts, abandon=leave_behind)
        signals.on_stop = worker.stop
        monitoring.begin(worker, sqs)
        is_clean = await worker.run(idle=idle)
        log_repetitions(at_once=True)
        done = {str(word): count for word, count in parts.runtime.counters.words().items()}
        logger.info("stopped", extra=done)
        return 0 if is_clean else 1


def leave_behind(agents: list[str]) -> None:
    """End the process at once, though *agents* go on: they swallow their cancellation, and everything else has ended."""
    logger.error("stopped; agents that swallow their cancellation were left behind", extra={"agents": agents})
    logging.shutdown()
    os._exit(1)


def first_of(errors: "BaseExceptionGroup[StreamappError]") -> StreamappError:
    """Return the first error of a group, however deep its groups are nested."""
    first = errors.exceptions[0]
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    return first


def tune_garbage_collector() -> None:
    """Freeze what is loaded, and raise the threshold of the garbage collector."""
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS)
