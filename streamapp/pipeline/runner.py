"""Run the instances of one agent: an exception ends its message, never the agent, never its siblings."""

import logging
import math
import os
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, nullcontext
from typing import Any, cast

from anyio import (
    CancelScope,
    create_task_group,
    current_effective_deadline,
    get_cancelled_exc_class,
    sleep,
)

from streamapp.errors import Decision, Skip, StreamappError, TookTooLong, is_interrupt, tellable
from streamapp.flow.backoff import Backoff
from streamapp.observe.quiet_log import QuietLog
from streamapp.pipeline.agent import Agent
from streamapp.pipeline.handoff import Handoff
from streamapp.pipeline.raised import gravest, is_close, leaves
from streamapp.pipeline.runtime import Runtime
from streamapp.pipeline.settler import Settler
from streamapp.pipeline.stream import Stream
from streamapp.pipeline.turn import Turn

logger = logging.getLogger(__name__)

RESTART = Backoff(first=1.6, longest=30.0)
"""Before an agent that ended without having asked for an event is started again."""


MANY_FAILURES = 10
"""Messages that fail with no success between them, which a few bad ones do not explain."""


ALIKE = 5
"""Errors of a group by which two failures are told apart."""


class AwaitedCancelled(StreamappError):
    """An agent awaited something that was cancelled from elsewhere; that ends its message as any exception does."""


class Runner:
    """The instances of one agent; all of them take from one hand-off."""

    def __init__(
        self,
        agent: Agent,
        handoff: Handoff,
        settler: Settler,
        runtime: Runtime,
        instances: int,
    ) -> None:
        self._agent = agent
        self._handoff = handoff
        self._settler = settler
        self._runtime = runtime
        self._instances = instances
        self._pauses: set[CancelScope] = set()
        self._turns: list[Turn[Any]] = []
        self._is_stopped = False
        self._failing: set[str] = set()
        self._done_before = 0
        self._pid = os.getpid()
        self._quiet_log = QuietLog(logger)
        self._about = {"agent": agent.name, "queue": agent.queue}

    @property
    def is_crashing(self) -> bool:
        """Whether the agent has failed at many messages in a row, and done none since."""
        return len(self._failing) == MANY_FAILURES and self._done() == self._done_before

    async def run(self) -> None:
        """Run the instances until no more leases come; give back what they have not taken by then."""
        try:
            await self._run()
        finally:
            for lease in self._handoff.no_more_takers():
                self._settler.acks.release(lease)

    @property
    def is_running(self) -> bool:
        """Whether one of its instances has not ended."""
        return bool(self._turns)

    def abandon(self) -> None:
        """Give back what is in hand, though the agent goes on: it swallows its cancellation."""
        for turn in self._turns:
            turn.release()
        for lease in self._handoff.no_more_takers():
            self._settler.acks.release(lease)

    async def _run(self) -> None:
        async with create_task_group() as retries:
            if self._settler.queue.fifo:
                retries.start_soon(self._handoff.run, name=f"retries {self._agent.name}")
            async with create_task_group() as instances:
                for number in range(self._instances):
                    instances.start_soon(self._instance, name=f"agent {self._agent.name} {number}")
            retries.cancel_scope.cancel("the agent has ended")

    def stop(self) -> None:
        """Do not restart an agent that ends without asking for an event: no event will come."""
        self._is_stopped = True
        for scope in self._pauses:
            scope.cancel("the worker drains")
        for turn in self._turns:
            turn.drain()

    async def _instance(self) -> None:
        turn: Turn[Any] = Turn(
            self._agent.queue,
            self._agent.codec,
            self._handoff,
            self._settler,
            self._runtime,
            self._agent.timeout,
        )
        self._turns.append(turn)
        stream = Stream(turn)
        failures = 0
        try:
            while not (turn.is_ended or (failures and self._is_stopped)):
                asked = turn.asked
                await self._once(turn, stream)
                failures = 0 if turn.asked > asked else failures + 1
                if failures:
                    logger.error("an agent ends without asking for events", extra={"agent": self._agent.name})
                    await self._pause(failures)
        finally:
            self._turns.remove(turn)
            turn.release()

    async def _pause(self, failures: int) -> None:
        if self._is_stopped:
            return
        with CancelScope() as scope:
            self._pauses.add(scope)
            await sleep(RESTART.pause(failures))
        self._pauses.discard(scope)

    async def _once(self, turn: Turn[Any], stream: Stream[Any]) -> None:
        """Call the agent's function once: until it returns or raises, or until the lease of its message is lost."""
        with CancelScope() as scope:
            turn.watch(scope)
            try:
                try:
                    await self._call(stream)
                except BaseException as error:
                    if turn.is_batch or not self._is_skip(error):
                        raise
                    turn.skip()
                await turn.succeed()
            except BaseException as error:  # noqa: BLE001 - whatever an agent's code raises is its message's end, not ours
                await turn.fail(self._error_of(error, turn))
        if scope.cancelled_caught and turn.deadline.is_over:
            self._quiet_log.log(logging.WARNING, "an agent took too long", "", **self._about)
            self._count_failure(turn)
            await turn.fail(TookTooLong())
        elif scope.cancelled_caught:
            turn.cut_off()

    def _is_skip(self, error: BaseException) -> bool:
        """Whether nothing but `Skip` was raised."""
        return all(isinstance(each, Skip) for each in leaves(error))

    def _error_of(self, error: BaseException, turn: Turn[Any]) -> Exception:
        """Return what ends the message at which *error* was raised. Raises what does not come from the agent's code."""
        error = tellable(error)
        if is_interrupt(error) or is_close(error, turn.task_id):
            raise error
        if os.getpid() != self._pid:
            # A child that the agent forked: the message is its parent's.
            os._exit(error.code if isinstance(error, SystemExit) and isinstance(error.code, int) else 1)
        all_errors = list(leaves(error))
        cancelled_class = get_cancelled_exc_class()
        cancelled = [each for each in all_errors if isinstance(each, cancelled_class)]
        if cancelled and current_effective_deadline() == -math.inf:
            # A scope of ours is cancelled, and what the agent's code raised meanwhile does not change that.
            raise cancelled[0]
        others = [each for each in all_errors if not isinstance(each, cancelled_class)]
        if not others:
            # No scope of ours is cancelled (its deadline would be -inf): the agent awaited something that others
            # cancelled.
            self._quiet_log.log(logging.WARNING, "what an agent awaited was cancelled", "", **self._about)
            return AwaitedCancelled()
        chosen = gravest(others)
        if not isinstance(chosen, Decision):
            cause = " ".join(map(_place_of, others[:ALIKE]))
            self._quiet_log.log(logging.WARNING, "an agent failed", cause, error, **self._about)
            self._count_failure(turn)
        return chosen

    def _count_failure(self, turn: Turn[Any]) -> None:
        """Log once that the agent fails at everything that it is given, when it does."""
        counters, queue = self._runtime.counters, self._settler.queue.name
        done = self._done()
        if done != self._done_before:
            self._failing.clear()
        self._done_before = done
        first = next(iter(turn.message_ids), None)
        if first is None or first in self._failing or len(self._failing) == MANY_FAILURES:
            return
        self._failing.add(first)
        if len(self._failing) == MANY_FAILURES:
            counters.add(queue, "crashing")
            logger.error(
                "an agent fails at everything it is given",
                extra={"agent": self._agent.name, "queue": queue, "messages": MANY_FAILURES},
            )

    def _done(self) -> int:
        counters, queue = self._runtime.counters, self._settler.queue.name
        return counters.of("ok", queue) + counters.of("duplicate", queue)

    async def _call(self, stream: Stream[Any]) -> None:
        called = self._agent.handler(stream)
        if not isinstance(called, AsyncIterator):
            await called
            return
        # Closed here, and not when the garbage collector finds it.
        generator = (
            cast("AsyncGenerator[object, None]", called) if isinstance(called, AsyncGenerator) else None
        )
        async with aclosing(generator) if generator else nullcontext():
            async for value in called:
                if self._agent.sink is not None:
                    await self._agent.sink.send(value)


def _place_of(error: BaseException) -> str:
    """Return the kind of *error* and the line that raised it: failures that are alike have the same."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else ""
    return f"{type(error).__name__} {where}"
