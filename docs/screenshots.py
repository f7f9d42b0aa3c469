"""Draw the pictures of this folder as SVG: what the commands show while a real worker works."""

import json
import os
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
from anyio import create_task_group
from rich.console import Console
from rich.text import Text

import streamapp_agents
from streamapp.cli.board.drawing import BoardDrawing
from streamapp.cli.demo.servers import local_aws, redis_server, sqs_server
from streamapp.cli.doctor.checkup import Checkup, Finding
from streamapp.cli.doctor.report import FindingPrinter
from streamapp.cli.setup import sources_of
from streamapp.cli.tail.buffer import RecordBuffer
from streamapp.cli.tail.lines import LineLayout, line
from streamapp.cli.tail.screen import style_of
from streamapp.config import Config
from streamapp.declared.boards import Card
from streamapp.declared.traffic import Traffic
from streamapp.messages import Outgoing
from streamapp.observe.counters import Counters
from streamapp.observe.tap_reader import TapReader
from streamapp.observe.tap_record import TapRecord
from streamapp.observe.tap_writer import Tap
from streamapp.redis.store import open_redis
from streamapp.redis.tap import open_tap
from streamapp.sqs.boto import open_aws
from streamapp.sqs.queue_setup import create_queues
from streamapp.testing import MemorySqs
from streamapp.web.board_reader import BoardReader
from streamapp.worker.assembly import assemble
from streamapp.worker.worker import Worker
from streamapp_agents.telas.exemplos import pagamento_atualizado, pedido_criado, pedido_status_atualizado

FOLDER = Path(__file__).parent
LINES = 20
PACE = 0.03
"""Seconds between two messages of the tail's picture."""
LUNCH = [
    (1, "Recebido"),
    (4, "Em preparação"),
    (24, "Em preparação"),
    (50, "Em preparação"),
    (0.5, "Pronto"),
    (6, "Pronto"),
]
"""Minutes since an order was made, and how far it has come."""
MENU = [
    [{"id": 1, "nome": "X-Burger", "categoria": "LANCHE", "quantidade": 2}],
    [
        {"id": 2, "nome": "X-Salada", "categoria": "LANCHE", "quantidade": 1},
        {"id": 7, "nome": "Suco", "quantidade": 1},
    ],
    [{"id": 3, "nome": "X-Tudo", "categoria": "LANCHE", "quantidade": 3}],
]


async def work(config: Config) -> list[TapRecord]:
    """Run a worker on a little traffic; return the last records that it wrote to the tap."""
    app, sqs, tally = streamapp_agents.app, MemorySqs(), Counters()
    await create_queues(sqs, config, sources=sources_of(app), sinks=app.sinks)
    traffic = app.extras.scenario(Traffic(subjects=6, seed=7, duplicates=0.1, reorder=0.1, invalid=0.05))
    async with (
        open_redis(config.redis_url) as store,
        open_tap(config.redis_url, config.key_prefix) as taps,
        create_task_group() as tasks,
    ):
        parts = await assemble(
            app.registry, config, sqs, store, tally, longest_wait=1.0, tap=Tap(taps, tally)
        )
        worker = Worker(parts)
        await tasks.start(worker.run)
        for message in traffic.messages:
            await sqs.send(await sqs.find(message.queue), [Outgoing(message.body)])
            await anyio.sleep(PACE)
        await anyio.sleep(1)
        worker.stop()
        reader = TapReader(taps)
        await reader.open()
        return await reader.history(last=LINES)


def draw_tail(records: list[TapRecord]) -> None:
    """Draw what `streamapp tail` shows of *records*."""
    console = Console(record=True, width=150, file=open(os.devnull, "w"), force_terminal=True)  # noqa: PTH123, SIM115 - nowhere
    layout = LineLayout(time_form="utc", now=records[-1].done_ms / 1000)
    layout.fit(records)
    for pieces in [line(record, layout) for record in records]:
        text = Text.assemble(*((piece, style_of(what)) for piece, what in pieces))
        console.print(text, no_wrap=True, overflow="ellipsis")
    buffer = RecordBuffer(limited=False)
    buffer.counts.add(records, time.monotonic())
    bar = buffer.bar("4 queues", ["waiting 0", "in flight 0"], console.width - 2)
    console.print(Text(f"▌ {bar}", style="reverse"))
    console.save_svg(str(FOLDER / "tail.svg"), title="streamapp tail")


async def serve_lunch(config: Config) -> dict[str, list[Card]]:
    """Run a worker on a small lunch and one bad message; return the cards of the kitchen's board."""
    now = datetime.now(UTC)
    async with open_aws() as aws, open_redis(config.redis_url) as store:
        await create_queues(
            aws, config, sources=sources_of(streamapp_agents.app), sinks=streamapp_agents.app.sinks
        )
        for number, (minutes, status) in enumerate(LUNCH, 1041):
            at = now - timedelta(minutes=minutes)
            for event, changes in (
                (pedido_criado, {"id_pedido": number, "produtos": MENU[number % len(MENU)]}),
                (pagamento_atualizado, {"id_pedido": str(number), "id_pagamento": number}),
                (pedido_status_atualizado, {"id_pedido": number, "status": status}),
            ):
                body = event(at)
                body = {**body, "data": {**body["data"], **changes}}
                queue = await aws.find(
                    "pagamento-events" if event is pagamento_atualizado else "pedido-events"
                )
                await aws.send(queue, [Outgoing(json.dumps(body))])
        await aws.send(await aws.find("pedido-events"), [Outgoing("not json")])
        await aws.create("produto-events", {"RedrivePolicy": ""})
        parts = await assemble(
            streamapp_agents.app.registry, config, aws, store, Counters(), longest_wait=0.0
        )
        await Worker(parts).run(idle=0.5)
        board = streamapp_agents.app.extras.boards[0]
        start = streamapp_agents.app.tables[board.table].folding.keys_prefix(config.key_prefix)
        return await BoardReader(board, store, start).look()


def draw_board(columns: dict[str, list[Card]]) -> None:
    """Draw the kitchen's board."""
    console = Console(record=True, width=140, height=12, file=open(os.devnull, "w"), force_terminal=True)  # noqa: PTH123, SIM115 - nowhere
    console.print(BoardDrawing(streamapp_agents.app.extras.boards[0], columns, (None, None)), height=12)
    console.save_svg(str(FOLDER / "board.svg"), title="streamapp board")


def draw_doctor(config: Config) -> None:
    """Draw the findings of the doctor on queues that somebody has changed by hand."""
    findings: list[Finding] = []
    anyio.run(Checkup(streamapp_agents.app, config, findings.append).run)
    console = Console(record=True, width=120, file=open(os.devnull, "w"), force_terminal=True)  # noqa: PTH123, SIM115 - nowhere
    printer = FindingPrinter(console)
    for finding in findings:
        printer.print(finding)
    printer.sum_up(findings)
    console.save_svg(str(FOLDER / "doctor.svg"), title="streamapp doctor")


def main() -> None:
    """Make all pictures."""
    with redis_server() as redis_url, sqs_server() as endpoint:
        os.environ.update({**local_aws(endpoint), "REDIS_URL": redis_url})
        config = Config.load(os.environ)
        draw_board(anyio.run(serve_lunch, config))
        draw_doctor(config)
    with redis_server() as redis_url:
        draw_tail(anyio.run(work, Config(redis_url=redis_url)))
    sys.stdout.write("docs/board.svg docs/doctor.svg docs/tail.svg\n")


if __name__ == "__main__":
    main()
