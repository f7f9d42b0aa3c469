"""The ledger of dead letters: whatever a row breaks, only what it calls poison may lie in a dead-letter queue."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from streamapp.config import Config
from streamapp.sqs.queue_flaws import fewest_receives
from streamapp.testing.sqs.queue import StoredQueue
from streamapp.testing.sqs.simulator import SqsSimulator


@contextmanager
def every_sqs() -> Iterator[list[SqsSimulator]]:
    """Note each SQS that is made while the context is open, however a row makes it: none can be forgotten."""
    made: list[SqsSimulator] = []
    begin = SqsSimulator.__init__

    def noted(self: SqsSimulator, *given: Any, **named: Any) -> None:
        begin(self, *given, **named)
        made.append(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SqsSimulator, "__init__", noted)
        yield made


@dataclass
class Letters:
    """What a row says of its messages, and what was found when it ended.

    *attempts* is the workers' STREAMAPP_MAX_ATTEMPTS, from which `queues create` takes maxReceiveCount. *bare* are
    queues that have no dead-letter queue, because that is what the row is about.
    """

    attempts: int = Config().max_attempts
    bare: set[str] = field(default_factory=set[str])
    poison: set[int] = field(default_factory=set[int])  # hashes: the bodies of a row may take a gigabyte
    queues: int = 0
    done: int = 0
    dead: int = 0
    faults: list[str] = field(default_factory=list[str])

    def may_die(self, *bodies: str) -> None:
        """Say that messages of these bodies are poison."""
        self.poison.update(map(hash, bodies))

    def look_through(self, made: Sequence[SqsSimulator]) -> None:
        """Count what lies in the queues of each SQS, and note each good message that is a dead letter."""
        for sqs in made:
            entries = sqs.ledger.entries
            now = entries[-1].at if entries else 0.0
            stored = [sqs.broker.stored(name, now) for name in sqs.broker.names()]
            targets = {it.redrive.target for it in stored if it.redrive}
            deleted = [it.queue for it in sqs.ledger.deleted()]
            for queue in stored:
                if queue.name in targets:
                    self._letters(queue)
                elif queue.redrive or queue.name in deleted:
                    self._source(queue, deleted.count(queue.name))

    def _source(self, queue: StoredQueue, done: int) -> None:
        self.queues += 1
        self.done += done
        if queue.name in self.bare:
            return
        # With more receives than in production a good message would only be dead-lettered later than the row looks.
        wanted = fewest_receives(Config(max_attempts=self.attempts))
        found = queue.redrive.max_receives if queue.redrive else None
        if found != wanted:
            self.faults.append(f"{queue.name} has maxReceiveCount {found}; `queues create` sets {wanted}")

    def _letters(self, queue: StoredQueue) -> None:
        bodies = [message.content.body for message in queue.messages]
        self.dead += len(bodies)
        self.faults += [
            f"{queue.name} has a good message: {it[:200]}" for it in bodies if hash(it) not in self.poison
        ]

    def __str__(self) -> str:
        """Return what was counted, as text."""
        return f"{self.queues} queues, {self.done} messages done, {self.dead} dead letters, {len(self.faults)} faults"
