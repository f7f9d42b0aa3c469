"""Make the pictures of this folder: what the commands show of a real worker's work, drawn by rich as SVG."""

import json
import os
import sys
from pathlib import Path

import anyio
from rich.console import Console
from rich.text import Text

import streamapp_agents
from streamapp.assembly import assemble
from streamapp.aws import open_aws
from streamapp.cli.embedded import local_aws, redis_server, sqs_server
from streamapp.cli.queues import create_queues
from streamapp.cli.tail_line import Layout, line
from streamapp.cli.tail_screen import style_of
from streamapp.cli.tailing import Counts, bar
from streamapp.config import Config
from streamapp.delivery import Outgoing
from streamapp.redis_store import open_redis
from streamapp.redis_tap import open_tap
from streamapp.tally import Tally
from streamapp.tap import Tap
from streamapp.tap_reader import TapReader
from streamapp.tap_record import TapRecord
from streamapp.worker import Worker

FOLDER = Path(__file__).parent
SAMPLES = FOLDER.parent / "tests" / "data" / "messages.jsonl"
LINES = 24


async def work(config: Config) -> list[TapRecord]:
    """Let a worker process the samples; answer what it told the tap."""
    async with (
        open_aws() as aws,
        open_redis(config.redis_url) as store,
        open_tap(config.redis_url, config.key_prefix) as taps,
    ):
        await create_queues(streamapp_agents.app, config, aws)
        for text in SAMPLES.read_text().splitlines():
            sample = json.loads(text) if text else {"body": ""}
            if sample["body"]:
                await aws.send(await aws.find(sample["queue"]), [Outgoing(sample["body"])])
        tally = Tally()
        parts = await assemble(
            streamapp_agents.app, config, aws, store, tally, longest_wait=0.0, tap=Tap(taps, tally)
        )
        await Worker(parts).run(idle=0.5)
        reader = TapReader(taps)
        await reader.open()
        return await reader.history(last=LINES)


def draw_tail(records: list[TapRecord]) -> None:
    """Draw what `streamapp tail` shows of *records*."""
    console = Console(record=True, width=150, file=open(os.devnull, "w"), force_terminal=True)  # noqa: PTH123, SIM115 - nowhere
    layout = Layout(clock="utc", now=records[-1].done_ms / 1000)
    for _ in range(2):  # once for the widths of the columns
        shown = [line(record, layout) for record in records]
    for pieces in shown:
        console.print(
            Text.assemble(
                *((piece, style_of(what)) for piece, what in pieces), no_wrap=True, overflow="ellipsis"
            )
        )
    counts = Counts()
    counts.add(records, 0.0)
    console.print(Text(f"▌ {bar('4 queues', ['waiting 0', 'in flight 0'], counts, 0.0)}", style="reverse"))
    console.save_svg(str(FOLDER / "tail.svg"), title="streamapp tail")


def main() -> None:
    """Make all pictures."""
    with redis_server() as redis_url, sqs_server() as endpoint:
        os.environ.update({**local_aws(endpoint), "REDIS_URL": redis_url})
        draw_tail(anyio.run(work, Config.load(os.environ)))
    sys.stdout.write("docs/tail.svg\n")


if __name__ == "__main__":
    main()
