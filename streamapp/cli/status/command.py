"""`streamapp status`: queues and workers at a glance."""

import time
from typing import TYPE_CHECKING, Annotated

import typer

from streamapp.cli import setup
from streamapp.cli.terminal import output as out
from streamapp.cli.terminal.sanitize import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from streamapp.app import App
    from streamapp.cli.status.snapshot import Glance, Glancer, Row
    from streamapp.config import Config

EXAMPLES = """
\b
Examples:
  streamapp status
  streamapp status -w
  streamapp status --json | jq '.queues[] | select(.waiting > 100)'
"""

EVERY = 2.0
"""Seconds between two looks of `-w`: as often as workers say that they are there."""


def status(
    watch: Annotated[
        bool, typer.Option("-w", "--watch", help="Look again every 2 s, until q or Ctrl-C.")
    ] = False,
    json: setup.JsonOption = False,
    app: setup.AppOption = setup.DEFAULT_APP,
) -> None:
    """Show at a glance what waits, what is in hand, and who works on it.

    Counts are of the workers that are there, rate and p95 of the last minute in the tap.
    """
    out.say_soon("looking …")
    import anyio  # noqa: PLC0415 - slow to import

    config = setup.load_config()
    anyio.run(_status, setup.load_app(app), config, watch, json)


async def _status(app: "App", config: "Config", watched: bool, json: bool) -> None:
    from anyio import sleep  # noqa: PLC0415 - slow to import

    from streamapp.cli.status.snapshot import Glancer  # noqa: PLC0415 - slow to import
    from streamapp.cli.terminal.screen import is_lively  # noqa: PLC0415 - slow to import

    async with setup.open_sqs() as sqs, setup.open_store(config) as store, setup.open_taps(config) as taps:
        glancer = Glancer(app, config, sqs, store, taps)
        if watched and not json and is_lively():
            await _watch(glancer)
            return
        _print(await glancer.look(), json=json)
        while watched and out.is_read():
            await sleep(EVERY)
            _print(await glancer.look(), json=json)


async def _watch(glancer: "Glancer") -> None:
    from rich.live import Live  # noqa: PLC0415 - slow to import
    from rich.text import Text  # noqa: PLC0415

    from streamapp.cli.terminal.screen import Stage, console, watch  # noqa: PLC0415
    from streamapp.errors import ServiceError  # noqa: PLC0415

    terminal = console()
    glance = await glancer.look()

    async def draw() -> None:
        nonlocal glance
        now = time.strftime("%H:%M:%S")
        try:
            glance = await glancer.look()
        except ServiceError as error:
            now = f"{now}  {error}; trying again"
        shown = Text(no_wrap=True, overflow="ellipsis")
        for line, is_trouble in status_lines(glance, terminal.width):
            shown.append(f"{line}\n", "yellow" if is_trouble else "")
        stage.live.update(shown.append(printable(f"{now}  ·  q quit")), refresh=True)

    with Stage(lambda: Live(Text("…"), console=terminal, auto_refresh=False)) as stage:
        await watch(stage, draw, EVERY)


LEAST_TELLING = ("sent", "skip", "dup", "p95 ms", "ok", "rate/s", "retry", "oldest", "in flight", "dead")
"""Columns that are left out, in this order, where the terminal is too narrow for all."""


def status_lines(glance: "Glance", width: int | None = None) -> "Iterator[tuple[str, bool]]":
    """Return a table of the queues, of the columns that have room in *width*, and lines about the rest.

    Beside each line stands whether it tells of trouble: dead letters, nobody at work, records that viewers miss.
    """
    from streamapp.cli.doctor.flaws import dropped_by  # noqa: PLC0415 - slow to import
    from streamapp.cli.terminal.columns import aligned  # noqa: PLC0415
    from streamapp.cli.terminal.words import many  # noqa: PLC0415

    if rows := [_row(row) for row in glance.rows]:
        columns = list(rows[0])
        cells = [[*columns, ""], *([*row.values(), ""] for row in rows)]
        spare = [columns.index(name) for name in LEAST_TELLING]
        head, *lines = aligned(cells, right=range(1, len(columns)), width=width, spare=spare)
        yield head, False
    else:
        lines = []
    for row, line in zip(glance.rows, lines, strict=True):
        yield line, bool(row.letters or row.counts.get("dead"))
    names = ", ".join(worker.worker for worker in glance.workers)
    yield printable(f"workers {len(glance.workers)} ({names})" if names else "no worker is there"), not names
    tracked = " · ".join(f"{number:,} {table}" for table, number in glance.tracked.items())
    yield printable(f"redis {glance.redis_ms:.1f} ms · tracked: {tracked}"), False
    if dropped := dropped_by(glance.workers):
        yield f"the tap: {many(dropped, 'record')} dropped, which tail and show miss", True


def _row(row: "Row") -> dict[str, str]:
    from streamapp.cli.terminal.words import duration  # noqa: PLC0415 - slow to import

    count = row.counts.get
    return {
        "queue": f"→ {row.stream}" if row.is_sink else row.stream,
        "waiting": _known(row.waiting),
        "in flight": _known(row.in_flight),
        "oldest": "-" if row.oldest is None else duration(row.oldest * 1000),
        "rate/s": f"{row.rate:.1f}",
        "p95 ms": "-" if row.p95 is None else f"{row.p95:.0f}",
        "ok": f"{count('ok', 0):,}",
        "dup": f"{count('duplicate', 0):,}",
        "skip": f"{count('skipped', 0):,}",
        "retry": f"{count('retry', 0):,}",
        "dead": f"{count('dead', 0):,}",
        "sent": f"{count('sent', 0):,}",
        "dlq": _known(row.letters),
    }


def _known(number: int | None) -> str:
    return "-" if number is None else f"{number:,}"


def _print(glance: "Glance", *, json: bool) -> None:
    from streamapp.cli.doctor.flaws import dropped_by  # noqa: PLC0415 - slow to import

    if not json:
        out.tell(line for line, _ in status_lines(glance, out.width()))
        return
    out.print_json(
        {
            "queues": [
                {
                    "queue": row.stream,
                    "waiting": row.waiting,
                    "in_flight": row.in_flight,
                    "oldest_seconds": None if row.oldest is None else round(row.oldest, 1),
                    "dead_letters": row.letters,
                    "rate": round(row.rate, 2),
                    "p95_ms": row.p95,
                    **row.counts,
                }
                for row in glance.rows
            ],
            "workers": [
                {"worker": it.worker, "host": it.host, "pid": it.pid, "in_hand": sum(it.in_hand.values())}
                for it in glance.workers
            ],
            "redis_ms": round(glance.redis_ms, 2),
            "tracked": dict(glance.tracked),
            "tap_dropped": dropped_by(glance.workers),
        }
    )
