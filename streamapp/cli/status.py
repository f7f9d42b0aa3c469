"""`streamapp status`: queues and workers at a glance."""

import sys
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from streamapp.cli import out, setup
from streamapp.cli.text import printable

if TYPE_CHECKING:
    from streamapp.app import App
    from streamapp.cli.glance import Glance, Row
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
    watch: Annotated[bool, typer.Option("-w", "--watch", help="Look again every 2 s, until Ctrl-C.")] = False,
    json: setup.JsonOption = False,
    app: setup.AppOption = setup.DEFAULT_APP,
) -> None:
    """Show what waits in each queue, what is in hand, how fast it goes, and which workers are there.

    Counts are of the workers that are there, rate and p95 of the last minute in the tap.
    """
    import anyio  # noqa: PLC0415 - slow to import

    out.say_soon("looking …")
    config = setup.load_config()
    anyio.run(_status, setup.load_app(app), config, watch, json)


async def _status(app: "App", config: "Config", watch: bool, json: bool) -> None:
    from anyio import sleep  # noqa: PLC0415 - slow to import

    from streamapp.cli.glance import Glancer  # noqa: PLC0415 - slow to import

    async with setup.open_sqs() as sqs, setup.open_store(config) as store, setup.open_taps(config) as taps:
        glancer = Glancer(app, config, sqs, store, taps)
        if json or not watch:
            _print(await glancer.look(), json=json)
        elif not sys.stdout.isatty():
            while True:
                _print(await glancer.look(), json=json)
                await sleep(EVERY)
        else:
            from rich.live import Live  # noqa: PLC0415 - slow to import
            from rich.text import Text  # noqa: PLC0415

            from streamapp.cli.screen import console  # noqa: PLC0415 - slow to import

            with Live(Text("…"), console=console(), auto_refresh=False) as live:
                while True:
                    lines = [*status_lines(await glancer.look()), time.strftime("%H:%M:%S")]
                    live.update(Text("\n".join(lines), no_wrap=True, overflow="ellipsis"), refresh=True)
                    await sleep(EVERY)


def status_lines(glance: "Glance") -> Iterator[str]:
    """Answer a table of the queues, and a line about the rest."""
    from streamapp.cli.columns import aligned  # noqa: PLC0415 - slow to import

    head = (
        "queue",
        "waiting",
        "in flight",
        "oldest",
        "rate/s",
        "p95 ms",
        "ok",
        "dup",
        "skip",
        "retry",
        "dead",
        "sent",
        "dlq",
    )
    yield from aligned([head, *(_row(row) for row in glance.rows)])
    names = ", ".join(worker.worker for worker in glance.workers)
    workers = f"workers {len(glance.workers)} ({names})" if names else "no worker is there"
    tracked = " · ".join(f"{table} {number:,}" for table, number in glance.tracked.items())
    yield printable(f"{workers} · redis {glance.redis_ms:.1f} ms · {tracked}")


def _row(row: "Row") -> Sequence[str]:
    from streamapp.cli.age import duration  # noqa: PLC0415 - slow to import

    counts = row.counts
    words = ("ok", "duplicate", "skipped", "retry", "dead", "sent")
    return (
        f"→ {row.stream}" if row.is_sink else row.stream,
        _known(row.waiting),
        _known(row.in_flight),
        "-" if row.oldest is None else duration(row.oldest * 1000),
        f"{row.rate:.1f}",
        "-" if row.p95 is None else f"{row.p95:.0f}",
        *(f"{counts.get(word, 0):,}" for word in words),
        _known(row.letters),
    )


def _known(number: int | None) -> str:
    return "-" if number is None else f"{number:,}"


def _print(glance: "Glance", *, json: bool) -> None:
    if not json:
        out.tell(status_lines(glance))
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
        }
    )
