"""Detect a blocked event loop, and a poll that never returns."""

import inspect
import logging
import sys
import threading
import time
from collections.abc import Sequence
from types import CodeType, FrameType

from anyio import current_time, sleep

from streamapp.observe.counters import Counters
from streamapp.worker.assembly import AgentPipeline

logger = logging.getLogger(__name__)

BEAT = 0.1
"""Seconds between two heartbeats of the event loop."""

SILENCE = 30.0
"""Seconds beyond its wait after which a poll that has not returned is reported."""


class Watchdog:
    """Watches the event loop from a thread of its own, to report a blocked loop while it is blocked."""

    def __init__(self, pipelines: Sequence[AgentPipeline], counters: Counters) -> None:
        self._pipelines = pipelines
        self._counters = counters
        self._names = {
            code: pipeline.agent.name for pipeline in pipelines if (code := _code_of(pipeline.agent.handler))
        }
        # Past a third of a lease, extensions of leases begin to come too late.
        self._limit = min((pipeline.leases.seconds for pipeline in pipelines), default=30.0) / 4
        self._alive_at = time.monotonic()
        self._thread_id = 0
        self._over = threading.Event()
        self._silent: set[str] = set()

    async def run(self) -> None:
        """Watch for ever."""
        self._thread_id = threading.get_ident()
        self._alive_at = time.monotonic()
        watcher = threading.Thread(target=self._look, name="streamapp watch", daemon=True)
        watcher.start()
        try:
            while True:
                self._alive_at = time.monotonic()
                self._look_for_silence(current_time())
                await sleep(BEAT)
        finally:
            self._over.set()

    def _look(self) -> None:
        reported_for = 0.0
        while not self._over.wait(max(self._limit / 5, 0.02)):
            alive_at = self._alive_at
            blocked = time.monotonic() - alive_at
            if blocked > self._limit and alive_at != reported_for:
                reported_for = alive_at
                self._report(sys._current_frames().get(self._thread_id), blocked)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # no other way to see another thread

    def _report(self, frame: FrameType | None, blocked: float) -> None:
        where = f"{frame.f_code.co_filename}:{frame.f_lineno}" if frame else "unknown"
        name = "none"
        while frame is not None:
            name = self._names.get(frame.f_code, name)
            frame = frame.f_back
        self._counters.add(name, "blocked")
        logger.warning(
            "the event loop is blocked: leases cannot be extended",
            extra={"agent": name, "seconds": round(blocked, 2), "where": where},
        )

    def _look_for_silence(self, now: float) -> None:
        for pipeline in self._pipelines:
            name, seconds = pipeline.queue.name, pipeline.poller.silent_for(now)
            if seconds <= SILENCE:
                self._silent.discard(name)
            elif name not in self._silent:
                self._silent.add(name)
                self._counters.add(name, "silent")
                logger.error("a poll has not returned", extra={"queue": name, "seconds": round(seconds)})


def _code_of(handler: object) -> CodeType | None:
    return getattr(inspect.unwrap(handler), "__code__", None) if callable(handler) else None
