"""The walk-through shows what the commands print."""

import re
import shlex
from pathlib import Path

import pytest

import streamapp_agents
from rigs.inprocess import call
from rigs.shop import Sample, Shop
from streamapp.config import Config
from streamapp.observe.counters import Counters
from streamapp.observe.tap_writer import Tap
from streamapp.redis.store import open_redis
from streamapp.redis.tap import open_tap
from streamapp.worker.assembly import assemble
from streamapp.worker.worker import Worker

DOCS = Path(__file__).parents[2] / "docs"


def steps(page: str) -> list[tuple[list[str], list[str]]]:
    """Each command in the console blocks of a page, with the lines below it."""
    found: list[tuple[list[str], list[str]]] = []
    for block in re.findall(r"```console\n(.*?)```", (DOCS / page).read_text(), re.DOTALL):
        for line in block.splitlines():
            if line.startswith("$ streamapp "):
                found.append((shlex.split(line)[2:], []))
            else:
                found[-1][1].append(line)
    return found


def says(printed: str, line: str) -> bool:
    """Whether *line*, whose `…` stand for anything, was printed."""
    pattern = re.escape(line.rstrip()).replace("…", ".*")
    return any(re.fullmatch(pattern, each) for each in printed.splitlines())


async def work_off(shop: Shop) -> None:
    """Process all messages with a worker in this process, which writes to the tap."""
    config, tally = Config.load(shop.env), Counters()
    async with open_redis(config.redis_url) as store, open_tap(config.redis_url, config.key_prefix) as taps:
        parts = await assemble(
            streamapp_agents.app.registry,
            config,
            shop.aws,
            store,
            tally,
            longest_wait=0.0,
            tap=Tap(taps, tally),
        )
        assert await Worker(parts).run(idle=0.3)


@pytest.mark.timeout(240)
async def test_the_walk_through_leads_from_the_complaint_to_the_cure(shop: Shop) -> None:
    """Its readers have a customer who waits."""
    for example in (
        ["pedido-events", "--example", "pedido_criado"],
        ["pagamento-events", "--example", "pagamento_atualizado"],
    ):
        assert (await call(shop.env, "send", *example)).returncode == 0
    bad = '{"event_type":"pedido_status_atualizado","data":{"numero":1042,"status":"Pronto"}}'
    await shop.send([Sample("pedido-events", bad, "")])
    await work_off(shop)
    walked = steps("why-does-an-order-stand-still.md")
    assert len(walked) == 8

    for command, lines in walked:
        if command[0] == "worker":
            await work_off(shop)  # as the command would, without the start of a process
            continue
        done = await call(shop.env, *command)
        printed = done.stdout
        for name, real in shop.names.items():  # these queues have names of their own
            printed = printed.replace(real, name)
        assert done.returncode == 0, (command, done.stderr)
        for line in lines:
            assert says(printed, line), f"{line!r} is not in\n{printed}"
