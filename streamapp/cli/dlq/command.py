"""`streamapp dlq`: look at dead letters, and send them back to where they came from."""

from functools import partial
from typing import Annotated

import typer

from streamapp.cli import setup
from streamapp.cli.group import Group
from streamapp.cli.terminal import output as out

EXAMPLES = """
\b
Examples:
  streamapp dlq ls                                  # how many, and why
  streamapp dlq show pedido-events                  # what is in them
  streamapp dlq redrive pedido-events --try         # would today's code take them?
"""
LS_EXAMPLES = """
\b
Examples:
  streamapp dlq ls
  streamapp dlq ls pedido-events
  streamapp dlq ls --json | jq '.queues[] | select(.letters > 0)'
"""
SHOW_EXAMPLES = """
\b
Examples:
  streamapp dlq show pedido-events
  streamapp dlq show pedido-events --reason missing_field -n 3
  streamapp dlq show pedido-events --id 6a736e5d --raw
"""
REDRIVE_EXAMPLES = """
\b
Examples:
  streamapp dlq redrive pedido-events                                  # says what it would do
  streamapp dlq redrive pedido-events --try                            # which would pass now?
  streamapp dlq redrive pedido-events --only-passing --yes
  streamapp dlq redrive pedido-events --kind pedido_criado --yes
"""

cli = typer.Typer(
    cls=Group,
    help="Look at dead letters, and send them back to where they came from.",
    epilog=EXAMPLES,
    no_args_is_help=True,
    rich_markup_mode=None,
)

Queues = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="QUEUE",
        help="Queues or their dead-letter queues; all if not said.",
        autocompletion=setup.queue_names,
    ),
]
QueueName = Annotated[
    str,
    typer.Argument(
        metavar="QUEUE", help="The queue, or its dead-letter queue.", autocompletion=setup.queue_names
    ),
]
Reason = Annotated[
    str | None, typer.Option("--reason", metavar="WORD", help="Only letters with this reason.")
]
Kind = Annotated[
    str | None, typer.Option("--kind", metavar="KIND", help="Only letters of this kind of event.")
]
Id = Annotated[str | None, typer.Option("--id", metavar="ID", help="Only the letter whose id begins so.")]
Most = Annotated[int, typer.Option("--most", min=1, max=10_000, help="Letters to look at, at most.")]


@cli.command(epilog=LS_EXAMPLES)
def ls(
    queues: Queues = None,
    most: Most = 1000,
    json: setup.JsonOption = False,
    app: setup.AppOption = setup.DEFAULT_APP,
) -> None:
    """Count letters by their reason and the kind of their event."""
    out.say_soon("looking …")
    import anyio  # noqa: PLC0415 - slow to import

    from streamapp.cli.dlq.look import count  # noqa: PLC0415 - slow to import

    config = setup.load_config()
    anyio.run(partial(count, setup.load_app(app), config, queues or [], most=most, json=json))


@cli.command(epilog=SHOW_EXAMPLES)
def show(
    queue: QueueName,
    lines: Annotated[
        int, typer.Option("-n", "--lines", min=1, max=1000, help="Letters to show, at most.")
    ] = 10,
    reason: Reason = None,
    kind: Kind = None,
    identity: Id = None,
    raw: Annotated[
        bool, typer.Option("--raw", help="Show bodies as they came; they may hold personal data.")
    ] = False,
    most: Most = 1000,
    json: setup.JsonOption = False,
    app: setup.AppOption = setup.DEFAULT_APP,
) -> None:
    """Show letters, oldest first, with their reasons and masked bodies. Exit 4 if there are none."""
    out.say_soon("looking …")
    import anyio  # noqa: PLC0415 - slow to import

    from streamapp.cli.dlq import look as letter_views  # noqa: PLC0415 - slow to import
    from streamapp.cli.dlq.filters import Wanted  # noqa: PLC0415

    config = setup.load_config()
    view = partial(letter_views.show, lines=lines, most=most, raw=raw, json=json)
    wanted = Wanted(reason, kind, identity)
    raise typer.Exit(anyio.run(view, setup.load_app(app), config, queue, wanted))


@cli.command(epilog=REDRIVE_EXAMPLES)
def redrive(
    queue: QueueName,
    reason: Reason = None,
    kind: Kind = None,
    identity: Id = None,
    rehearse: Annotated[
        bool,
        typer.Option(
            "--try",
            help="Run today's agents over the letters, with nothing written or sent, and tell which pass.",
        ),
    ] = False,
    only_passing: Annotated[
        bool, typer.Option("--only-passing", help="Leave those that would fail again; implies --try.")
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="Do it; without, only what would be done is told.")
    ] = False,
    most: Most = 1000,
    json: setup.JsonOption = False,
    app: setup.AppOption = setup.DEFAULT_APP,
) -> None:
    """Send letters back to the queue that they came from. Body and attributes are as they first came.

    Each is sent first and deleted second, so one may be there twice and none is lost. Exit 4 if none matches.
    """
    out.say_soon("looking …")
    import anyio  # noqa: PLC0415 - slow to import

    from streamapp.cli.dlq.filters import Wanted  # noqa: PLC0415 - slow to import
    from streamapp.cli.dlq.redrive import Plan, send_home  # noqa: PLC0415

    config = setup.load_config()
    wanted = Wanted(reason, kind, identity)
    plan = Plan(rehearse=rehearse or only_passing, only_passing=only_passing, yes=yes, most=most, json=json)
    raise typer.Exit(anyio.run(send_home, setup.load_app(app), config, queue, wanted, plan))
