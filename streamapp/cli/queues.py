"""`streamapp queues`: set up what the app needs in SQS."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from streamapp.cli import setup
from streamapp.cli.group import Group
from streamapp.cli.terminal import output as out
from streamapp.errors import ConfigError
from streamapp.sqs.names import queue_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from streamapp.app import App
    from streamapp.config import Config
    from streamapp.sqs.client import Sqs

EXAMPLES = """
\b
Examples:
  streamapp queues create
  streamapp queues create --yes        # in a real account, too
  streamapp queues create --json | jq -r .queues[].queue
"""

DLQ = "-dlq"
"""Ends the name of a dead-letter queue."""

SPARE_RECEIVES = 3
"""Receives beyond the worker's own last attempt, so that its reason is written before SQS moves the message."""

VISIBILITY = 60
"""Seconds of visibility timeout: longer than the client's read timeout, short enough to wait for after a crash."""

DLQ_RETENTION = 14 * 86_400
"""Seconds that a dead letter is kept: SQS's most, and above the source's, because a letter keeps its age."""

cli = typer.Typer(
    cls=Group,
    help="Create the queues that the app needs.",
    no_args_is_help=True,
    rich_markup_mode=None,
    epilog=EXAMPLES,
)


@dataclass(frozen=True, slots=True)
class Made:
    """A queue that is there now, and where it sends a message after so many receives; a sink has no such place."""

    queue: str
    dead_letters: str | None = None
    max_receives: int | None = None


class NotLocal(ConfigError):
    """Queues were about to be created in a real account."""

    def __init__(self, endpoint: str) -> None:
        super().__init__(f"{endpoint} is not local; add --yes to create queues there")


@cli.callback()
def _group() -> None:
    """Create the queues that the app needs."""


@cli.command(epilog=EXAMPLES)
def create(
    yes: Annotated[
        bool, typer.Option("--yes", help="Create them at an endpoint that is not local, too.")
    ] = False,
    json: setup.JsonOption = False,
    app: setup.AppOption = setup.DEFAULT_APP,
) -> None:
    """Create the app's queues, or mend their redrive. Safe to repeat."""
    out.say_soon("creating …")
    import anyio  # noqa: PLC0415 - slow to import

    config = setup.load_config()
    application = setup.load_app(app)
    made = anyio.run(_create, application, config, yes)
    if json:
        out.print_json({"queues": [_as_json(it) for it in made]})
    else:
        out.tell(map(_line, made))


async def _create(app: "App", config: "Config", yes: bool) -> list[Made]:
    from streamapp.sqs.boto import is_local  # noqa: PLC0415 - slow to import

    async with setup.open_sqs() as sqs:
        if not (yes or is_local(sqs.endpoint)):
            raise NotLocal(sqs.endpoint)
        return await create_queues(app, config, sqs)


async def create_queues(app: "App", config: "Config", sqs: "Sqs") -> list[Made]:
    """Create all queues of *app*, or set their redrive; answer what is there now."""
    import msgspec  # noqa: PLC0415 - slow to import

    done: list[Made] = []
    for source in _names(config, [agent.queue for agent in app.agents.values()]):
        receives = config.max_attempts + SPARE_RECEIVES
        letters = await sqs.create(
            _dlq(source), _kind(source) | {"MessageRetentionPeriod": str(DLQ_RETENTION)}
        )
        arn = (await sqs.attributes(letters))["QueueArn"]
        redrive = msgspec.json.encode({"deadLetterTargetArn": arn, "maxReceiveCount": receives}).decode()
        await sqs.create(
            source, _kind(source) | {"RedrivePolicy": redrive, "VisibilityTimeout": str(VISIBILITY)}
        )
        done.append(Made(source, letters.name, receives))
    for sink in _names(config, app.sinks):
        await sqs.create(sink, _kind(sink))
        done.append(Made(sink))
    return done


def _line(made: Made) -> str:
    if made.dead_letters is None:
        return made.queue
    redrive = f"redrive after {made.max_receives} receives to {made.dead_letters}"
    return f"{made.queue}: visibility {VISIBILITY} s, {redrive}"


def _as_json(made: Made) -> dict[str, object]:
    redrive = {"dead_letters": made.dead_letters, "max_receives": made.max_receives}
    return {"queue": made.queue, **({} if made.dead_letters is None else redrive)}


def _names(config: "Config", streams: "Iterable[str]") -> "Iterator[str]":
    """Return the queue names of *streams*: of a URL its last part."""
    for stream in streams:
        yield queue_name(config.queue(stream))


def _dlq(name: str) -> str:
    return f"{name.removesuffix('.fifo')}{DLQ}.fifo" if name.endswith(".fifo") else name + DLQ


def _kind(name: str) -> dict[str, str]:
    return {"FifoQueue": "true"} if name.endswith(".fifo") else {}
