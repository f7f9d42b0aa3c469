"""Run the demo: embedded servers, made-up traffic, a worker, a live board, and a verdict."""

import os
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from anyio import create_task_group, sleep_forever

from streamapp.cli import event_loop, setup
from streamapp.cli.demo.servers import local_aws, redis_server, sqs_server
from streamapp.cli.demo.verdict import Demo
from streamapp.cli.demo.view import board_shown
from streamapp.cli.terminal import logs
from streamapp.cli.terminal import output as out
from streamapp.cli.terminal.signals import StopSignals
from streamapp.cli.traffic import describe, scenario_of, send_traffic
from streamapp.declared.traffic import Traffic
from streamapp.observe.tap_writer import Tap
from streamapp.sqs.client import Sqs
from streamapp.sqs.queue_setup import create_queues
from streamapp.worker.assembly import assemble, most_polls
from streamapp.worker.worker import Worker

LASTS = 15.0
"""Seconds over which the traffic is sent: long enough to watch."""

MIN_RATE = 12.0
"""Messages a second at least, so that a small rush is over sooner."""

IDLE = 1.5
"""Seconds without a message after which the rush is over."""

AGO = timedelta(hours=2)
"""How long ago the rush began: its events are recent, and none of them is ahead of the clock."""

VIEWS = ("tail", "status -w", "board", "dlq ls", "doctor")
"""Commands to try beside a demo that stays up."""

FAULTS = {"duplicates": 0.15, "reorder": 0.2, "invalid": 0.05}
"""Fractions of the traffic: those of a bad day."""


def run(path: str, *, orders: int, seed: int, keep: bool) -> int:
    """Run the demo and return its exit code: 1 if any final state is not what the events imply."""
    _say("starting an embedded SQS and Redis (Valkey) …")
    with redis_server() as redis_url, sqs_server() as endpoint:
        addresses = {**local_aws(endpoint), "REDIS_URL": redis_url}
        os.environ.update(addresses)
        app = setup.load_app(path)
        config = setup.load_config(log_level="critical")
        logs.set_up(config)
        begins = datetime.now(UTC) - AGO
        traffic = Traffic(subjects=orders, seed=seed, begins=begins, zone=config.naive_tz, **FAULTS)
        scenario = scenario_of(app, traffic)
        _say(describe(scenario))
        return event_loop.run(_run, Demo(app, config, scenario), addresses if keep else None)


async def _run(demo: Demo, addresses: Mapping[str, str] | None) -> int:
    """Process the traffic and judge the result. With *addresses*, show them, and stay up until told to stop."""
    signals = StopSignals()
    started = time.monotonic()
    mistakes: list[str] = []
    app, config = demo.app, demo.config
    async with create_task_group() as tasks:
        await tasks.start(signals.listen)
        signals.on_stop = tasks.cancel_scope.cancel
        async with (
            setup.open_sqs(polls=most_polls(app.registry, config)) as sqs,
            setup.open_store(config) as store,
            setup.open_taps(config) as taps,
        ):
            await create_queues(sqs, config, sources=setup.sources_of(app), sinks=app.sinks)
            tap = Tap(taps, demo.counters, mode=config.tap, keep=config.tap_maxlen)
            parts = await assemble(
                app.registry, config, sqs, store, demo.counters, longest_wait=1.0, tap=tap, presence=taps
            )
            async with create_task_group() as working:
                worker = Worker(parts)
                await working.start(worker.run)
                async with board_shown(demo, store):
                    await _send(demo, sqs)
                    await worker.idle(IDLE)
                mistakes = await demo.mistakes(store)
                _report(demo, mistakes, time.monotonic() - started)
                if addresses is not None:
                    _show_how_to_reach(demo, addresses)
                    await sleep_forever()
                worker.stop()
        tasks.cancel_scope.cancel("the demo is over")
    if signals.was_interrupted:
        return 130
    return 1 if mistakes else 0


async def _send(demo: Demo, sqs: Sqs) -> None:
    messages = demo.scenario.messages
    rate = max(MIN_RATE, len(messages) / LASTS)
    await send_traffic(sqs, demo.config, messages, rate, on_sent=lambda _: None)


def _report(demo: Demo, mistakes: Sequence[str], took: float) -> None:
    for line in mistakes:
        _say(f"WRONG  {line}")
    _say(f"{demo.scenario.subjects} {demo.scenario.word} · {demo.summary()} · {took:.1f} s")
    _say(
        f"{len(mistakes)} WRONG; this is a bug" if mistakes else "every final state is what the events imply"
    )


def _show_how_to_reach(demo: Demo, addresses: Mapping[str, str]) -> None:
    for line in ("", "The worker stays up until Ctrl-C. In another terminal:", ""):
        _say(line)
    for name, value in addresses.items():
        _say(f"  export {name}={value}")
    for line in ("", "and then, for more traffic and to look at it:", ""):
        _say(line)
    # If uv runs this, `streamapp` is not on the path of another terminal.
    program = "uv run streamapp" if "UV_RUN_RECURSION_DEPTH" in os.environ else "streamapp"
    portrait = demo.app.extras.portrait
    keys = list(demo.scenario.expected.get(portrait.table, ())) if portrait is not None else []
    # By default seeded orders begin on a fixed day of the past, and a board would show them as months late.
    begins = datetime.now(UTC) - AGO
    more = f"seed --orders 10 --seed 2 --rate 5 --begins {begins:%Y-%m-%dT%H:%M:%S}"
    for command in [more, *VIEWS, *(f"show {key}" for key in keys[:1])]:
        _say(f"  {program} {command}")


def _say(line: str) -> None:
    out.print_lines([line])
