"""`streamapp status`: queues and workers at this moment."""

import time
from typing import TYPE_CHECKING, Annotated

import typer

from streamapp.cli import options, setup
from streamapp.cli.terminal import output as out
from streamapp.cli.terminal.sanitize import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from streamapp.app import App
    from streamapp.cli.status.snapshot import QueueStatus, StatusReader, StatusSnapshot
    from streamapp.config import Config

EXAMPLES = """
\b
Examples:
  streamapp status
  streamapp status -w
  streamapp status --json | jq '.queues[] | select(.waiting > 100)'
"""

EVERY = 2.0
"""Seconds between two readings of `--watch`: as often as workers report their presence."""


def status(
    watch: Annotated[
        bool, typer.Option("-w", "--watch", help="Show it again every 2 s, until q or Ctrl-C.")
    ] = False,
    json: options.JsonOption = False,
    app: options.AppOption = setup.DEFAULT_APP,
) -> None:
    """Show what waits, what is in hand, and which workers run.

    Counts are of the workers that run now, rate and p95 of the last minute in the tap.
    """
    out.show_progress("looking …")
    from streamapp.cli.event_loop import run  # noqa: PLC0415 - slow to import

    config = setup.load_config()
    run(_status, setup.load_app(app), config, watch, json)


async def _status(app: "App", config: "Config", watched: bool, json: bool) -> None:
    from anyio import sleep  # noqa: PLC0415 - slow to import

    from streamapp.cli.status.snapshot import StatusReader  # noqa: PLC0415 - slow to import
    from streamapp.cli.terminal.live_view import can_redraw  # noqa: PLC0415 - slow to import

    async with setup.open_sqs() as sqs, setup.open_store(config) as store, setup.open_taps(config) as taps:
        reader = StatusReader(app, config, sqs, store, taps)
        if watched and not json and can_redraw():
            await _watch(reader)
            return
        _print(await reader.look(), json=json)
        while watched and out.is_read():
            await sleep(EVERY)
            _print(await reader.look(), json=json)


async def _watch(reader: "StatusReader") -> None:
    from rich.live import Live  # noqa: PLC0415 - slow to import
    from rich.text import Text  # noqa: PLC0415

    from streamapp.cli.terminal.live_view import LiveView, console, redraw  # noqa: PLC0415
    from streamapp.errors import ServiceError  # noqa: PLC0415

    terminal = console()
    snapshot = await reader.look()

    async def draw() -> None:
        nonlocal snapshot
        now = time.strftime("%H:%M:%S")
        try:
            snapshot = await reader.look()
        except ServiceError as error:
            now = f"{now}  {error}; trying again"
        shown = Text(no_wrap=True, overflow="ellipsis")
        for line, is_trouble in status_lines(snapshot, terminal.width):
            shown.append(f"{line}\n", "yellow" if is_trouble else "")
        view.live.update(shown.append(printable(f"{now}  ·  q quit")), refresh=True)

    with LiveView(lambda: Live(Text("…"), console=terminal, auto_refresh=False)) as view:
        await redraw(view, draw, EVERY)


LEFT_OUT_FIRST = ("sent", "skip", "dup", "p95 ms", "ok", "rate/s", "retry", "oldest", "in flight", "dead")
"""Columns that are left out, in this order, if the terminal is too narrow for all."""


def status_lines(snapshot: "StatusSnapshot", width: int | None = None) -> "Iterator[tuple[str, bool]]":
    """Return a table of the queues, with the columns that have room in *width*, and lines about the rest.

    Each line comes with whether it reports trouble: dead letters, no worker, or dropped tap records.
    """
    from streamapp.cli.terminal.columns import aligned  # noqa: PLC0415 - slow to import
    from streamapp.cli.terminal.words import many  # noqa: PLC0415
    from streamapp.observe.presence import dropped_records  # noqa: PLC0415

    if rows := [_cells(queue) for queue in snapshot.queues]:
        columns = list(rows[0])
        cells = [[*columns, ""], *([*row.values(), ""] for row in rows)]
        spare = [columns.index(name) for name in LEFT_OUT_FIRST]
        head, *lines = aligned(cells, right=range(1, len(columns)), width=width, spare=spare)
        yield head, False
    else:
        lines = []
    for queue, line in zip(snapshot.queues, lines, strict=True):
        yield line, bool(queue.dead_letters or queue.counts.get("dead"))
    names = ", ".join(worker.worker for worker in snapshot.workers)
    yield (
        printable(f"workers {len(snapshot.workers)} ({names})" if names else "no worker is there"),
        not names,
    )
    tracked = " · ".join(f"{number:,} {table}" for table, number in snapshot.tracked.items())
    yield printable(f"redis {snapshot.redis_ms:.1f} ms · tracked: {tracked}"), False
    if dropped := dropped_records(snapshot.workers):
        yield f"the tap: {many(dropped, 'record')} dropped, which tail and show miss", True


def _cells(queue: "QueueStatus") -> dict[str, str]:
    from streamapp.cli.terminal.words import duration  # noqa: PLC0415 - slow to import

    count = queue.counts.get
    return {
        "queue": f"→ {queue.stream}" if queue.is_sink else queue.stream,
        "waiting": _known(queue.waiting),
        "in flight": _known(queue.in_flight),
        "oldest": "-" if queue.oldest is None else duration(queue.oldest * 1000),
        "rate/s": f"{queue.rate:.1f}",
        "p95 ms": "-" if queue.p95 is None else f"{queue.p95:.0f}",
        "ok": f"{count('ok', 0):,}",
        "dup": f"{count('duplicate', 0):,}",
        "skip": f"{count('skipped', 0):,}",
        "retry": f"{count('retry', 0):,}",
        "dead": f"{count('dead', 0):,}",
        "sent": f"{count('sent', 0):,}",
        "dlq": _known(queue.dead_letters),
    }


def _known(number: int | None) -> str:
    return "-" if number is None else f"{number:,}"


def _print(snapshot: "StatusSnapshot", *, json: bool) -> None:
    from streamapp.observe.presence import dropped_records  # noqa: PLC0415 - slow to import

    if not json:
        out.print_lines(line for line, _ in status_lines(snapshot, out.width()))
        return
    out.print_json(
        {
            "queues": [
                {
                    "queue": queue.stream,
                    "waiting": queue.waiting,
                    "in_flight": queue.in_flight,
                    "oldest_seconds": None if queue.oldest is None else round(queue.oldest, 1),
                    "dead_letters": queue.dead_letters,
                    "rate": round(queue.rate, 2),
                    "p95_ms": queue.p95,
                    **queue.counts,
                }
                for queue in snapshot.queues
            ],
            "workers": [
                {"worker": it.worker, "host": it.host, "pid": it.pid, "in_hand": sum(it.in_hand.values())}
                for it in snapshot.workers
            ],
            "redis_ms": round(snapshot.redis_ms, 2),
            "tracked": dict(snapshot.tracked),
            "tap_dropped": dropped_records(snapshot.workers),
        }
    )
