"""`streamapp send`: put messages into a queue."""

import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Annotated

import typer

from streamapp.cli import options, setup
from streamapp.cli.terminal import output as out
from streamapp.errors import ConfigError, StreamappError
from streamapp.sqs.names import queue_name

if TYPE_CHECKING:
    from streamapp.app import App
    from streamapp.config import Config
    from streamapp.sqs.client import Sqs

EXAMPLES = """
\b
Examples:
  streamapp send pedido-events '{"event_type":"pedido_status_atualizado","data":{"id_pedido":1042,"status":"Pronto"}}'
  streamapp send pagamento-events --example pagamento_atualizado --set data.id_pedido=1042
  cat events.jsonl | streamapp send pedido-events -
"""

CHUNK = 1000
"""Lines that are read and checked before they are sent: enough for full batches, and bounded."""


class NotValid(ConfigError):
    """The queue's agent could not process a message."""

    def __init__(self, number: int, why: str, sent: int) -> None:
        before = f"; {sent} before it were sent" if sent else ""
        super().__init__(f"message {number} is refused: {why} (--no-validate sends it anyway){before}")


class NotText(ConfigError):
    """A line is not UTF-8."""

    def __init__(self, number: int) -> None:
        super().__init__(f"message {number} is not UTF-8; SQS carries text only")


class NothingToSend(ConfigError):
    """Neither a message nor an example was given, or both."""

    def __init__(self) -> None:
        super().__init__("give a message, - for standard input, or --example KIND; one of them")


class NoExample(ConfigError):
    """There is no example of this kind."""

    def __init__(self, kind: str, known: Sequence[str]) -> None:
        super().__init__(f"there is no example {kind!r} for this queue; it has {', '.join(known) or 'none'}")


class MessageRefused(StreamappError):
    """SQS refused a message."""

    def __init__(self, code: str, sent: int) -> None:
        super().__init__(f"SQS refused a message ({code}); {sent} others were sent")


def send(
    queue: Annotated[
        str,
        typer.Argument(
            metavar="QUEUE", help="Name or URL of the queue.", autocompletion=options.complete_queue
        ),
    ],
    message: Annotated[
        str | None,
        typer.Argument(metavar="JSON|-", help="The message; - reads one from each line of standard input."),
    ] = None,
    example: Annotated[
        str | None, typer.Option(metavar="KIND", help="Send the app's example of this kind of event.")
    ] = None,
    edits: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="PATH=VALUE", help="Set a member first, as data.id_pedido=42. Repeatable."
        ),
    ] = None,
    validate: Annotated[
        bool,
        typer.Option(
            "--validate/--no-validate", help="Refuse messages that the queue's agent could not process."
        ),
    ] = True,
    json: options.JsonOption = False,
    app: options.AppOption = setup.DEFAULT_APP,
) -> None:
    """Send one message, an example, or each line of standard input."""
    from streamapp.cli.event_loop import run  # noqa: PLC0415 - slow to import

    if (message is None) == (example is None):
        raise NothingToSend
    out.show_progress(f"sending to {queue} …")
    config = setup.load_config()
    application = setup.load_app(app)
    one = _example(application, config, queue, example or "") if message is None else message
    bodies = _lines() if message == "-" else iter([one])
    check = _checker(application, config, queue) if validate else _unchecked
    number, size = run(_send, config, queue, _edited(bodies, edits or []), check)
    if json:
        out.print_json({"queue": queue, "sent": number, "bytes": size})
    else:
        out.print_lines([f"sent {number} to {queue} ({size} B)"])


def _example(app: "App", config: "Config", queue: str, kind: str) -> str:
    from msgspec.json import encode  # noqa: PLC0415 - slow to import

    known = {it.kind: it for it in app.extras.examples if _is_named(queue, it.queue, config)}
    if kind not in known:
        raise NoExample(kind, list(known))
    return encode(known[kind].make(datetime.now(UTC))).decode()


def _lines() -> Iterator[str]:
    """Return the lines of standard input that are not empty."""
    number = 0
    for line in sys.stdin.buffer:
        if line.strip():
            number += 1
            try:
                yield line.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
            except UnicodeDecodeError as error:
                raise NotText(number) from error


def _edited(bodies: Iterator[str], edits: Sequence[str]) -> Iterator[str]:
    from streamapp.cli.send.edit import edited  # noqa: PLC0415 - beside its only use

    return (edited(body, edits) for body in bodies)


BodyCheck = Callable[[str], str | None]
"""Returns why a body could not be processed; None if it could."""


def _unchecked(_: str) -> None:
    return None


def _is_named(queue: str, stream: str, config: "Config") -> bool:
    """Whether *queue*, a name or a URL, is the queue of *stream*."""
    return queue_name(queue) in {stream, queue_name(config.queue(stream))}


def _checker(app: "App", config: "Config", queue: str) -> BodyCheck:
    from streamapp_codecs import Origin  # noqa: PLC0415 - slow to import

    codec = next((it.codec for it in app.agents.values() if _is_named(queue, it.queue, config)), None)

    def check(body: str) -> str | None:
        if codec is None:
            return None
        origin = Origin(queue=queue, message_id="", sent_at=datetime.now(UTC), zone=config.naive_tz)
        decoded = codec.decode(body, origin)
        if decoded.error is not None:
            return str(decoded.error)
        if decoded.skipped and not decoded.events:
            return f"the agent of {queue} would skip it: {', '.join(decoded.skipped)}"
        return None

    return check


async def _send(config: "Config", name: str, bodies: Iterator[str], check: BodyCheck) -> tuple[int, int]:
    """Send *bodies* in chunks, each of which is checked before any of it is sent; return how many, and their bytes."""
    first = list(islice(bodies, CHUNK))
    _refuse(first, check, sent=0)
    sent = size = 0
    async with setup.open_sqs() as sqs:
        while first:
            await _send_chunk(sqs, config.queue(name), first, sent)
            sent += len(first)
            size += sum(len(body.encode()) for body in first)
            if len(first) == CHUNK:
                out.show_progress(f"  {sent} sent")
            first = list(islice(bodies, CHUNK))
            _refuse(first, check, sent=sent)
    return sent, size


def _refuse(bodies: Sequence[str], check: BodyCheck, *, sent: int) -> None:
    for number, body in enumerate(bodies, sent + 1):
        if not _is_text(body):
            raise NotText(number)
        why = check(body)
        if why is not None:
            raise NotValid(number, why, sent)


def _is_text(body: str) -> bool:
    """Whether *body* is UTF-8. An argument may hold other bytes, and a JSON escape half of a character."""
    try:
        body.encode()
    except UnicodeEncodeError:
        return False
    return True


async def _send_chunk(sqs: "Sqs", name: str, bodies: Sequence[str], sent: int) -> None:
    from uuid import uuid4  # noqa: PLC0415 - beside its only use

    from streamapp.messages import Outgoing  # noqa: PLC0415 - slow to import
    from streamapp.sqs.packing import batches  # noqa: PLC0415

    queue = await sqs.find(name)
    if queue.fifo:
        messages = [Outgoing(body, group=queue.name, deduplication=uuid4().hex) for body in bodies]
    else:
        messages = [Outgoing(body) for body in bodies]
    for batch in batches(messages):
        outcomes = await sqs.send(queue, batch)
        sent += outcomes.count(None)
        for failure in outcomes:
            if failure is not None:
                raise MessageRefused(failure.code, sent)
