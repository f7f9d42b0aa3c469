"""`streamapp demo`: the whole product in one command, with nothing else installed or running."""

import sys
from typing import Annotated

import typer

from streamapp.cli import options, setup
from streamapp.cli.terminal import output as out

EXAMPLES = """
\b
Examples:
  streamapp demo
  streamapp demo --orders 80 --seed 7
  streamapp demo --keep
"""


def demo(
    orders: Annotated[int, typer.Option(min=1, max=500, help="How many lifecycles.")] = 40,
    seed: Annotated[int, typer.Option(help="The same seed makes the same rush.")] = 1,
    keep: Annotated[
        bool,
        typer.Option("--keep", help="Stay up afterwards, and show how to reach it from another terminal."),
    ] = False,
    app: options.AppOption = setup.DEFAULT_APP,
) -> None:
    """Run a lunch rush through an embedded SQS and Redis. Check the result.

    It has duplicates, disorder and bad messages. Exit 1 if any final state is not what the events imply.
    """
    out.show_progress("starting …")
    from streamapp.cli.demo import rush  # noqa: PLC0415 - slow to import

    sys.exit(rush.run(app, orders=orders, seed=seed, keep=keep))
