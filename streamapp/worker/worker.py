"""Run a worker: nested task groups, so that the indentation shows the order of the end."""

import logging
from collections.abc import Callable, Mapping, Sequence

from anyio import TASK_STATUS_IGNORED, CancelScope, Event, create_task_group, current_time, sleep
from anyio.abc import TaskGroup, TaskStatus

from streamapp.flow.batcher import Batcher
from streamapp.messages import Queue
from streamapp.observe.quiet_log import log_repetitions
from streamapp.observe.tap_writer import Tap
from streamapp.outbox.sweeper import Sweeper
from streamapp.pipeline.leases import Lease
from streamapp.pipeline.runtime import Runtime
from streamapp.sqs.around import Operation
from streamapp.worker.assembly import AgentPipeline, Assembly
from streamapp.worker.watchdog import Watchdog

logger = logging.getLogger(__name__)

UNWIND = 0.5
"""Seconds in which an agent that was cancelled must end: what it has in hand is given back after that."""

LAST_FLUSH = 2.0
"""Seconds after the drain deadline in which what was finished last is still told to SQS and Redis."""

LAST_WORD = 1.0
"""Seconds after that for the last messages that are given back, and then again for the last records of the tap."""

SUMMARY_EVERY = 30.0
"""Seconds between log lines that sum up what was done."""


class Worker:
    """Runs the agents of an assembly until told to stop. With *watch* a thread watches its event loop.

    *abandon* is called at the very end with the names of agents that swallow their cancellation. `run` does not return
    before they do.
    """

    def __init__(
        self,
        assembly: Assembly,
        *,
        watch: bool = True,
        abandon: Callable[[list[str]], object] = lambda _names: None,
    ) -> None:
        self._parts = assembly
        self._sweeper = assembly.sweeper
        self._watch = Watchdog(assembly.pipelines, assembly.runtime.counters) if watch else None
        self._stop = Event()
        self._hurry = Event()
        self._abandon = abandon
        self._agents_over = Event()
        self._patience = CancelScope()

    @property
    def pipelines(self) -> Sequence[AgentPipeline]:
        """What serves each agent."""
        return self._parts.pipelines

    @property
    def queues(self) -> list[Queue]:
        """The queues that it receives from, and those that it sends to."""
        return [
            *(pipeline.queue for pipeline in self.pipelines),
            *(outbox.queue for outbox in self.runtime.senders.values()),
        ]

    def calls(self) -> Mapping[str, Sequence[Operation]]:
        """Return the calls that it makes for each message, by the name of their queue."""
        found: dict[str, Sequence[Operation]] = {}
        for pipeline in self.pipelines:
            if pipeline.queue.dead_letters is not None:
                found[pipeline.queue.dead_letters] = ("send",)
        found |= {outbox.queue.name: ("send",) for outbox in self.runtime.senders.values()}
        found |= {
            pipeline.queue.name: ("receive", "delete", "change_visibility") for pipeline in self.pipelines
        }
        return found

    @property
    def runtime(self) -> Runtime:
        """What all agents share."""
        return self._parts.runtime

    @property
    def tap(self) -> Tap:
        """The tap that records what became of each message."""
        return self._parts.tap

    @property
    def sweeper(self) -> Sweeper:
        """The sweeper, which finds what is still owed."""
        return self._sweeper

    @property
    def is_draining(self) -> bool:
        """Whether it was told to stop."""
        return self._stop.is_set()

    def stop(self) -> None:
        """Begin to drain: receive no more, finish what is in hand. A second call gives back at once what is unfinished."""
        (self._hurry if self._stop.is_set() else self._stop).set()

    async def idle(self, seconds: float) -> None:
        """Return once every queue has been empty, and nothing has been in hand, for *seconds*.

        What is done and cannot be deleted does not count, nor does a queue that is not polled because a right is missing.
        """
        busy_at = current_time()
        while current_time() - busy_at < seconds:
            # Often enough to see what was in hand a moment ago.
            await sleep(min(seconds / 5, 0.1))
            if any(
                pipeline.leases.has_unfinished
                or (pipeline.poller.idle_since > current_time() and not pipeline.leases.rights.refused)
                for pipeline in self.pipelines
            ):
                busy_at = current_time()

    async def run(
        self, *, idle: float | None = None, task_status: TaskStatus[None] = TASK_STATUS_IGNORED
    ) -> bool:
        """Run until stopped, or until nothing has come for *idle* seconds; return whether all was finished."""
        outside, attending, heartbeats, viewing, giving, services, agents, sources = (
            create_task_group() for _ in range(8)
        )
        stuck: list[str] = []
        # The agents are outside: one that swallows its cancellation must not keep the others from their end.
        async with outside, attending:  # to the very end
            async with heartbeats:  # what is in hand stays invisible to others to the end
                for pipeline in self.pipelines:
                    await heartbeats.start(pipeline.leases.run, name=f"heartbeat {pipeline.queue.name}")
                async with viewing:  # records what the services did last
                    await viewing.start(self._parts.tap.run, name="tap")
                    async with (
                        giving
                    ):  # until the last delete, which may still give back the next of its group
                        for releases in self._releases:
                            await giving.start(releases.run, name=releases.name)
                        async with services:
                            for batcher in self._parts.batchers:
                                await services.start(batcher.run, name=batcher.name)
                            await outside.start(self._run_agents, agents, name="agents")
                            async with sources:  # end by themselves when told to stop
                                for pipeline in self.pipelines:
                                    sources.start_soon(
                                        pipeline.poller.run, name=f"poller {pipeline.queue.name}"
                                    )
                                sources.start_soon(self._sweeper.run, name="sweeper")
                                self._attend(attending, agents.cancel_scope, idle)
                                task_status.started()
                            stuck = await self._stuck_agents()
                            for batcher in self._parts.batchers:
                                batcher.close()
                            services.cancel_scope.deadline = current_time() + LAST_FLUSH
                        for releases in self._releases:
                            releases.close()
                        giving.cancel_scope.deadline = current_time() + LAST_WORD
                    self._parts.tap.close()
                    viewing.cancel_scope.deadline = current_time() + LAST_WORD
                heartbeats.cancel_scope.cancel("all is told")
            attending.cancel_scope.cancel("all is told")
            if stuck:
                self._abandon(stuck)
        return not any(group.cancel_scope.cancelled_caught for group in (agents, services, giving))

    async def _run_agents(
        self, agents: TaskGroup, *, task_status: TaskStatus[None] = TASK_STATUS_IGNORED
    ) -> None:
        try:
            async with agents:
                for pipeline in self.pipelines:
                    agents.start_soon(pipeline.runner.run, name=f"agent {pipeline.agent.name}")
                task_status.started()
        finally:
            self._agents_over.set()

    async def _stuck_agents(self) -> list[str]:
        """Wait for the end of the agents. Return the names of those that are cancelled and go on; what they have is given back."""
        with self._patience:
            await self._agents_over.wait()
        if not self._patience.cancelled_caught:
            return []
        stuck = [pipeline for pipeline in self.pipelines if pipeline.runner.is_running]
        for pipeline in stuck:
            logger.error(
                "an agent swallows its cancellation; it is left behind", extra={"agent": pipeline.agent.name}
            )
            pipeline.runner.abandon()
        return [pipeline.agent.name for pipeline in stuck]

    @property
    def _releases(self) -> list[Batcher[tuple[Lease, float], None]]:
        return [pipeline.acks.releases for pipeline in self.pipelines]

    def _attend(self, attending: TaskGroup, agents: CancelScope, idle: float | None) -> None:
        """Start the loops that process no messages: those that stop the worker, watch it, and report."""
        attending.start_soon(self._drain, agents, name="drain")
        attending.start_soon(self._hurry_up, agents, name="hurry")
        attending.start_soon(self._summarise, name="summary")
        attending.start_soon(self._parts.presence_reporter.run, name="presence")
        if self._watch is not None:
            attending.start_soon(self._watch.run, name="watch")
        if idle is not None:
            attending.start_soon(self._stop_when_idle, idle, name="idle")

    async def _drain(self, agents: CancelScope) -> None:
        """Wait for the stop, then end the polls and set the agents' deadline."""
        await self._stop.wait()
        in_hand = sum(len(pipeline.leases) for pipeline in self.pipelines)
        logger.info(
            "draining: a second signal gives back at once what is unfinished", extra={"in_hand": in_hand}
        )
        deadline = current_time() + self._parts.runtime.config.drain_timeout
        agents.deadline = deadline
        self._patience.deadline = deadline + UNWIND
        self._sweeper.stop(deadline)
        for pipeline in self.pipelines:
            pipeline.poller.stop(deadline)
            pipeline.runner.stop()

    async def _hurry_up(self, agents: CancelScope) -> None:
        await self._hurry.wait()
        self._patience.deadline = current_time() + UNWIND
        self._sweeper.stop(current_time())
        for pipeline in self.pipelines:
            pipeline.poller.stop(current_time())
        agents.cancel("a second signal came")

    async def _stop_when_idle(self, seconds: float) -> None:
        await self.idle(seconds)
        # Not `stop`, which would be the second call where a signal came first.
        self._stop.set()

    async def _summarise(self) -> None:
        """Log from time to time what was done since the last time, unless that is nothing."""
        before: dict[str, int] = {}
        while True:
            await sleep(SUMMARY_EVERY)
            log_repetitions()
            now = {str(word): number for word, number in self._parts.runtime.counters.words().items()}
            if now != before:
                done = {word: number - before.get(word, 0) for word, number in now.items()}
                logger.info("the last %g s", SUMMARY_EVERY, extra={k: v for k, v in done.items() if v})
            before = now
