"""`streamapp queues`: create the queues that the app needs."""

from typing import TYPE_CHECKING, Annotated

import typer

from streamapp.cli import options, setup
from streamapp.cli.command_group import CommandGroup
from streamapp.cli.terminal import output as out
from streamapp.errors import ConfigError

if TYPE_CHECKING:
    from streamapp.app import App
    from streamapp.config import Config
    from streamapp.sqs.queue_setup import CreatedQueue

EXAMPLES = """
\b
Examples:
  streamapp queues create
  streamapp queues create --yes        # in a real account, too
  streamapp queues create --json | jq -r .queues[].queue
"""

cli = typer.Typer(cls=CommandGroup, no_args_is_help=True, rich_markup_mode=None, epilog=EXAMPLES)


class NotLocal(ConfigError):
    """Queues would be created in a real account."""

    def __init__(self, endpoint: str) -> None:
        super().__init__(f"{endpoint} is not local; add --yes to create queues there")


@cli.callback()
def _group() -> None:
    """Create the queues that the app needs."""


@cli.command(epilog=EXAMPLES)
def create(
    yes: Annotated[
        bool, typer.Option("--yes", help="Create them even if the endpoint is not local.")
    ] = False,
    json: options.JsonOption = False,
    app: options.AppOption = setup.DEFAULT_APP,
) -> None:
    """Create the app's queues, or repair their redrive policy. Safe to repeat."""
    out.show_progress("creating …")
    from streamapp.cli.event_loop import run  # noqa: PLC0415 - slow to import

    config = setup.load_config()
    application = setup.load_app(app)
    created = run(_create, application, config, yes)
    if json:
        out.print_json({"queues": [_as_json(it) for it in created]})
    else:
        out.print_lines(map(_line, created))


async def _create(app: "App", config: "Config", yes: bool) -> "list[CreatedQueue]":
    from streamapp.sqs.boto import is_local  # noqa: PLC0415 - slow to import
    from streamapp.sqs.queue_setup import create_queues  # noqa: PLC0415 - slow to import

    async with setup.open_sqs() as sqs:
        if not (yes or is_local(sqs.endpoint)):
            raise NotLocal(sqs.endpoint)
        return await create_queues(sqs, config, sources=setup.sources_of(app), sinks=app.sinks)


def _line(queue: "CreatedQueue") -> str:
    from streamapp.sqs.queue_setup import VISIBILITY  # noqa: PLC0415 - slow to import

    if queue.dead_letters is None:
        return queue.name
    redrive = f"redrive after {queue.max_receives} receives to {queue.dead_letters}"
    return f"{queue.name}: visibility {VISIBILITY} s, {redrive}"


def _as_json(queue: "CreatedQueue") -> dict[str, object]:
    redrive = {"dead_letters": queue.dead_letters, "max_receives": queue.max_receives}
    return {"queue": queue.name, **({} if queue.dead_letters is None else redrive)}
