"""A running app inside a test: the real engine on an SQS and a store in memory, in time that the test moves."""

import json
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import count
from typing import Any

from anyio import Event, create_task_group
from anyio.abc import TaskStatus

from streamapp.config import Config
from streamapp.declared.registry import Registry
from streamapp.errors import StreamappError
from streamapp.messages import Outgoing, Queue
from streamapp.observe.counters import Counters
from streamapp.sqs.client import BATCH
from streamapp.sqs.names import queue_name
from streamapp.sqs.queue_flaws import fewest_receives
from streamapp.state.store import PENDING
from streamapp.testing.clocks.loop_time import LoopTime, NeverAtRest, loop_time
from streamapp.testing.sqs.memory import MemorySqs
from streamapp.testing.sqs.message import MessageContent
from streamapp.testing.state.memory_store import MemoryStore
from streamapp.testing.trial_values import (
    DeadLetter,
    StatesByKey,
    body_of,
    dead_letter_of,
    dead_letter_queue_of,
    value_of,
)
from streamapp.worker.assembly import assemble
from streamapp.worker.worker import LAST_FLUSH, LAST_WORD, UNWIND, Worker

LONGEST_SHIELD = 86_400.0
"""Seconds of the app's time in which an agent that shields itself from the drain is waited for."""


class NotSettled(StreamappError):
    """The app still had something to do when `settle` gave up."""

    def __init__(self, seconds: float, left: Iterable[str]) -> None:
        super().__init__(
            f"not settled within {seconds:g} s: {'; '.join(left)}. A message whose agent always fails comes back for "
            "ever without a dead-letter queue, and an agent that never returns keeps its message; "
            "if it only takes long, give `within=` more seconds"
        )


class StuckAgent(StreamappError):
    """An agent went on when it was cancelled, so that the worker could not end."""

    def __init__(self, agents: Sequence[str]) -> None:
        super().__init__(
            f"agent {', '.join(agents)}: it swallowed its cancellation and did not end with the worker; "
            "catch `Exception`, not `BaseException`, and give what is shielded a deadline"
        )


class SendRefused(StreamappError):
    """SQS refused a message that the test sends."""

    def __init__(self, queue: str, why: str) -> None:
        super().__init__(f"{queue} refused this message: {why}")


class NotInApp(StreamappError):
    """The test names a queue or a table that the app does not have."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        super().__init__(f"the app has no {kind} {name!r}; it has {', '.join(known) or 'none'}")


class Trial:
    """A running app under test; made by `App.test`.

    *sqs* and *store* follow the rules of the real ones; their `faults` and `ledger` are for tests of failures.
    """

    def __init__(self, registry: Registry, config: Config, time: LoopTime, *, seed: int) -> None:
        self.registry = registry
        self.config = config
        self.sqs = MemorySqs(clock=time, seed=seed)
        self.store = MemoryStore(clock=time, seed=seed)
        self.tally = Counters()
        self._time = time
        self._queues: dict[str, Queue] = {}
        self._recorded = self.sqs.simulator.broker.record_sent()
        self._numbers = count()

    async def send(self, queue: str, *values: object, group: str | None = None) -> None:
        """Send a message for each value: a str or bytes is the body itself, anything else becomes JSON.

        On a FIFO queue they are all in *group*, and each has a deduplication id of its own.
        """
        to = self._queue(queue)
        messages = [
            Outgoing(
                body_of(value),
                group=group or ("all" if to.fifo else None),
                deduplication=str(next(self._numbers)) if to.fifo else None,
            )
            for value in values
        ]
        for start in range(0, len(messages), BATCH):
            for failure in await self.sqs.send(to, messages[start : start + BATCH]):
                if failure is not None:
                    raise SendRefused(queue, failure.message or failure.code)

    async def settle(self, *, within: float = 3600.0) -> None:
        """Return when the app has nothing left to do: its queues are empty, and no announcement is pending.

        Time is moved forward for whatever waits for it: a message for its next attempt, an agent that sleeps. Raises
        `NotSettled` when *within* seconds of that time are not enough.
        """
        until = self._time.now() + within
        while left := await self._left():
            if self._time.now() >= until:
                raise NotSettled(within, left)
            await self._time.jump(until)

    async def advance(self, seconds: float) -> None:
        """Move time forward by *seconds*; on return all that was due by then has happened."""
        until = self._time.now() + seconds
        while self._time.now() < until:
            await self._time.rest()
            await self._time.jump(until)
        await self._time.rest()

    def table(self, name: str) -> StatesByKey:
        """Return the states of a table, by key."""
        if name not in self.registry.tables:
            raise NotInApp("table", name, self.registry.tables)
        prefix, read = f"{self.config.key_prefix}{name}:", self.registry.tables[name].folding.hash_codec.read
        rows = {
            key.removeprefix(prefix): read(fields)
            for key, fields in self.store.hashes().items()
            if key.startswith(prefix)
        }
        return StatesByKey({key: state for key, state in rows.items() if state is not None})

    def sent(self, queue: str) -> list[Any]:
        """Return all that was sent to a queue, consumed or not: as values where its sink's codec can decode them, else as bodies."""
        decode = getattr(getattr(self.registry.sinks.get(queue), "codec", None), "decode", None)
        bodies = [content.body for content in self._recorded.get(self._queue(queue).name, [])]
        return bodies if decode is None else [value_of(decode, body) for body in bodies]

    def dead(self, queue: str) -> list[DeadLetter]:
        """Return the dead letters of an agent's queue."""
        name = dead_letter_queue_of(self._queue(queue).name)
        stored = self.sqs.simulator.broker.names()
        return [dead_letter_of(content) for content in self._contents(name)] if name in stored else []

    async def create(self, *, dead_letters: bool) -> None:
        """Create the app's queues, as `streamapp queues create` does."""
        sources = [agent.queue for agent in self.registry.agents.values()]
        for stream in dict.fromkeys([*sources, *self.registry.sinks]):
            name = queue_name(self.config.queue(stream))
            kind = {"FifoQueue": "true"} if name.endswith(".fifo") else {}
            redrive = {}
            if dead_letters and stream in sources:
                contents = await self.sqs.create(dead_letter_queue_of(name), kind)
                arn = (await self.sqs.attributes(contents))["QueueArn"]
                policy = {
                    "deadLetterTargetArn": arn,
                    "maxReceiveCount": fewest_receives(self.config),
                }
                redrive = {"RedrivePolicy": json.dumps(policy)}
            self._queues[stream] = await self.sqs.create(name, kind | redrive)

    def _queue(self, stream: str) -> Queue:
        if stream not in self._queues:
            raise NotInApp("queue", stream, self._queues)
        return self._queues[stream]

    def _contents(self, name: str) -> list[MessageContent]:
        return [
            message.content for message in self.sqs.simulator.broker.stored(name, self._time.now()).messages
        ]

    async def _left(self) -> list[str]:
        """Wait until all tasks are idle, and return what the app has still to do."""
        await self._time.rest()
        left: list[str] = []
        for name in dict.fromkeys(self._queues[agent.queue].name for agent in self.registry.agents.values()):
            messages = self.sqs.simulator.broker.stored(name, self._time.now()).messages
            if len(messages):
                most = max(message.receives for message in messages)
                hidden = len(messages.in_flight) + len(messages.delayed)
                left.append(
                    f"{name} holds {len(messages)} (in flight or delayed {hidden}, received up to {most} times)"
                )
        for key, fields in self.store.hashes().items():
            if pending := sum(name.startswith(PENDING) for name in fields):
                left.append(f"{key} has {pending} announcements pending")
        return left


@asynccontextmanager
async def open_trial(
    registry: Registry, config: Config, *, dead_letters: bool, seed: int
) -> AsyncGenerator[Trial]:
    """Run the app of *registry* on new queues and a new store, and drain it at the end."""
    with loop_time() as time:
        trial = Trial(registry, config, time, seed=seed)
        await trial.create(dead_letters=dead_letters)
        assembly = await assemble(registry, config, trial.sqs, trial.store, trial.tally)
        stuck: list[str] = []
        worker, is_over = Worker(assembly, watch=False, abandon=stuck.extend), Event()
        failure: Exception | None = None
        async with create_task_group() as tasks:
            await tasks.start(_run, worker, is_over)
            try:
                yield trial
                worker.stop()
                await _drain(time, is_over, config.drain_timeout + UNWIND + LAST_FLUSH + LAST_WORD)
                if stuck:
                    await _drain(time, is_over, LONGEST_SHIELD)
                    raise StuckAgent(stuck)  # noqa: TRY301 - raised again below without an exception group
            except Exception as error:  # noqa: BLE001 - the test's own, raised again below without an exception group
                failure = error
            finally:
                for pipeline in assembly.pipelines:
                    # A poll would wait for its end, and nothing moves time now.
                    pipeline.poller.stop(time.now())
            tasks.cancel_scope.cancel("the test is over")
        if failure is not None:
            raise failure


async def _run(worker: Worker, is_over: Event, *, task_status: TaskStatus[None]) -> None:
    await worker.run(task_status=task_status)
    is_over.set()


async def _drain(time: LoopTime, is_over: Event, within: float) -> None:
    """Move time until the worker has ended, at most by *within* seconds."""
    until = time.now() + within
    with suppress(NeverAtRest):
        while True:
            await time.rest()
            if is_over.is_set() or time.now() >= until:
                return
            await time.jump(until)
