"""`streamapp worker`: run the agents."""

import sys
from typing import Annotated

import typer

from streamapp.cli import setup
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
    check: Annotated[bool, typer.Option("--check", help="Get ready, say so, and exit.")] = False,
    exit_when_idle: Annotated[
        str | None,
        typer.Option(metavar="SECONDS", help="Drain when nothing has come for so long, as 5 or 1m."),
    ] = None,
    concurrency: Annotated[
        str | None, typer.Option(metavar="N", help="Messages in hand per agent. (STREAMAPP_CONCURRENCY)")
    ] = None,
    http: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Serve health and metrics. (STREAMAPP_HTTP)")
    ] = None,
    log_format: Annotated[
        str | None, typer.Option(metavar="auto|console|json", help="Form of the logs. (LOG_FORMAT)")
    ] = None,
    log_level: Annotated[
        str | None, typer.Option(metavar="LEVEL", help="Least severe level that is logged. (LOG_LEVEL)")
    ] = None,
    app: setup.AppOption = setup.DEFAULT_APP,
) -> None:
    """Run the agents until SIGTERM or Ctrl-C. What is in hand is finished first."""
    out.say_soon("starting …")
    from streamapp.cli.terminal import logs  # noqa: PLC0415 - slow to import
    from streamapp.cli.worker import process as serve  # noqa: PLC0415 - slow to import

    config = setup.load_config(concurrency=concurrency, http=http, log_format=log_format, log_level=log_level)
    logs.set_up(config)
    idle = setup.seconds_of("--exit-when-idle", exit_when_idle)
    names = agents.split(",") if agents else None
    sys.exit(serve.run(app, config, agents=names, idle=idle, check=check))
