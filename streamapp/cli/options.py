"""Options and arguments that several commands take, each declared once, with what a shell completes."""

from typing import Annotated

import typer

from streamapp.cli.setup import DEFAULT_APP, load_app, sources_of


def complete_queue(incomplete: str) -> list[str]:
    """Return the app's queues that begin with *incomplete*, for a shell. AWS is not called."""
    app = load_app(DEFAULT_APP)
    names = dict.fromkeys([*sources_of(app), *app.sinks])
    return [name for name in names if name.startswith(incomplete)]


def complete_board(incomplete: str) -> list[str]:
    """Return the app's boards that begin with *incomplete*, for a shell."""
    return [board.name for board in load_app(DEFAULT_APP).extras.boards if board.name.startswith(incomplete)]


AppOption = Annotated[str, typer.Option("--app", metavar="MODULE:ATTR", help="The application.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]

ConcurrencyOption = Annotated[
    str | None,
    typer.Option("--concurrency", metavar="N", help="Messages in hand per agent. (STREAMAPP_CONCURRENCY)"),
]
HttpOption = Annotated[
    str | None, typer.Option("--http", metavar="HOST:PORT", help="Serve health and metrics. (STREAMAPP_HTTP)")
]
LogFormatOption = Annotated[
    str | None,
    typer.Option("--log-format", metavar="auto|console|json", help="Format of the logs. (LOG_FORMAT)"),
]
LogLevelOption = Annotated[
    str | None,
    typer.Option("--log-level", metavar="LEVEL", help="Least severe level that is logged. (LOG_LEVEL)"),
]
