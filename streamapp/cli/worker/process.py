"""Run a worker in this process until a signal says stop."""

import gc
import logging
import os
import signal
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING

import anyio
from anyio import TASK_STATUS_IGNORED, CancelScope, create_task_group, open_signal_receiver
from anyio.abc import TaskStatus

from streamapp.cli import setup
from streamapp.cli.worker.banner import announce_start
from streamapp.errors import ConfigError, StreamappError
from streamapp.observe.counters import Counters
from streamapp.observe.tap_writer import Tap
from streamapp.web.monitoring import monitored, tracing_in_use
from streamapp.worker.assembly import assemble, choose, most_polls
from streamapp.worker.worker import Worker

if TYPE_CHECKING:
    from streamapp.app import App
    from streamapp.config import Config

logger = logging.getLogger(__name__)

YOUNG = 10_000
"""Objects made, and not freed, before the collector looks for cycles among them: some MiB at most. With Python's own
700 it goes through all messages in hand again and again, for an eighth of a worker's time."""


class NoAgents(ConfigError):
    """The app has nothing to do."""

    def __init__(self, app: str) -> None:
        super().__init__(f"app {app!r} has no agents; declare one with @app.agent(QUEUE, CODEC)")


def run(path: str, config: "Config", *, agents: Sequence[str] | None, idle: float | None, check: bool) -> int:
    """Run the app at *path* and answer the exit code."""
    app = setup.load_app(path)
    choose(app.registry, agents)
    if not (app.agents or app.sinks):
        raise NoAgents(app.name)
    # A tenth to a third less CPU, for who has installed the extra `fast`.
    loop = {"use_uvloop": find_spec("uvloop") is not None}
    return anyio.run(_serve, app, config, agents, idle, check, backend_options=loop)


async def _serve(
    app: "App", config: "Config", agents: Sequence[str] | None, idle: float | None, check: bool
) -> int:
    signals = Signals()
    outcome: int | StreamappError = 0
    async with create_task_group() as tasks:
        await tasks.start(signals.listen)
        with CancelScope() as starting:
            # Until the worker is ready there is nothing to drain.
            signals.on_stop = starting.cancel
            try:
                outcome = await _work(app, config, agents, idle, signals, check=check)
            except* StreamappError as errors:
                # Raised below: out of a task group it would come as one of several, and with HTTP it did.
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
    signals: "Signals",
    *,
    check: bool,
) -> int:
    wait = 20.0 if idle is None else max(1.0, idle)
    counters = Counters()
    polls = most_polls(app.registry, config)
    async with (
        monitored(app.registry, config, counters) as monitoring,
        setup.open_sqs(polls=polls) as aws,
        setup.open_calls(aws, config.sqs_client, polls=polls) as calls,
        setup.open_store(config) as store,
        setup.open_taps(config) as taps,
    ):
        sqs = monitoring.over(calls)
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
        announce_start(app, config, parts, aws)
        if check:
            return 0
        spare_collector()
        worker = Worker(parts)
        signals.on_stop = worker.stop
        monitoring.begin(worker, sqs)
        is_clean = await worker.run(idle=idle)
        done = {str(word): count for word, count in parts.runtime.counters.words().items()}
        logger.info("stopped", extra=done)
        return 0 if is_clean else 1


def first_of(errors: "BaseExceptionGroup[StreamappError]") -> StreamappError:
    """Return the first error of a group, whatever groups it is in."""
    first = errors.exceptions[0]
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    return first


def spare_collector() -> None:
    """Let Python's collector leave alone what is loaded by now, which stays to the end, and look at the rest seldom."""
    gc.freeze()
    gc.set_threshold(YOUNG)


class Signals:
    """SIGTERM and SIGINT, as calls of *on_stop*; a third one ends the process at once."""

    def __init__(self) -> None:
        self.on_stop: Callable[[], object] = bool
        self.was_interrupted = False

    async def listen(self, *, task_status: TaskStatus[None] = TASK_STATUS_IGNORED) -> None:
        """Listen for ever."""
        with open_signal_receiver(signal.SIGTERM, signal.SIGINT) as received:
            task_status.started()
            count = 0
            async for number in received:
                count += 1
                self.was_interrupted |= number == signal.SIGINT
                if count > 2:  # noqa: PLR2004 - drain, hurry, and now
                    os._exit(130 if self.was_interrupted else 1)
                self.on_stop()
