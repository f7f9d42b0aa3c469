"""Run the instances of one agent: an exception ends its message, never the agent, never its siblings."""

import logging
from collections.abc import AsyncIterator
from typing import Any

from anyio import CancelScope, create_task_group, get_cancelled_exc_class, sleep
from anyio.streams.memory import MemoryObjectReceiveStream

from streamapp.app import Agent
from streamapp.errors import Outcome
from streamapp.leases import Lease
from streamapp.outage import pause
from streamapp.settle import Settler
from streamapp.stream import Stream
from streamapp.work import Runtime

logger = logging.getLogger(__name__)

LONGEST_PAUSE = 30.0
"""Seconds between starts of an agent that ends without having asked for an event."""


class Runner:
    """One agent's instances, all of which share one feed."""

    def __init__(
        self,
        agent: Agent,
        feed: MemoryObjectReceiveStream[Lease],
        settler: Settler,
        runtime: Runtime,
        instances: int,
    ) -> None:
        self._agent = agent
        self._feed = feed
        self._settler = settler
        self._runtime = runtime
        self._instances = instances

    async def run(self) -> None:
        """Run the instances until the feed ends."""
        async with create_task_group() as instances:
            for number in range(self._instances):
                instances.start_soon(self._instance, name=f"agent {self._agent.name} {number}")

    async def _instance(self) -> None:
        stream: Stream[Any] = Stream(
            self._agent.queue, self._agent.codec, self._feed, self._settler, self._runtime
        )
        failures = 0
        try:
            while not stream.is_ended:
                asked = stream.asked
                await self._once(stream)
                failures = 0 if stream.asked > asked else failures + 1
                if failures:
                    logger.error("an agent ends without asking for events", extra={"agent": self._agent.name})
                    await sleep(pause(failures + 3, longest=LONGEST_PAUSE))
        except get_cancelled_exc_class():
            stream.release()
            raise

    async def _once(self, stream: Stream[Any]) -> None:
        """Call the agent's function once, until it returns or raises, or the lease of what it has is lost."""
        with CancelScope() as scope:
            stream.watch(scope)
            try:
                await self._call(stream)
                await stream.settle()
            except Exception as error:  # noqa: BLE001 - the agent is the application's; its bug ends its message
                if not isinstance(error, Outcome):
                    logger.warning(
                        "an agent failed",
                        extra={"agent": self._agent.name, "queue": self._agent.queue},
                        exc_info=error,
                    )
                await stream.fail(error)
        if scope.cancelled_caught:
            stream.release()

    async def _call(self, stream: Stream[Any]) -> None:
        called = self._agent.handler(stream)
        if not isinstance(called, AsyncIterator):
            await called
            return
        async for value in called:
            if self._agent.sink is not None:
                await self._agent.sink.send(value)
