"""`streamapp seed`: put made-up traffic of the app into its queues."""

import sys
from datetime import UTC, datetime
from itertools import groupby
from typing import TYPE_CHECKING, Annotated

import typer

from streamapp.cli import out, setup
from streamapp.errors import ConfigError, StreamappError
from streamapp.scenario import Scenario, ScenarioMessage, Traffic

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from streamapp.app import App
    from streamapp.config import Config
    from streamapp.sqs import Sqs

EXAMPLES = """
\b
Examples:
  streamapp seed --orders 50 --seed 7
  streamapp seed --orders 50 --seed 7 --duplicates 0.1 --reorder 0.2 --invalid 0.02
  streamapp seed --orders 50 --seed 7 --expect
"""

Fraction = Annotated[float, typer.Option(min=0, max=1, help="Fraction of the messages, 0 to 1.")]


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
    duplicates: Fraction = 0.0,
    reorder: Fraction = 0.0,
    invalid: Fraction = 0.0,
    rate: Annotated[float, typer.Option(min=0, help="Messages a second; 0 is as fast as can be.")] = 0.0,
    begins: Annotated[
        datetime | None,
        typer.Option(help="UTC time of the first event; the same seed and time make the same traffic."),
    ] = None,
    expect: Annotated[
        bool, typer.Option("--expect", help="Send nothing; print the state that must come out, as JSON.")
    ] = False,
    app: setup.AppOption = setup.DEFAULT_APP,
) -> None:
    """Send whole lifecycles made up from one integer, with faults if wanted."""
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
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(scenario.expected)).decode() + "\n")
        return
    anyio.run(_seed, config, scenario, rate)
    out.tell([describe(scenario)])


def make_up(app: "App", traffic: Traffic) -> Scenario:
    """Answer the scenario of *app* for *traffic*."""
    if app.scenario is None:
        raise NoScenario(app.name)
    return app.scenario(traffic)


def describe(scenario: Scenario) -> str:
    """Answer what was sent, in a line."""
    queues: dict[str, int] = {}
    for message in scenario.messages:
        queues[message.queue] = queues.get(message.queue, 0) + 1
    return (
        f"{scenario.subjects} {scenario.word} · {len(scenario.messages)} messages · "
        + ", ".join(f"{name} {number}" for name, number in sorted(queues.items()))
        + f" · {scenario.repeated} duplicates, {scenario.moved} out of order, {scenario.invalid} invalid"
    )


async def _seed(config: "Config", scenario: Scenario, rate: float) -> None:
    from rich.console import Console  # noqa: PLC0415 - slow to import
    from rich.progress import Progress  # noqa: PLC0415

    console = Console(stderr=True)
    async with setup.open_sqs() as sqs:
        out.clear()
        with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
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

    from streamapp.cli.pack import packed  # noqa: PLC0415
    from streamapp.delivery import Outgoing  # noqa: PLC0415

    queues = {name: await sqs.find(config.queue(name)) for name in sorted({it.queue for it in messages})}
    for name, run in groupby(messages, key=lambda message: message.queue):
        queue = queues[name]
        group = "seed" if queue.fifo else None
        for batch in packed(Outgoing(message.body, group=group) for message in run):
            for failure in await sqs.send(queue, batch):
                if failure is not None:
                    raise NotTaken(queue.name, failure.code)
            on_sent(len(batch))
            if rate:
                await anyio.sleep(len(batch) / rate)
