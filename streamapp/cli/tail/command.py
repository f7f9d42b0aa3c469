"""`streamapp tail`: follow what the workers do with each message."""

import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from streamapp.cli import options, setup
from streamapp.cli.tail.forms import OutcomeWord, RecordForm, TimeForm, WhenColoured
from streamapp.cli.terminal import output as out
from streamapp.cli.terminal.sanitize import as_text
from streamapp.sqs.names import queue_name

if TYPE_CHECKING:
    from streamapp.cli.tail.session import TailRequest
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


def tail(
    queues: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="QUEUE",
            help="Names or globs; without any, all queues.",
            autocompletion=options.complete_queue,
        ),
    ] = None,
    lines: Annotated[
        int | None,
        typer.Option("-n", "--lines", min=0, help="Show this many of the last records first. [10]"),
    ] = None,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="Begin there: 10m or 1h30m ago, or ISO 8601.")
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="End there, as --since.")] = None,
    follow: Annotated[bool, typer.Option("--follow/--no-follow", help="Continue with new records.")] = True,
    count: Annotated[
        int | None, typer.Option("-c", "--count", min=1, help="End after this many records.")
    ] = None,
    timeout: Annotated[
        str | None, typer.Option(metavar="SECONDS", help="Give up after so long (exit 4), as 30s or 5m.")
    ] = None,
    grep: Annotated[
        str | None, typer.Option("-g", "--grep", metavar="REGEX", help="Only records that match this.")
    ] = None,
    kinds: Annotated[
        list[str] | None, typer.Option("--type", metavar="TYPE", help="Only events of this type, or glob.")
    ] = None,
    order: Annotated[str | None, typer.Option(metavar="ID", help="Only records about this order.")] = None,
    outcomes: Annotated[
        list[OutcomeWord] | None, typer.Option("--outcome", help="Only attempts that ended so.")
    ] = None,
    query: Annotated[
        str | None,
        typer.Option(
            "-q",
            "--query",
            metavar="JMESPATH",
            help="Only records for which this has a result; a result other than true is printed instead.",
        ),
    ] = None,
    form: Annotated[RecordForm, typer.Option("-o", "--output", help="How a record is printed.")] = "line",
    time: Annotated[TimeForm, typer.Option("--time", help="How its time is printed.")] = "local",
    colour: Annotated[
        WhenColoured, typer.Option("--color", help="When to use colour; auto heeds NO_COLOR and FORCE_COLOR.")
    ] = "auto",
) -> None:
    """Show what the workers do with each message, as it happens. The queues are not touched.

    Exit codes: 0 done, 3 Redis does not answer, 4 timed out, 130 Ctrl-C.
    """
    if form in {"line", "pretty"}:
        out.show_progress("connecting …")
    from streamapp.cli.event_loop import run  # noqa: PLC0415 - slow to import
    from streamapp.cli.tail.filters import TailFilter, compile_query, compile_regex  # noqa: PLC0415
    from streamapp.cli.tail.session import TailRequest  # noqa: PLC0415
    from streamapp.cli.tail.times import unix_ms  # noqa: PLC0415 - slow to import

    config = setup.load_config()
    until_ms = unix_ms("--until", until)
    request = TailRequest(
        wanted=TailFilter(
            types=kinds or (),
            outcomes=[it.value for it in outcomes or ()],
            order=order,
            grep=compile_regex(grep),
            query=compile_query(query),
        ),
        form=form,
        last=lines if lines is not None or since is not None else 10,
        since_ms=unix_ms("--since", since) or 0,
        until_ms=until_ms,
        follows=follow,
        count=count,
        timeout=setup.seconds_of("--timeout", timeout),
    )
    names = [as_text(queue_name(config.queue(name))) for name in queues or ()]
    sys.exit(run(_tail, config, names, request, time, colour))


async def _tail(
    config: "Config", names: list[str], request: "TailRequest", time: TimeForm, colour: WhenColoured
) -> int:
    from streamapp.cli.tail.depth_poller import DepthPoller  # noqa: PLC0415 - slow to import
    from streamapp.cli.tail.lines import LineLayout  # noqa: PLC0415
    from streamapp.cli.tail.screen import is_coloured, open_screen  # noqa: PLC0415
    from streamapp.cli.tail.session import TailSession  # noqa: PLC0415
    from streamapp.cli.terminal.live_view import can_redraw  # noqa: PLC0415 - slow to import
    from streamapp.observe.tap_reader import TapReader  # noqa: PLC0415

    async with setup.open_taps(config) as taps:
        reader = TapReader(taps, names)
        await setup.reach_redis(config, reader.open)
        if request.follows:
            await _explain_silence(taps, reader, config)
        is_for_people = request.form in {"line", "pretty"}
        has_bar = is_for_people and request.follows and can_redraw()
        coloured = is_for_people and is_coloured(colour, os.environ, is_terminal=sys.stdout.isatty())
        layout = LineLayout(time_form=time, max_attempts=config.max_attempts)
        with open_screen(coloured=coloured, has_bar=has_bar) as screen:
            return await TailSession(reader, screen, request, layout, depths=DepthPoller(config)).run()


async def _explain_silence(taps: "RedisTap", reader: "TapReader", config: "Config") -> None:
    """Write to standard error why there is nothing to show, if that can be known."""
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
