"""`streamapp worker`: run the agents."""

import sys
from typing import Annotated

import typer

from streamapp.cli import options, setup
from streamapp.cli.terminal import output as out

EXAMPLES = """
\b
Examples:
  streamapp worker
  streamapp worker --agents pedidos,pagamentos
  streamapp worker --check
  streamapp worker --exit-when-idle 5
"""


def worker(
    agents: Annotated[
        str | None, typer.Option(metavar="NAME,...", help="Run only these agents, separated by commas.")
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Get ready, report it, and exit.")] = False,
    exit_when_idle: Annotated[
        str | None,
        typer.Option(metavar="SECONDS", help="Drain after so long without a message, as 5 or 1m."),
    ] = None,
    concurrency: options.ConcurrencyOption = None,
    http: options.HttpOption = None,
    log_format: options.LogFormatOption = None,
    log_level: options.LogLevelOption = None,
    app: options.AppOption = setup.DEFAULT_APP,
) -> None:
    """Run the agents until SIGTERM or Ctrl-C. Messages in hand are finished first."""
    out.show_progress("starting …")
    from streamapp.cli.terminal import logs  # noqa: PLC0415 - slow to import
    from streamapp.cli.worker import process  # noqa: PLC0415 - slow to import

    config = setup.load_config(concurrency=concurrency, http=http, log_format=log_format, log_level=log_level)
    logs.set_up(config)
    idle = setup.seconds_of("--exit-when-idle", exit_when_idle)
    names = agents.split(",") if agents else None
    sys.exit(process.run(app, config, agents=names, idle=idle, check=check))
