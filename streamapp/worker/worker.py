"""Bring an app to life: nested task groups, so that the order of the end is the indentation."""

import logging
from collections.abc import Sequence

from anyio import TASK_STATUS_IGNORED, CancelScope, Event, create_task_group, current_time, sleep
from anyio.abc import TaskStatus

from streamapp.messages import Queue
from streamapp.observe.tap_writer import Tap
from streamapp.outbox.sweeper import Sweeper
from streamapp.pipeline.runtime import Runtime
from streamapp.worker.assembly import AgentPipeline, Assembly
from streamapp.worker.watchdog import Watchdog

logger = logging.getLogger(__name__)

LAST_FLUSH = 2.0
"""Seconds after the drain deadline in which what was finished last is still told to SQS and Redis."""

LAST_WORD = 1.0
"""Seconds in which then SQS is still told what is given back, and again in which the tap is written."""

SUMMARY_EVERY = 30.0
"""Seconds between log lines that sum up what was done."""


class Worker:
    """Runs the agents of an assembly until told to stop; *watch*: a thread looks after its event loop."""

    def __init__(self, assembly: Assembly, *, watch: bool = True) -> None:
        self._parts = assembly
        self._lines = assembly.lines
        self._sweeper = assembly.sweeper
        self._watch = Watchdog(assembly.lines, assembly.runtime.counters) if watch else None
        self._stop = Event()
        self._hurry = Event()

    @property
    def lines(self) -> Sequence[AgentPipeline]:
        """What serves each agent."""
        return self._lines

    @property
    def queues(self) -> list[Queue]:
        """The queues that it receives from, and those that it sends to."""
        return [
            *(line.queue for line in self._lines),
            *(outbox.queue for outbox in self.runtime.outboxes.values()),
        ]

    @property
    def runtime(self) -> Runtime:
        """What all agents share."""
        return self._parts.runtime

    @property
    def tap(self) -> Tap:
        """Where it is told what became of each message."""
        return self._parts.tap

    @property
    def sweeper(self) -> Sweeper:
        """What finds what is still owed."""
        return self._sweeper

    @property
    def is_draining(self) -> bool:
        """Whether it was told to stop."""
        return self._stop.is_set()

    def stop(self) -> None:
        """Drain: receive no more, finish what is in hand. A second call gives back at once what is unfinished."""
        (self._hurry if self._stop.is_set() else self._stop).set()

    async def idle(self, seconds: float) -> None:
        """Return once every queue has answered that it is empty, and nothing was in hand, for *seconds*."""
        busy_at = current_time()
        while current_time() - busy_at < seconds:
            # Often enough that what was in hand a moment ago is seen.
            await sleep(min(seconds / 5, 0.1))
            if any(len(line.leases) or line.source.idle_since > current_time() for line in self._lines):
                busy_at = current_time()

    async def run(
        self, *, idle: float | None = None, task_status: TaskStatus[None] = TASK_STATUS_IGNORED
    ) -> bool:
        """Run until stopped, or until nothing has come for *idle* seconds; answer whether all was finished."""
        batchers, givers = self._parts.batchers, [line.settler.acks.releases for line in self._lines]
        heartbeats, viewing, giving, services, agents, sources = (create_task_group() for _ in range(6))
        async with heartbeats:  # last to go: what is in hand stays ours to the end
            for line in self._lines:
                await heartbeats.start(line.leases.run, name=f"heartbeat {line.queue.name}")
            async with viewing:  # tells what the services did last
                await viewing.start(self._parts.tap.run, name="tap")
                async with giving:  # until the last delete: it gives the next of its group the turn, too late
                    for giver in givers:
                        await giving.start(giver.run, name=giver.name)
                    async with services:
                        for batcher in batchers:
                            await services.start(batcher.run, name=batcher.name)
                        async with agents:
                            for line in self._lines:
                                agents.start_soon(line.runner.run, name=f"agent {line.agent.name}")
                            async with sources:  # end by themselves when told to stop
                                for line in self._lines:
                                    sources.start_soon(line.source.run, name=f"source {line.queue.name}")
                                sources.start_soon(self._sweeper.run, name="sweeper")
                                heartbeats.start_soon(self._drain, agents.cancel_scope, name="drain")
                                heartbeats.start_soon(self._hurry_up, agents.cancel_scope, name="hurry")
                                heartbeats.start_soon(self._summarise, name="summary")
                                if self._watch is not None:
                                    heartbeats.start_soon(self._watch.run, name="watch")
                                heartbeats.start_soon(self._parts.presence_reporter.run, name="presence")
                                if idle is not None:
                                    heartbeats.start_soon(self._stop_when_idle, idle, name="idle")
                                task_status.started()
                        for batcher in batchers:
                            batcher.close()
                        services.cancel_scope.deadline = current_time() + LAST_FLUSH
                    for giver in givers:
                        giver.close()
                    giving.cancel_scope.deadline = current_time() + LAST_WORD
                self._parts.tap.close()
                viewing.cancel_scope.deadline = current_time() + LAST_WORD
            heartbeats.cancel_scope.cancel("all is settled")
        return not any(group.cancel_scope.cancelled_caught for group in (agents, services, giving))

    async def _drain(self, agents: CancelScope) -> None:
        """Once told to stop, end the sources, and give the agents until the drain deadline."""
        await self._stop.wait()
        in_hand = sum(len(line.leases) for line in self._lines)
        logger.info(
            "draining: a second signal gives back at once what is unfinished", extra={"in_hand": in_hand}
        )
        deadline = current_time() + self._parts.runtime.config.drain_timeout
        agents.deadline = deadline
        self._sweeper.stop(deadline)
        for line in self._lines:
            line.source.stop(deadline)
            line.runner.stop()

    async def _hurry_up(self, agents: CancelScope) -> None:
        await self._hurry.wait()
        self._sweeper.stop(current_time())
        for line in self._lines:
            line.source.stop(current_time())
        agents.cancel("a second signal came")

    async def _stop_when_idle(self, seconds: float) -> None:
        await self.idle(seconds)
        # Not `stop`, which would be the second call where a signal came first.
        self._stop.set()

    async def _summarise(self) -> None:
        """Log what was done since the last time, unless that is nothing."""
        before: dict[str, int] = {}
        while True:
            await sleep(SUMMARY_EVERY)
            now = {str(word): number for word, number in self._parts.runtime.counters.words().items()}
            if now != before:
                done = {word: number - before.get(word, 0) for word, number in now.items()}
                logger.info("the last %g s", SUMMARY_EVERY, extra={k: v for k, v in done.items() if v})
            before = now
