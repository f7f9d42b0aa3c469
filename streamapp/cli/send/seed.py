"""`streamapp seed`: put made-up traffic into the app's queues."""

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from streamapp.cli import options, setup
from streamapp.cli.terminal import output as out

if TYPE_CHECKING:
    from streamapp.config import Config
    from streamapp.declared.traffic import Scenario

EXAMPLES = """
\b
Examples:
  streamapp seed --orders 50 --seed 7
  streamapp seed --orders 50 --seed 7 --duplicates 0.1 --reorder 0.2 --invalid 0.02
  streamapp seed --orders 50 --seed 7 --expect
"""


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
        float,
        typer.Option(
            min=0, max=1, help="Messages that no agent can process, as a fraction of the good ones."
        ),
    ] = 0.0,
    rate: Annotated[float, typer.Option(min=0, help="Messages a second; 0 is as fast as possible.")] = 0.0,
    begins: Annotated[
        datetime | None,
        typer.Option(help="UTC time of the first event; the same seed and time make the same traffic."),
    ] = None,
    expect: Annotated[
        bool, typer.Option("--expect", help="Send nothing; print the state that must result, as JSON.")
    ] = False,
    json: options.JsonOption = False,
    app: options.AppOption = setup.DEFAULT_APP,
) -> None:
    """Send whole lifecycles, generated from one integer. Faults are optional."""
    out.show_progress("generating …")
    import msgspec  # noqa: PLC0415

    from streamapp.cli.event_loop import run  # noqa: PLC0415 - slow to import
    from streamapp.cli.traffic import describe, scenario_of  # noqa: PLC0415
    from streamapp.declared.traffic import Traffic  # noqa: PLC0415

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
    scenario = scenario_of(setup.load_app(app), traffic)
    if expect:
        out.print_json(msgspec.to_builtins(scenario.expected))
        return
    run(_seed, config, scenario, rate)
    if json:
        out.print_json(_as_json(scenario))
    else:
        out.print_lines([describe(scenario)])


def _as_json(scenario: "Scenario") -> dict[str, object]:
    from streamapp.cli.traffic import count_by_queue  # noqa: PLC0415 - beside its only use

    return {
        "lifecycles": scenario.subjects,
        "messages": len(scenario.messages),
        "queues": count_by_queue(scenario),
        "duplicates": scenario.repeated,
        "out_of_order": scenario.moved,
        "invalid": scenario.invalid,
    }


async def _seed(config: "Config", scenario: "Scenario", rate: float) -> None:
    from rich.console import Console  # noqa: PLC0415 - slow to import
    from rich.progress import Progress  # noqa: PLC0415

    from streamapp.cli.traffic import send_traffic  # noqa: PLC0415

    console = Console(stderr=True)
    async with setup.open_sqs() as sqs:
        out.clear()
        with Progress(console=console, transient=True, disable=not sys.stderr.isatty()) as progress:
            task = progress.add_task("sending", total=len(scenario.messages))
            await send_traffic(
                sqs, config, scenario.messages, rate, on_sent=lambda n: progress.advance(task, n)
            )
