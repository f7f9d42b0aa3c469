"""Poll one queue for as many messages as there is room for."""

import logging
import math
import time
from collections.abc import Sequence

from anyio import CancelScope, create_task_group, current_time, sleep
from anyio.abc import TaskGroup
from anyio.lowlevel import checkpoint

from streamapp.errors import Fault, ServiceError
from streamapp.flow.backoff import Backoff
from streamapp.flow.outage import Outage, pause_of
from streamapp.messages import Delivery, Queue
from streamapp.observe.counters import Counters
from streamapp.observe.quiet_log import QuietLog
from streamapp.pipeline.acks import Acks
from streamapp.pipeline.handoff import Handoff
from streamapp.pipeline.leases import Leases
from streamapp.pipeline.runtime import StoreUse
from streamapp.pipeline.tokens import Tokens
from streamapp.sqs.client import BATCH, Sqs

logger = logging.getLogger(__name__)

FAILED = Backoff(first=0.2, longest=4.0)
"""Between polls of a queue that keeps failing: a call every other second, and back within 5 s of the cure."""

SHORT = Backoff(first=0.2, longest=2.0)
"""Between short polls, which return at once when there is nothing. If a long poll returns at once, its server is not
well, and FAILED applies."""


class Poller:
    """The polls of one queue: one while it is idle, more while they come back full.

    What is received is leased and handed off to the agents; a stop takes back what none of them has taken.
    """

    def __init__(
        self,
        sqs: Sqs,
        queue: Queue,
        *,
        tokens: Tokens,
        leases: Leases,
        acks: Acks,
        handoff: Handoff,
        store_outage: Outage,
        store_use: StoreUse | None = None,
        counters: Counters,
        wait: float,
    ) -> None:
        self._sqs = sqs
        self._queue = queue
        self._tokens = tokens
        self._leases = leases
        self._acks = acks
        self._handoff = handoff
        self._store_outage = store_outage
        self._store_use = store_use or StoreUse(is_used=True)
        self._counters = counters
        self._wait = wait
        self._most = math.ceil(tokens.total / BATCH)
        self._polls = 0
        self._waiting: set[CancelScope] = set()
        self._receiving: dict[CancelScope, float] = {}
        self._is_stopped = False
        self._quiet_log = QuietLog(logger)
        self.polled_at: float | None = None
        """Unix time of the last response, None before the first."""
        self.failure: ServiceError | None = None
        """Why the last receive failed, None when it did not; *failing_since* is when the first in a row did."""
        self.failing_since = math.inf
        self.idle_since = math.inf
        """Monotonic time of the first of the latest empty responses in a row; infinite while messages come."""

    async def run(self) -> None:
        """Poll until stopped; then nothing more is handed off."""
        try:
            async with create_task_group() as polls:
                self._start_poll(polls)
            await self._handoff.nobody_waits()
        finally:
            self._handoff.close()

    def stop(self, deadline: float) -> None:
        """Start no further receive. Give back what no agent has taken; a later lease goes to a waiting agent or is given back.

        A receive under way may return until *deadline* (monotonic time): if a long poll is cut off, its messages stay
        hidden until their visibility timeout ends. For half of that time, leases that wait in a group may follow. To give
        them back would waste a receive, and no worker could take them before the first of the group ends.
        """
        self._is_stopped = True
        self._acks.hurry()
        for scope in self._waiting:
            scope.cancel("the worker drains")
        for scope in self._receiving:
            scope.deadline = deadline
        for lease in self._handoff.stop(last_turn=(current_time() + deadline) / 2):
            self._acks.release(lease)

    def silent_for(self, now: float) -> float:
        """Return for how many seconds the oldest receive under way has been overdue; negative before it is."""
        return max((now - asked_at for asked_at in self._receiving.values()), default=0.0) - self._wait

    def _start_poll(self, polls: TaskGroup) -> None:
        if self._polls < self._most and not self._is_stopped:
            self._polls += 1
            polls.start_soon(self._poll, polls, name=f"poll {self._queue.name}")

    async def _poll(self, polls: TaskGroup) -> None:
        """Receive again and again; an empty response ends this poll if another one is under way."""
        failures = empties = 0
        with CancelScope() as waiting:
            self._waiting.add(waiting)
            while True:
                if self._store_use.is_used:  # without it the agent goes on
                    await self._store_outage.over()
                if self._leases.rights.refused:
                    await self._leases.rights.granted()
                await self._leases.on_time(self._wait)
                room = await self._tokens.take(BATCH)
                if self._is_stopped:  # a token came at the same moment as the stop
                    self._tokens.give(room)
                    break
                if self._leases.rights.refused:  # while it waited for a token
                    self._tokens.give(room)
                    continue
                asked_at = current_time()
                received = await self._receive(room)
                if isinstance(received, ServiceError):
                    self._tokens.give(room)
                    failures += 1
                    self._note_failure(received)
                    await sleep(pause_of(received, failures, FAILED))
                    continue
                failures = 0
                self.polled_at, self.failure = time.time(), None
                self._tokens.give(room - len(received))
                self._take_in(received)
                if len(received) == room:
                    self._start_poll(polls)
                elif not received and self._polls > 1:
                    break
                is_hasty = not received and current_time() - asked_at < min(max(self._wait / 2, 0.05), 1)
                empties = empties + 1 if is_hasty else 0
                hasty = FAILED if self._wait >= 1 else SHORT
                await (sleep(hasty.pause(empties)) if is_hasty else checkpoint())
        self._waiting.discard(waiting)
        self._polls -= 1

    async def _receive(self, room: int) -> Sequence[Delivery] | ServiceError:
        with CancelScope(shield=True) as scope:
            self._receiving[scope] = current_time()
            try:
                return await self._sqs.receive(
                    self._queue, limit=room, wait=self._wait, visibility=self._leases.seconds
                )
            except ServiceError as error:
                return error
            finally:
                del self._receiving[scope]
        logger.warning(
            "a poll was cut off at the end of the drain; what it was about to bring stays hidden for a while",
            extra={"queue": self._queue.name, "seconds": self._leases.seconds},
        )
        return []

    def _take_in(self, deliveries: Sequence[Delivery]) -> None:
        self._counters.add(self._queue.name, "received", len(deliveries))
        self.idle_since = math.inf if deliveries else min(self.idle_since, current_time())
        for delivery in deliveries:
            lease = self._leases.take(delivery)
            if lease is None:
                self._tokens.give()
            else:
                for left in self._handoff.put(lease):
                    self._acks.release(left)

    def _note_failure(self, error: ServiceError) -> None:
        if self.failure is None:
            self.failing_since = current_time()
        self.failure = error
        level = logging.ERROR if error.fault in {Fault.CONFIGURATION, Fault.CREDENTIALS} else logging.WARNING
        about = {"queue": self._queue.name, "reason": error.detail}
        self._quiet_log.log(level, "a queue cannot be polled", error.detail, **about)
