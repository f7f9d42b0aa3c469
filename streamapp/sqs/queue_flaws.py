"""Settings of a queue that risk messages or time."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from streamapp.config import Config
from streamapp.messages import Queue
from streamapp.sqs.client import MAX_VISIBILITY

CREATE = "streamapp queues create"


SHORTEST_LEASE = 30.0
"""Seconds that messages are asked for at least, SQS's own default, whatever their queue says. Extensions begin at half of
it: three of them may hang before it ends, or the event loop be blocked for ten seconds. It is not for recovery: what a
drain gives back comes again at once, only the messages of a killed worker wait so long."""


LONGEST_VISIBILITY = 900.0
"""Seconds that the messages of a killed worker should wait at most."""


FEWEST_RECEIVES = 3
"""With a lower maxReceiveCount, one deployment and one outage dead-letter a good message."""


@dataclass(frozen=True, slots=True)
class Flaw:
    """An unwise setting. *cure* is a command or a setting; *is_problem* if messages or state can be lost."""

    text: str
    cure: str
    is_problem: bool = False


def lease_of(queue: Queue, shortest: float = SHORTEST_LEASE) -> int:
    """Return for how many seconds the messages of *queue* are leased: its visibility timeout, within bounds."""
    return int(min(max(queue.visibility, shortest, 1.0), MAX_VISIBILITY))


def source_flaws(queue: Queue, config: Config) -> Iterator[Flaw]:
    """Return what is unwise in the settings of a source queue."""
    if queue.dead_letters is None:
        yield Flaw(
            "no redrive policy: a poison message comes back until its retention period ends",
            CREATE,
            is_problem=True,
        )
    elif queue.max_receives is not None and queue.max_receives < FEWEST_RECEIVES:
        yield Flaw(
            f"maxReceiveCount {queue.max_receives}: an outage dead-letters good messages",
            CREATE,
            is_problem=True,
        )
    elif queue.max_receives is not None and queue.max_receives <= config.max_attempts:
        yield Flaw(
            f"maxReceiveCount {queue.max_receives} is not above STREAMAPP_MAX_ATTEMPTS={config.max_attempts}: "
            "SQS moves messages to the dead-letter queue before their reason is written",
            CREATE,
        )
    if queue.visibility < SHORTEST_LEASE:
        yield Flaw(
            f"visibility timeout {queue.visibility:g} s: workers keep what they have for {SHORTEST_LEASE:g} s all the "
            "same; other programs that receive from it do not",
            CREATE,
        )
    elif queue.visibility > LONGEST_VISIBILITY:
        yield Flaw(
            f"visibility timeout {queue.visibility:g} s: the messages of a killed worker wait so long", CREATE
        )


def letters_flaws(queue: Queue, source: Mapping[str, str], letters: Mapping[str, str]) -> Iterator[Flaw]:
    """Return the flaws of the dead-letter queue of *queue*, by the attributes of both."""
    name = queue.dead_letters or ""
    if queue.fifo != (letters.get("FifoQueue") == "true"):
        kind = "FIFO" if queue.fifo else "standard"
        yield Flaw(
            f"{name} is of the other kind: the letters of a {kind} queue need one too",
            CREATE,
            is_problem=True,
        )
    kept, age = (float(it.get("MessageRetentionPeriod", 345_600)) for it in (letters, source))
    if kept <= age:
        # A message that SQS moves keeps the age that it had in its source.
        yield Flaw(
            f"{name} keeps letters {kept / 86_400:g} days, its source {age / 86_400:g}: letters vanish",
            CREATE,
        )
    allowed = json.loads(letters.get("RedriveAllowPolicy") or "{}")
    arns = allowed.get("sourceQueueArns", [])
    permission = allowed.get("redrivePermission", "allowAll")
    if permission == "denyAll" or (permission == "byQueue" and source.get("QueueArn") not in arns):
        yield Flaw(
            f"{name} takes no letters from it (RedriveAllowPolicy)",
            f"allow it in {name}'s RedriveAllowPolicy",
            is_problem=True,
        )
    if letters.get("RedrivePolicy"):
        yield Flaw(
            f"{name} has a redrive policy of its own: looking at its letters moves them on", "remove it"
        )
