"""Row 32: with 2,000 hostile texts in state, tap, presence, dead letters, settings and arguments no command lets one act."""

import contextlib
import io
import json
import logging
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import anyio
import pytest
from anyio.from_thread import start_blocking_portal

import redis
from faults.hostile import hostile, is_harmless
from faults.letters import Letters
from rigs.inprocess import call
from rigs.shop import Sample, Shop
from rigs.terminal import Terminal, record, write_records
from streamapp.cli.demo.servers import local_aws
from streamapp.cli.terminal import logs
from streamapp.config import Config
from streamapp.messages import Outgoing
from streamapp.observe.presence import Presence
from streamapp.redis.store import open_redis
from streamapp.sqs.boto import open_aws
from streamapp.state.store import Commit
from streamapp.testing import MemorySqs
from streamapp.testing.sqs.server import serve

TEXTS = hostile(2_000)
ILL = "\x1b[2J\x1b]52;c;aGk\x07\u202e\x9b31m\u2028"
ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
OURS = re.compile(rb"\x1b(?:\[[0-9;]*m|\[2K|\[1A|\[H|\[\?25[lh]|\[\?1049[lh])|\r")
"""The control sequences that rich writes to redraw in place."""

ILL_KIND = ["send", "QUEUE", json.dumps({"event_type": ILL})]
MUTE = (ILL_KIND, ["dlq", "redrive", "QUEUE", "--try"], ["config"])
"""Commands that show none of the texts."""

ORDERS = 200
EACH = len(TEXTS) // ORDERS


@dataclass
class World:
    """A shop in which every text from outside is hostile, and the log of its worker."""

    env: dict[str, str] = field(default_factory=dict[str, str])
    queue: str = ""
    log: dict[str, str] = field(default_factory=dict[str, str])


@pytest.fixture(scope="module")
def world(redis_url: str) -> Iterator[World]:
    """One world for all commands; none of them changes it."""
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(serve(MemorySqs())) as endpoint,
        pytest.MonkeyPatch.context() as patch,
    ):
        for name, value in local_aws(endpoint).items():
            patch.setenv(name, value)
        made = World()
        anyio.run(_fill, made, redis_url)
        yield made


@pytest.fixture(autouse=True)
def poison(letters: Letters) -> None:
    """Any of the hostile bodies may be a dead letter: most of them are no events."""
    letters.may_die(*_bodies())


async def _fill(world: World, redis_url: str) -> None:
    async with open_aws() as aws:
        shop = Shop(aws, redis_url, f"h{os.urandom(4).hex()}")
        await shop.open()
        world.env, world.queue = shop.env, shop.names["pedido-events"]
        for form in ("console", "json"):
            await shop.send([Sample("pedido-events", body, "") for body in _bodies()[:100]])
            world.log[form] = await _worked_off(shop, form)
        async with open_redis(redis_url) as store:
            commits = [
                Commit(f"{shop.key_prefix}acompanhamento:{n}", "", "t", _order(n)) for n in range(ORDERS)
            ]
            await store.commit(commits)
        records = []
        for n in range(ORDERS):
            texts = TEXTS[n * EACH : (n + 1) * EACH]
            effect = {"table": "acompanhamento", "key": "7", "fields": {texts[0]: [texts[1], texts[2]]}}
            about = dict(
                zip(("message_id", "event_type", "reason", "detail", "worker"), texts[3:8], strict=True)
            )
            records.append(record(n, world.queue, key="7", **about))
            records.append(record(n, texts[8], key=texts[9], effects=[effect]))
        write_records(redis_url, shop.key_prefix, records)
        with redis.Redis.from_url(redis_url) as client:
            client.hset(f"{shop.key_prefix}workers", mapping={text: _presence(text) for text in TEXTS[:200]})
        letters = await aws.find(f"{world.queue}-dlq")
        for start in range(0, ORDERS, 10):
            bodies = _bodies()[start : start + 10]
            await aws.send(letters, [Outgoing(it, _attributes(start + n)) for n, it in enumerate(bodies)])
        await shop.close()


def _order(number: int) -> dict[str, str]:
    """Return the hash of an order that is in one of the columns of the boards."""
    texts = TEXTS[number * EACH : (number + 1) * EACH]
    items = [{"id_produto": text, "nome": text, "categoria": text, "quantidade": 1} for text in texts]
    return {
        "id_pedido": texts[0],
        "conhecido": "1",
        "status": ("Em preparação", "Pronto", "Recebido")[number % 3],
        "status_pagamento": "pago" if number % 2 else texts[1],
        "cliente": texts[2],
        "itens": json.dumps(items),
        "total": texts[3],
        "tempo_estimado": texts[4],
        "atualizado_em": texts[5],
        "alertas": json.dumps(texts[6:8]),
        texts[9]: texts[8],
    }


def _bodies() -> list[str]:
    """Return bodies that SQS accepts: JSON can escape every character."""
    found = []
    for n in range(ORDERS):
        texts = TEXTS[n * EACH : (n + 1) * EACH]
        data = {
            "id_pedido": texts[0] if n % 2 else n,
            "status": texts[1],
            texts[2]: texts[3],
            "produtos": [texts[4]],
        }
        body = {"event_type": texts[5] if n % 3 else "pedido_criado", "data": data, texts[6]: texts[7]}
        found.append(json.dumps(body, ensure_ascii=n % 4 == 0) if n % 5 else texts[8])
    return [ILLEGAL.sub("", body) or '"\\ud83d"' for body in found]


def _attributes(number: int) -> dict[str, str]:
    texts = TEXTS[number * EACH : (number + 1) * EACH]
    source = {"queue": texts[0], "message_id": texts[1], "receive_count": 3}
    return {
        "streamapp-reason": ILLEGAL.sub("", texts[2]) or "-",
        "streamapp-detail": ILLEGAL.sub("", texts[3]) or "-",
        "streamapp-source": json.dumps(source),
    }


def _presence(text: str) -> bytes:
    said = Presence(
        worker=text,
        host=text,
        pid=1,
        started=0.0,
        said=4e9,
        queues=(text,),
        in_hand={text: 1},
        counts={text: {"ok": 1}},
    )
    return said.encode()


async def _worked_off(shop: Shop, form: str) -> str:
    """Work as `streamapp worker` does, and return its log."""
    root, told = logging.getLogger(), io.StringIO()
    before = root.handlers[:], root.level
    try:
        with contextlib.redirect_stderr(told):
            logs.set_up(Config.load(shop.env | {"LOG_FORMAT": form, "LOG_LEVEL": "debug"}))
        await shop.process()
        for text in TEXTS:
            logging.getLogger("streamapp.hostile").warning(
                "%s", text, extra={"detail": text, "key": "\ud83d"}
            )
    finally:
        root.handlers, root.level = before
    return told.getvalue()


def check(written: str, what: object) -> None:
    """Check that no control sequence was written."""
    for line in written.split("\n"):
        assert is_harmless(line), (what, line[:200])


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["show", "7"], 0),
        (["show", ILL], 4),
        (["show", "7", "--table", ILL], 2),
        (["status"], 0),
        (["board", "--once"], 0),
        (["board", "cliente", "--once"], 0),
        (["board", ILL], 2),
        (["dlq", "ls", "QUEUE"], 0),
        (["dlq", "ls", ILL], 2),
        (["dlq", "show", "QUEUE", "-n", "1000"], 0),
        (["dlq", "show", "QUEUE", "-n", "1000", "--raw"], 0),
        (["dlq", "redrive", "QUEUE", "--try"], 0),
        (["doctor"], 0),
        (["config"], 0),
        (ILL_KIND, 2),
        (["send", ILL, "{}"], 2),
        (["send", "QUEUE", "--example", ILL], 2),
        (["send", "QUEUE", "{}", "--set", ILL], 2),
        (["schema", "--format", "jsonschema", ILL], 2),
        (["worker", "--agents", ILL], 2),
        (["worker", "--app", f"{ILL}:{ILL}"], 2),
    ],
    ids=lambda it: " ".join(it).replace(ILL, "ILL") if isinstance(it, list) else str(it),
)
async def test_no_control_sequence_is_written_to_a_pipe(
    world: World, arguments: list[str], code: int
) -> None:
    """What is piped is shown on a terminal in the end."""
    shown = await call(world.env, *(world.queue if it == "QUEUE" else it for it in arguments))

    assert shown.returncode == code, shown.stderr[-500:]
    assert (r"\x" in shown.stdout + shown.stderr) is (arguments not in MUTE), "they are seen"
    check(shown.stdout, arguments)
    check(shown.stderr, arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        ["show", "7"],
        ["status"],
        ["board"],
        ["board", "cliente"],
        ["dlq", "ls", "QUEUE"],
        ["dlq", "show", "QUEUE", "-n", "1000", "--raw"],
        ["dlq", "redrive", "QUEUE", "--try"],
        ["doctor"],
        ["config"],
    ],
    ids=" ".join,
)
async def test_json_is_ascii(world: World, arguments: list[str]) -> None:
    """A program gets the text back unchanged, and a terminal gets no control sequence."""
    shown = await call(world.env, *(world.queue if it == "QUEUE" else it for it in arguments), "--json")

    assert json.loads(shown.stdout)
    assert shown.stdout.isascii()
    check(shown.stdout, arguments)


@pytest.mark.parametrize("command", ["config", "doctor", "status", "worker", "queues create"])
async def test_hostile_settings_are_shown_as_text(world: World, command: str) -> None:
    """The person who sets a task's environment need not be the one who reads its log."""
    ill = {
        "STREAMAPP_" + ILL: ILL,
        "STREAMAPP_DRAIN_TIMEOUT": ILL,
        "AWS_REGION_" + ILL: ILL,
        "LOG_LEVEL": ILL,
    }

    wrong = await call(world.env | ill, *command.split())
    named = await call(
        world.env | {"PEDIDO_QUEUE_URL": ILL, "STREAMAPP_" + ILL: ILL}, *command.split(), "--json"
    )

    assert wrong.returncode == 2
    check(wrong.stdout + wrong.stderr, command)
    check(named.stdout + named.stderr, command)


@pytest.mark.parametrize("form", ["console", "json"])
def test_a_log_is_one_harmless_line_each(world: World, form: str) -> None:
    """It ends on the terminal of the person on call."""
    lines = world.log[form].splitlines()

    check(world.log[form], form)
    assert sum("streamapp.hostile" in line or "WARNING" in line for line in lines) >= len(TEXTS)
    if form == "json":
        assert {json.loads(line)["message"] for line in lines} >= set(TEXTS)


@pytest.mark.parametrize("arguments", [["board"], ["board", "cliente"], ["status", "-w"]], ids=" ".join)
def test_hostile_texts_do_nothing_on_a_terminal(
    world: World, arguments: list[str], figure: Callable[[str], None]
) -> None:
    """No title, no clipboard, no link, no cursor movement except the program's own."""
    with Terminal(arguments, world.env, columns=200, lines=50) as terminal:
        terminal.until_screen(lambda text: "\\x1b" in text or "\\x9b" in text or "#" in text)
        terminal.press("\x03")
        assert terminal.ended() == 130

        rest = OURS.sub(b"", terminal.raw)
        check(rest.decode().replace("^C", ""), arguments)
        assert terminal.screen.title == ""
        figure(f"{' '.join(arguments)}: {len(terminal.raw):,} bytes written, 0 of them theirs")
