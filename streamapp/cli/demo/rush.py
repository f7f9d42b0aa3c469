"""Run the demo: embedded servers, made-up traffic, a worker, a live board, and a verdict."""

import os
import sys
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import anyio
from anyio import create_task_group, move_on_after, sleep, sleep_forever
from anyio.abc import TaskStatus

from streamapp.app import App
from streamapp.cli import setup
from streamapp.cli.demo import board as demo_board
from streamapp.cli.demo.servers import local_aws, redis_server, sqs_server
from streamapp.cli.queues import create_queues
from streamapp.cli.send.seed import describe, make_up, pour
from streamapp.cli.terminal import logs
from streamapp.cli.terminal import output as out
from streamapp.cli.terminal.screen import console
from streamapp.cli.terminal.words import many
from streamapp.cli.worker.process import Signals
from streamapp.config import Config
from streamapp.declared.traffic import Scenario, Traffic
from streamapp.errors import ServiceError
from streamapp.observe.counters import Counters
from streamapp.observe.tap_writer import Tap
from streamapp.state.store import Store
from streamapp.worker.assembly import assemble, most_polls
from streamapp.worker.worker import Worker

LASTS = 15.0
"""Seconds over which the traffic is sent: long enough to watch."""

SLOWEST = 12.0
"""Messages a second at least: a small rush is over sooner."""

IDLE = 1.5
"""Seconds without a message after which the rush is over."""

DRAW_EVERY = 0.25
PRINT_EVERY = 3.0
"""Seconds between two looks at the board, on a terminal and elsewhere."""

AGO = timedelta(hours=2)
"""How long ago the rush began: its events are news, and none of them is ahead of the clock."""

VIEWS = ("tail", "status -w", "board", "dlq ls", "doctor")
"""What is worth trying beside a demo that stays up."""

FAULTS = {"duplicates": 0.15, "reorder": 0.2, "invalid": 0.05}
"""Fractions of the traffic: a bad day, not an average one."""


def run(path: str, *, orders: int, seed: int, keep: bool) -> int:
    """Run the demo and answer its exit code: 1 when any final state is not what the events imply."""
    _say("starting an embedded SQS (moto) and Redis (Valkey) …")
    with redis_server() as redis_url, sqs_server() as endpoint:
        reach = {**local_aws(endpoint), "REDIS_URL": redis_url}
        os.environ.update(reach)
        app = setup.load_app(path)
        config = setup.load_config(log_level="critical")
        logs.set_up(config)
        scenario = make_up(
            app,
            Traffic(
                subjects=orders, seed=seed, begins=datetime.now(UTC) - AGO, zone=config.naive_tz, **FAULTS
            ),
        )
        _say(describe(scenario))
        return anyio.run(_demo, Demo(app, config, scenario), reach if keep else None)


@dataclass(frozen=True, slots=True)
class Demo:
    """What is shown, and the counts of it."""

    app: App
    config: Config
    scenario: Scenario
    counters: Counters = field(default_factory=Counters)

    def summary(self) -> str:
        """Return what was done so far, in a line."""
        count = self.counters.of
        announced = sum(count("sent", self.config.queue(sink)) for sink in self.app.sinks)
        return (
            f"{many(count('received'), 'event')} · {many(count('duplicate'), 'duplicate')} absorbed · "
            f"{many(count('invalid') + count('dead'), 'dead letter')} · {many(announced, 'announcement')}"
        )

    async def columns(self, store: Store) -> dict[str, list[str]]:
        """Return the keys in each column of the app's board, as the store has them now."""
        if not self.app.extras.boards:
            return {}
        board = self.app.extras.boards[0]
        columns: dict[str, list[str]] = {name: [] for name in board.columns}
        keys = list(self.scenario.expected.get(board.table, {}))
        for key, fields in zip(keys, await self.hashes(board.table, keys, store), strict=True):
            column = board.column_of(fields)
            if column in columns:
                columns[column].append(key)
        return columns

    async def hashes(self, table: str, keys: Sequence[str], store: Store) -> list[dict[str, str]]:
        """Return the hash of each key."""
        redis_key, prefix = self.app.tables[table].redis_key, self.config.key_prefix
        answers = await store.read([redis_key(prefix, key) for key in keys])
        return [{} if isinstance(answer, ServiceError) else answer for answer in answers]

    async def wrong(self, store: Store) -> list[str]:
        """Return each field of each hash that is not what the events imply."""
        found: list[str] = []
        for table, expected in self.scenario.expected.items():
            hashes = await self.hashes(table, list(expected), store)
            for (key, fields), stored in zip(expected.items(), hashes, strict=True):
                found += [
                    f"{table} {key}: {name} is {stored.get(name)!r}, must be {text!r}"
                    for name, text in fields.items()
                    if stored.get(name) != text
                ]
        return found


async def _demo(demo: Demo, reach: Mapping[str, str] | None) -> int:
    signals = Signals()
    started = time.monotonic()
    wrong: list[str] = []
    async with create_task_group() as tasks:
        await tasks.start(signals.listen)
        signals.on_stop = tasks.cancel_scope.cancel
        polls = most_polls(demo.app.registry, demo.config)
        async with (
            setup.open_sqs(polls=polls) as sqs,
            setup.open_store(demo.config) as store,
            setup.open_taps(demo.config) as taps,
        ):
            await create_queues(demo.app, demo.config, sqs)
            tap = Tap(taps, demo.counters, mode=demo.config.tap, keep=demo.config.tap_maxlen)
            parts = await assemble(
                demo.app.registry,
                demo.config,
                sqs,
                store,
                demo.counters,
                longest_wait=1.0,
                tap=tap,
                presence=taps,
            )
            async with create_task_group() as working:
                worker = Worker(parts)
                await working.start(worker.run)
                async with _shown(demo, store):
                    messages = demo.scenario.messages
                    await pour(
                        sqs,
                        demo.config,
                        messages,
                        max(SLOWEST, len(messages) / LASTS),
                        on_sent=lambda _: None,
                    )
                    await worker.idle(IDLE)
                wrong = await demo.wrong(store) + _miscounted(demo)
                _tell(demo, wrong, time.monotonic() - started)
                if reach is not None:
                    _tell_how_to_reach(demo, reach)
                    await sleep_forever()
                worker.stop()
        tasks.cancel_scope.cancel("the demo is over")
    if signals.was_interrupted:
        return 130
    return 1 if wrong else 0


@asynccontextmanager
async def _shown(demo: Demo, store: Store) -> AsyncGenerator[None]:
    """Show the board while the body runs: in place on a terminal, as a line now and then elsewhere."""
    async with create_task_group() as showing:
        if sys.stdout.isatty():
            await showing.start(_draw, demo, store)
        else:
            showing.start_soon(_print, demo, store)
        yield
        showing.cancel_scope.cancel("all has been shown")


async def _draw(demo: Demo, store: Store, *, task_status: TaskStatus[None]) -> None:
    terminal = console()
    with demo_board.open_live(terminal) as live:

        async def draw() -> None:
            columns = await demo.columns(store)
            live.update(demo_board.picture(columns, demo.summary(), terminal.width), refresh=True)

        task_status.started()
        try:
            while True:
                await draw()
                await sleep(DRAW_EVERY)
        finally:
            with move_on_after(1, shield=True):
                await draw()


async def _print(demo: Demo, store: Store) -> None:
    started = time.monotonic()
    while True:
        await sleep(PRINT_EVERY)
        columns = " · ".join(f"{name} {len(keys)}" for name, keys in (await demo.columns(store)).items())
        _say(f"{time.monotonic() - started:5.1f} s  {columns}  |  {demo.summary()}")


def _miscounted(demo: Demo) -> list[str]:
    letters = demo.counters.of("invalid") + demo.counters.of("dead")
    expected = demo.scenario.invalid
    return [] if letters == expected else [f"{letters} dead letters, must be {expected}"]


def _tell(demo: Demo, wrong: Sequence[str], took: float) -> None:
    for line in wrong:
        _say(f"WRONG  {line}")
    verdict = f"{len(wrong)} WRONG; this is a bug" if wrong else "every final state is what the events imply"
    _say(f"{demo.scenario.subjects} {demo.scenario.word} · {demo.summary()} · {took:.1f} s")
    _say(verdict)


def _tell_how_to_reach(demo: Demo, reach: Mapping[str, str]) -> None:
    for line in ("", "The worker stays up until Ctrl-C. In another terminal:", ""):
        _say(line)
    for name, value in reach.items():
        _say(f"  export {name}={value}")
    for line in ("", "and then, for more traffic and all that looks at it:", ""):
        _say(line)
    # Where uv runs this, another terminal knows no `streamapp`.
    program = "uv run streamapp" if "UV_RUN_RECURSION_DEPTH" in os.environ else "streamapp"
    portrait = demo.app.extras.portrait
    keys = list(demo.scenario.expected.get(portrait.table, ())) if portrait is not None else []
    # Else they began on a fixed day of the past, and a board would call them late by months.
    begins = datetime.now(UTC) - AGO
    more = f"seed --orders 10 --seed 2 --rate 5 --begins {begins:%Y-%m-%dT%H:%M:%S}"
    for command in [more, *VIEWS, *(f"show {key}" for key in keys[:1])]:
        _say(f"  {program} {command}")


def _say(line: str) -> None:
    out.tell([line])
