"""`streamapp dlq`: look at dead letters, and send them back to their queues."""

from functools import partial
from typing import Annotated

import typer

from streamapp.cli import options, setup
from streamapp.cli.command_group import CommandGroup
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
  streamapp dlq redrive pedido-events                                  # shows what it would do
  streamapp dlq redrive pedido-events --try                            # which would pass now?
  streamapp dlq redrive pedido-events --only-passing --yes
  streamapp dlq redrive pedido-events --kind pedido_criado --yes
"""

cli = typer.Typer(
    cls=CommandGroup,
    help="Look at dead letters, and send them back to their queues.",
    epilog=EXAMPLES,
    no_args_is_help=True,
    rich_markup_mode=None,
)

Queues = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="QUEUE",
        help="Queues or their dead-letter queues; without any, all.",
        autocompletion=options.complete_queue,
    ),
]
QueueName = Annotated[
    str,
    typer.Argument(
        metavar="QUEUE", help="The queue, or its dead-letter queue.", autocompletion=options.complete_queue
    ),
]
OnlyReason = Annotated[
    str | None, typer.Option("--reason", metavar="WORD", help="Only letters with this reason.")
]
OnlyKind = Annotated[
    str | None, typer.Option("--kind", metavar="KIND", help="Only letters of this kind of event.")
]
OnlyId = Annotated[str | None, typer.Option("--id", metavar="ID", help="Only letters whose id begins so.")]
MostLetters = Annotated[
    int, typer.Option("--most", min=1, max=10_000, help="Look at so many letters at most.")
]


@cli.command(epilog=LS_EXAMPLES)
def ls(
    queues: Queues = None,
    most: MostLetters = 1000,
    json: options.JsonOption = False,
    app: options.AppOption = setup.DEFAULT_APP,
) -> None:
    """Count dead letters by their reason and the kind of their event."""
    out.show_progress("looking …")
    from streamapp.cli.dlq.look import count  # noqa: PLC0415 - slow to import
    from streamapp.cli.event_loop import run  # noqa: PLC0415 - slow to import

    config = setup.load_config()
    run(partial(count, setup.load_app(app), config, queues or [], most=most, json=json))


@cli.command(epilog=SHOW_EXAMPLES)
def show(
    queue: QueueName,
    lines: Annotated[
        int, typer.Option("-n", "--lines", min=1, max=1000, help="Show so many letters at most.")
    ] = 10,
    reason: OnlyReason = None,
    kind: OnlyKind = None,
    identity: OnlyId = None,
    raw: Annotated[
        bool, typer.Option("--raw", help="Show bodies as they came; they may hold personal data.")
    ] = False,
    most: MostLetters = 1000,
    json: options.JsonOption = False,
    app: options.AppOption = setup.DEFAULT_APP,
) -> None:
    """Show dead letters, oldest first, with their reasons and masked bodies. Exit 4 if there are none."""
    out.show_progress("looking …")
    from streamapp.cli.dlq import look  # noqa: PLC0415 - slow to import
    from streamapp.cli.dlq.filters import LetterFilter  # noqa: PLC0415
    from streamapp.cli.event_loop import run  # noqa: PLC0415 - slow to import

    config = setup.load_config()
    view = partial(look.show, lines=lines, most=most, raw=raw, json=json)
    wanted = LetterFilter(reason, kind, identity)
    raise typer.Exit(run(view, setup.load_app(app), config, queue, wanted))


@cli.command(epilog=REDRIVE_EXAMPLES)
def redrive(
    queue: QueueName,
    reason: OnlyReason = None,
    kind: OnlyKind = None,
    identity: OnlyId = None,
    rehearse: Annotated[
        bool,
        typer.Option(
            "--try",
            help="Decode the letters and fold them into a copy of the state, run no agent, and show which pass.",
        ),
    ] = False,
    run_agents: Annotated[
        bool,
        typer.Option(
            "--run-agents",
            help="Run today's agents over the letters, too; implies --try. No state is written and no message sent, but "
            "ANYTHING ELSE THAT THEY DO REALLY HAPPENS: HTTP CALLS, OTHER DATABASES, FILES, E-MAILS.",
        ),
    ] = False,
    only_passing: Annotated[
        bool, typer.Option("--only-passing", help="Leave letters that would fail again; implies --try.")
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="Do it. Without this, only show what would be done.")
    ] = False,
    most: MostLetters = 1000,
    json: options.JsonOption = False,
    app: options.AppOption = setup.DEFAULT_APP,
) -> None:
    """Send dead letters back to the queue they came from, with the body and attributes of the original message.

    Each is first sent, then deleted: after a failure one may exist twice, but none is lost. Exit 4 if none matches.
    """
    out.show_progress("looking …")
    from streamapp.cli.dlq.filters import LetterFilter  # noqa: PLC0415 - slow to import
    from streamapp.cli.dlq.redrive import RedrivePlan, redrive_letters  # noqa: PLC0415
    from streamapp.cli.event_loop import run  # noqa: PLC0415 - slow to import

    config = setup.load_config()
    wanted = LetterFilter(reason, kind, identity)
    plan = RedrivePlan(
        rehearse=rehearse or run_agents or only_passing,
        run_agents=run_agents,
        only_passing=only_passing,
        yes=yes,
        most=most,
        json=json,
    )
    raise typer.Exit(run(redrive_letters, setup.load_app(app), config, queue, wanted, plan))
