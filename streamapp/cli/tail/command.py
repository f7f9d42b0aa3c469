"""`streamapp tail`: watch what becomes of each message."""

import os
import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from streamapp.cli import setup
from streamapp.cli.terminal import output as out
from streamapp.cli.terminal.sanitize import as_text
from streamapp.sqs.names import queue_name

if TYPE_CHECKING:
    from streamapp.cli.tail.session import Request
    from streamapp.config import Config
    from streamapp.observe.tap_reader import TapReader
    from streamapp.redis.tap import RedisTap

EXAMPLES = """
\b
Examples:
  streamapp tail
  streamapp tail pedido-events 'pagamento-*' -n 50
  streamapp tail --order 1042 -o pretty --no-follow
  streamapp tail --outcome retry --outcome dead --since 10m
  streamapp tail acompanhamento-events --order 1042 -q "body.data.status=='Pronto'" -c 1 --timeout 30s
  streamapp tail -o json | jq .key
"""


class Form(StrEnum):
    """How a record is printed."""

    line = "line"
    pretty = "pretty"
    json = "json"
    raw = "raw"


class Clock(StrEnum):
    """How its time is told."""

    local = "local"
    utc = "utc"
    ago = "ago"
    none = "none"


class Colour(StrEnum):
    """When colour is used."""

    auto = "auto"
    always = "always"
    never = "never"


class Outcome(StrEnum):
    """How an attempt ended."""

    ok = "ok"
    duplicate = "duplicate"
    skipped = "skipped"
    retry = "retry"
    dead = "dead"
    invalid = "invalid"
    sent = "sent"
    refused = "refused"


def tail(
    queues: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="QUEUE",
            help="Names or globs; without any, all queues.",
            autocompletion=setup.queue_names,
        ),
    ] = None,
    lines: Annotated[
        int | None, typer.Option("-n", "--lines", min=0, help="Show so many of the last records first. [10]")
    ] = None,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="Begin there: 10m or 1h30m ago, or ISO 8601.")
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="End there, as --since.")] = None,
    follow: Annotated[bool, typer.Option("--follow/--no-follow", help="Go on with what comes.")] = True,
    count: Annotated[
        int | None, typer.Option("-c", "--count", min=1, help="End after so many records.")
    ] = None,
    timeout: Annotated[
        str | None, typer.Option(metavar="SECONDS", help="Give up after so long (exit 4), as 30s or 5m.")
    ] = None,
    grep: Annotated[
        str | None, typer.Option("-g", "--grep", metavar="REGEX", help="Only records that hold this.")
    ] = None,
    kinds: Annotated[
        list[str] | None, typer.Option("--type", metavar="TYPE", help="Only events of this type, or glob.")
    ] = None,
    order: Annotated[str | None, typer.Option(metavar="ID", help="Only records about this order.")] = None,
    outcomes: Annotated[
        list[Outcome] | None, typer.Option("--outcome", help="Only attempts that ended so.")
    ] = None,
    query: Annotated[
        str | None,
        typer.Option(
            "-q",
            "--query",
            metavar="JMESPATH",
            help="Only records for which this answers something; an answer other than true is printed instead.",
        ),
    ] = None,
    form: Annotated[Form, typer.Option("-o", "--output", help="How a record is printed.")] = Form.line,
    clock: Annotated[Clock, typer.Option("--time", help="How its time is told.")] = Clock.local,
    colour: Annotated[
        Colour, typer.Option("--color", help="When to use colour; auto heeds NO_COLOR and FORCE_COLOR.")
    ] = Colour.auto,
) -> None:
    """Watch what the workers do with each message, as it happens. The queues are not touched.

    Exit codes: 0 done, 3 Redis does not answer, 4 timed out, 130 Ctrl-C.
    """
    if form in {Form.line, Form.pretty}:
        out.say_soon("connecting …")
    import anyio  # noqa: PLC0415 - slow to import

    from streamapp.cli.tail.filters import Wanted, asked, compiled  # noqa: PLC0415
    from streamapp.cli.tail.session import Request  # noqa: PLC0415
    from streamapp.cli.tail.times import moment, wait  # noqa: PLC0415 - slow to import

    config = setup.load_config()
    until_ms = moment("--until", until)
    request = Request(
        wanted=Wanted(
            types=kinds or (),
            outcomes=[it.value for it in outcomes or ()],
            order=order,
            grep=compiled(grep),
            query=asked(query),
        ),
        form=form.value,
        last=lines if lines is not None or since is not None else 10,
        since_ms=moment("--since", since) or 0,
        until_ms=until_ms,
        follows=follow,
        count=count,
        timeout=wait("--timeout", timeout),
    )
    names = [as_text(queue_name(config.queue(name))) for name in queues or ()]
    sys.exit(anyio.run(_tail, config, names, request, clock.value, colour.value))


async def _tail(config: "Config", names: list[str], request: "Request", clock: str, colour: str) -> int:
    from streamapp.cli.tail.depths import Depths  # noqa: PLC0415 - slow to import
    from streamapp.cli.tail.lines import Layout  # noqa: PLC0415
    from streamapp.cli.tail.screen import is_coloured, open_screen  # noqa: PLC0415
    from streamapp.cli.tail.session import Tailing  # noqa: PLC0415
    from streamapp.cli.terminal.screen import is_lively  # noqa: PLC0415 - slow to import
    from streamapp.observe.tap_reader import TapReader  # noqa: PLC0415

    async with setup.open_taps(config) as taps:
        reader = TapReader(taps, names)
        await setup.reach_redis(config, reader.open)
        if request.follows:
            await _say_why_nothing_comes(taps, reader, config)
        is_for_people = request.form in {"line", "pretty"}
        lively = is_for_people and request.follows and is_lively()
        coloured = is_for_people and is_coloured(colour, os.environ, is_terminal=sys.stdout.isatty())  # type: ignore[arg-type]  # one of them
        layout = Layout(clock=clock, max_attempts=config.max_attempts)  # type: ignore[arg-type]  # as above
        with open_screen(coloured=coloured, lively=lively) as screen:
            return await Tailing(reader, screen, request, layout, depths=Depths(config)).run()


async def _say_why_nothing_comes(taps: "RedisTap", reader: "TapReader", config: "Config") -> None:
    """Say on standard error why there is nothing to see, where that can be known."""
    if reader.queues and not reader.silent:
        return
    what = "any queue" if not reader.queues else ", ".join(reader.silent)
    workers = await taps.workers()
    if not workers:
        why = "no worker is running; start one with: streamapp worker"
    elif reader.silent and not any(name in it.counts for it in workers for name in reader.silent):
        known = sorted({name for it in workers for name in it.counts})
        why = f"the workers that run know {', '.join(known)}"
    elif config.tap == "off":
        why = "STREAMAPP_TAP is off"
    else:
        why = "a worker runs, and nothing came yet (or it runs with STREAMAPP_TAP=off)"
    out.note(f"streamapp: the tap of {what} is empty: {why}")
