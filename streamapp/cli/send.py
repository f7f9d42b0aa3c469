"""`streamapp send`: put messages of one's own into a queue."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from streamapp.cli import setup
from streamapp.errors import ConfigError, StreamappError

if TYPE_CHECKING:
    from streamapp.app import App
    from streamapp.config import Config

EXAMPLES = """
\b
Examples:
  streamapp send pedido-events '{"event_type":"pedido_status_atualizado","data":{"id_pedido":1042,"status":"Pronto"}}'
  cat events.jsonl | streamapp send pedido-events -
"""


class NotValid(ConfigError):
    """A message is not one that the queue's agent could process."""

    def __init__(self, number: int, why: str) -> None:
        super().__init__(f"message {number} is refused: {why} (--no-validate sends it anyway)")


class NotSent(StreamappError):
    """SQS did not take a message."""

    def __init__(self, code: str, sent: int) -> None:
        super().__init__(f"SQS refused a message ({code}); {sent} before it were sent")


def send(
    queue: Annotated[str, typer.Argument(metavar="QUEUE", help="Name or URL of the queue.")],
    message: Annotated[
        str, typer.Argument(metavar="JSON|-", help="The message; - reads one a line from standard input.")
    ],
    validate: Annotated[
        bool,
        typer.Option("--validate/--no-validate", help="Refuse what the queue's agent could not process."),
    ] = True,
    app: setup.AppOption = setup.DEFAULT_APP,
) -> None:
    """Send one message, or each line of standard input."""
    import anyio  # noqa: PLC0415 - slow to import

    config = setup.load_config()
    bodies = [line.rstrip("\n") for line in sys.stdin if line.strip()] if message == "-" else [message]
    if validate:
        _check(setup.load_app(app), queue, bodies)
    anyio.run(_send, config, queue, bodies)
    size = sum(len(body.encode()) for body in bodies)
    typer.echo(f"sent {len(bodies)} to {queue} ({size} B)")


def _check(app: "App", queue: str, bodies: Sequence[str]) -> None:
    from streamapp_codecs import Origin  # noqa: PLC0415 - slow to import

    codec = next((agent.codec for agent in app.agents.values() if agent.queue == queue), None)
    for number, body in enumerate(bodies, 1):
        if codec is None:
            return
        decoded = codec.decode(body, Origin(queue=queue, message_id=str(number), sent_at=datetime.now(UTC)))
        if decoded.error is not None:
            raise NotValid(number, str(decoded.error))
        if decoded.skipped and not decoded.events:
            raise NotValid(number, f"the agent of {queue} would skip it ({', '.join(decoded.skipped)})")


async def _send(config: "Config", name: str, bodies: Sequence[str]) -> None:
    from streamapp.delivery import Outgoing  # noqa: PLC0415 - slow to import
    from streamapp.sqs import BATCH  # noqa: PLC0415

    async with setup.open_sqs() as sqs:
        queue = await sqs.find(config.queue(name))
        for start in range(0, len(bodies), BATCH):
            group = name if queue.fifo else None
            outcomes = await sqs.send(
                queue, [Outgoing(body, group=group) for body in bodies[start : start + BATCH]]
            )
            for position, failure in enumerate(outcomes):
                if failure is not None:
                    raise NotSent(failure.code, start + position)
