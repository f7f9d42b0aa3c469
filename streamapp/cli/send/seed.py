"""`streamapp seed`: put made-up traffic of the app into its queues."""

import sys
from collections import Counter
from datetime import UTC, datetime
from itertools import groupby
from typing import TYPE_CHECKING, Annotated

import typer

from streamapp.cli import setup
from streamapp.cli.terminal import output as out
from streamapp.declared.traffic import Scenario, ScenarioMessage, Traffic
from streamapp.errors import ConfigError, StreamappError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from streamapp.app import App
    from streamapp.config import Config
    from streamapp.messages import Outgoing, Queue
    from streamapp.sqs.client import Sqs

EXAMPLES = """
\b
Examples:
  streamapp seed --orders 50 --seed 7
  streamapp seed --orders 50 --seed 7 --duplicates 0.1 --reorder 0.2 --invalid 0.02
  streamapp seed --orders 50 --seed 7 --expect
"""


class NoScenario(ConfigError):
    """The app makes up no traffic."""

    def __init__(self, app: str) -> None:
        super().__init__(f"app {app!r} makes up no traffic; set its `scenario`")


class NotTaken(StreamappError):
    """SQS would not take made-up traffic."""

    def __init__(self, queue: str, code: str) -> None:
        super().__init__(f"{queue} refused a message: {code}")


def seed(
    orders: Annotated[int, typer.Option(min=1, max=9_999, help="How many lifecycles.")] = 50,
    seed: Annotated[int, typer.Option(help="The same seed makes the same traffic.")] = 1,
    duplicates: Annotated[
        float, typer.Option(min=0, max=1, help="Fraction of the messages that come twice.")
    ] = 0.0,
    reorder: Annotated[
        float, typer.Option(min=0, max=1, help="Fraction of the messages that come out of order.")
    ] = 0.0,
    invalid: Annotated[
        float, typer.Option(min=0, max=1, help="Messages that nobody can process, as a fraction of the good.")
    ] = 0.0,
    rate: Annotated[float, typer.Option(min=0, help="Messages a second; 0 is as fast as can be.")] = 0.0,
    begins: Annotated[
        datetime | None,
        typer.Option(help="UTC time of the first event; the same seed and time make the same traffic."),
    ] = None,
    expect: Annotated[
        bool, typer.Option("--expect", help="Send nothing; print the state that must come out, as JSON.")
    ] = False,
    json: setup.JsonOption = False,
    app: setup.AppOption = setup.DEFAULT_APP,
) -> None:
    """Send whole lifecycles, made up from one integer. Faults are made where wanted."""
    out.say_soon("making it up …")
    import anyio  # noqa: PLC0415 - slow to import
    import msgspec  # noqa: PLC0415

    config = setup.load_config()
    traffic = Traffic(
        subjects=orders,
        seed=seed,
        duplicates=duplicates,
        reorder=reorder,
        invalid=invalid,
        zone=config.naive_tz,
        **({} if begins is None else {"begins": begins.replace(tzinfo=UTC)}),
    )
    scenario = make_up(setup.load_app(app), traffic)
    if expect:
        out.print_json(msgspec.to_builtins(scenario.expected))
        return
    anyio.run(_seed, config, scenario, rate)
    if json:
        out.print_json(_as_json(scenario))
    else:
        out.tell([describe(scenario)])


def make_up(app: "App", traffic: Traffic) -> Scenario:
    """Return the scenario of *app* for *traffic*."""
    if app.extras.scenario is None:
        raise NoScenario(app.name)
    return app.extras.scenario(traffic)


def describe(scenario: Scenario) -> str:
    """Return what was sent, in a line."""
    return (
        f"{scenario.subjects} {scenario.word} · {len(scenario.messages)} messages · "
        + ", ".join(f"{name} {number}" for name, number in _by_queue(scenario).items())
        + f" · {scenario.repeated} duplicates, {scenario.moved} out of order, {scenario.invalid} invalid"
    )


def _as_json(scenario: Scenario) -> dict[str, object]:
    return {
        "lifecycles": scenario.subjects,
        "messages": len(scenario.messages),
        "queues": _by_queue(scenario),
        "duplicates": scenario.repeated,
        "out_of_order": scenario.moved,
        "invalid": scenario.invalid,
    }


def _by_queue(scenario: Scenario) -> dict[str, int]:
    return dict(sorted(Counter(message.queue for message in scenario.messages).items()))


async def _seed(config: "Config", scenario: Scenario, rate: float) -> None:
    from rich.console import Console  # noqa: PLC0415 - slow to import
    from rich.progress import Progress  # noqa: PLC0415

    console = Console(stderr=True)
    async with setup.open_sqs() as sqs:
        out.clear()
        with Progress(console=console, transient=True, disable=not sys.stderr.isatty()) as progress:
            task = progress.add_task("sending", total=len(scenario.messages))
            await pour(sqs, config, scenario.messages, rate, on_sent=lambda n: progress.advance(task, n))


async def pour(
    sqs: "Sqs",
    config: "Config",
    messages: "Sequence[ScenarioMessage]",
    rate: float,
    *,
    on_sent: "Callable[[int], object]",
) -> None:
    """Send *messages* in their order, at most *rate* a second (0: no limit), telling how many at a time."""
    import anyio  # noqa: PLC0415 - slow to import

    from streamapp.cli.send.packing import packed  # noqa: PLC0415

    queues = {name: await sqs.find(config.queue(name)) for name in sorted({it.queue for it in messages})}
    for name, run in groupby(messages, key=lambda message: message.queue):
        queue = queues[name]
        for batch in packed(_outgoing(message, queue) for message in run):
            for failure in await sqs.send(queue, batch):
                if failure is not None:
                    raise NotTaken(queue.name, failure.code)
            on_sent(len(batch))
            if rate:
                await anyio.sleep(len(batch) / rate)


def _outgoing(message: ScenarioMessage, queue: "Queue") -> "Outgoing":
    """Return *message* for *queue*; one that is sent twice is to come twice, on a FIFO queue as well."""
    from uuid import uuid4  # noqa: PLC0415 - beside its only use

    from streamapp.messages import Outgoing  # noqa: PLC0415 - slow to import

    if not queue.fifo:
        return Outgoing(message.body)
    return Outgoing(message.body, group="seed", deduplication=uuid4().hex)
