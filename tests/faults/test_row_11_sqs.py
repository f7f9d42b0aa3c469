"""Row 11: whatever SQS responds for one queue, the other agents are not affected, and it is called at most once a second."""

import json
import logging
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from anyio import create_task_group, current_time, sleep

from rigs.queues import create_sources
from rigs.worker import until
from streamapp.app import App
from streamapp.cli.demo.servers import local_aws
from streamapp.config import Config
from streamapp.messages import Outgoing
from streamapp.observe.counters import Counters
from streamapp.redis.store import RedisStore
from streamapp.sqs.boto import open_aws
from streamapp.testing import Effect, Fail, Garble, MemorySqs, Planned, Reset, Slow, serve
from streamapp.worker.assembly import assemble, most_polls
from streamapp.worker.worker import Worker
from streamapp_codecs import Json

CAUSES: dict[str, Effect] = {
    "500": Fail("InternalError"),
    "503": Fail("ServiceUnavailable"),
    "throttled-403": Fail("RequestThrottled", status=403),
    "throttled-400": Fail("ThrottlingException", status=400),
    "bad-gateway": Garble(status=502, took_effect=False),
    "reset": Reset(took_effect=False),
    "timeout": Slow(3_600, took_effect=False),
    "empty": Garble(b"", took_effect=False),
    "html": Garble(took_effect=False),
    "bytes": Garble(b"\xff\x00\x80", took_effect=False),
    "list": Garble(b"[]", took_effect=False),
    "strange": Garble(b'{"Messages":[{"Body":7}]}', took_effect=False),
}
WELL = "well"
IN_HAND, WAITING = 3, 20
"""Messages of a failing queue: in hand when it fails, and sent meanwhile."""


@dataclass
class LogCounts(logging.Handler):
    """Counts log records of warnings and worse, by sentence, queue and reason."""

    said: Counter[tuple[str, str, str]] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        super().__init__(logging.WARNING)

    def __hash__(self) -> int:
        return id(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Count a record."""
        about = record.__dict__
        self.said[record.getMessage(), about.get("queue", ""), about.get("reason", "")] += 1


async def fill(sqs: MemorySqs, name: str, count: int) -> None:
    """Send *count* messages to a queue."""
    queue = await sqs.find(name)
    for start in range(0, count, 10):
        await sqs.send(queue, [Outgoing(json.dumps({"n": n})) for n in range(start, min(start + 10, count))])


def harm(sqs: MemorySqs, name: str, effect: Effect) -> list[Planned]:
    """Make all calls to this queue fail; the first fault is of its receives."""
    return [sqs.faults.add(it, effect, queue=name) for it in ("receive", "delete", "change_visibility")]


def heal(planned: dict[str, list[Planned]]) -> float:
    """Remove the faults; return when."""
    for fault in (it for faults in planned.values() for it in faults):
        fault.remove()
    return current_time()


async def rate(tally: Counters, seconds: float) -> float:
    """Return how many messages a second the healthy agent finishes."""
    before, began = tally.of("ok", WELL), current_time()
    await sleep(seconds)
    return (tally.of("ok", WELL) - before) / (current_time() - began)


@contextmanager
def noted(lines: LogCounts) -> Iterator[None]:
    """Count the records that streamapp logs."""
    logging.getLogger("streamapp").addHandler(lines)
    try:
        yield
    finally:
        logging.getLogger("streamapp").removeHandler(lines)


async def ward(sqs: MemorySqs, messages: int) -> App:
    """Return an app with an agent for each queue, one of which always has work."""

    async def take_a_while(events: Any) -> None:
        async for _ in events:
            await sleep(0.05)

    app = App("sick")
    for name in (WELL, *CAUSES):
        await create_sources(sqs, name, visibility=30)
        app.agent(name, Json(dict), name=name, concurrency=10)(take_a_while)
    await fill(sqs, WELL, messages)
    return app


@pytest.mark.timeout(300)
async def test_a_sick_queue_is_left_in_peace_and_the_others_are_served(
    store: RedisStore,
    prefix: str,
    long: bool,
    figure: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A failing queue must not slow the others, and cause no storm of calls and no flood of log lines."""
    lasts, sample = (60.0, 15.0) if long else (5.0, 1.5)
    sqs, tally, lines = MemorySqs(), Counters(), LogCounts()
    app = await ward(sqs, int((lasts + 2 * sample) * 300))
    config = Config(key_prefix=f"{prefix}:", wait_seconds=1, drain_timeout=5)
    recovered: dict[str, float] = {}

    async def recover(name: str, healed_at: float) -> None:
        await until(lambda: tally.of("ok", name) >= IN_HAND + WAITING, within=60)
        recovered[name] = current_time() - healed_at

    async with serve(sqs) as endpoint:
        for variable, value in local_aws(endpoint).items():
            monkeypatch.setenv(variable, value)
        async with open_aws(polls=most_polls(app.registry, config)) as aws, create_task_group() as tasks:
            worker = Worker(await assemble(app.registry, config, aws, store, tally))
            await tasks.start(worker.run)
            await until(lambda: tally.of("ok", WELL), within=30)
            before = await rate(tally, sample)
            for name in CAUSES:
                await fill(sqs, name, IN_HAND)
            await until(lambda: all(tally.of("received", name) for name in CAUSES))
            with noted(lines):
                harmed_at = current_time()
                planned = {name: harm(sqs, name, effect) for name, effect in CAUSES.items()}
                for name in CAUSES:
                    await fill(sqs, name, WAITING)
                during = await rate(tally, lasts)
            # One whose done messages hold all places is not polled: they cannot be deleted.
            asked = {name: receives.hits + deletes.hits for name, (receives, deletes, _) in planned.items()}
            healed_at = heal(planned)
            spent = healed_at - harmed_at
            async with create_task_group() as recoveries:
                for name in CAUSES:
                    recoveries.start_soon(recover, name, healed_at)
            after = await rate(tally, sample)
            worker.stop()
    usual = (before + after) / 2
    busiest = max(asked, key=asked.__getitem__)
    # A poll that hangs when the fault ends has to be given up first, as row 12 tests.
    hung = recovered.pop("timeout")
    slowest = max(recovered, key=recovered.__getitem__)
    loudest, most_lines = lines.said.most_common(1)[0]

    figure(
        f"{len(CAUSES)} causes at once for {lasts:g} s: the agent that is well {during:.0f} messages/s against "
        f"{usual:.0f} ({100 * during / usual:.1f} %); at most {asked[busiest] / lasts:.2f} receives/s per poller "
        f"({busiest}), {sum(asked.values()) / len(asked) / lasts:.2f} on average; back after at most {recovered[slowest]:.2f} s "
        f"({slowest}), {hung:.2f} s where a poll hung; at most {most_lines} line(s) a cause ({loudest[0]!r}); "
        f"received more than once {sum(n > 1 for n in sqs.ledger.receives().values())}"
    )
    assert during > 0, "the agent that is well stood still"  # clock: a count of messages
    assert sum(asked.values()) >= len(asked)
    assert asked[busiest] <= (2 if long else 6) * spent + 1  # clock: a count of calls
    assert most_lines <= spent / 10 + 1  # clock: a count of lines
    if long:
        assert during >= 0.95 * usual  # clock: the row's figure
        assert recovered[slowest] <= 5, sqs.ledger.calls(queue=slowest)[-30:]  # clock: the row's figure
        assert hung <= config.wait_seconds + 10  # clock: the row's figure
