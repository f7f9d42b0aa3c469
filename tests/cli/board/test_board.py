"""`streamapp board`, on a real terminal and in a pipe."""

import json
import re
from datetime import UTC, datetime, timedelta

from rigs.inprocess import call
from rigs.shop import Sample, Shop
from rigs.terminal import Terminal
from streamapp.redis.store import RedisStore
from streamapp.state.store import Commit


def event(kind: str, **data: object) -> str:
    """An event in the usual envelope."""
    return json.dumps({"event_type": kind, "data": data})


def ago(minutes: float) -> str:
    """The time so many minutes ago, as on the wire."""
    return (datetime.now(UTC) - timedelta(minutes=minutes)).isoformat()


def order(number: int, minutes: float, name: str = "X-Burger") -> list[Sample]:
    """An order that was created and paid so many minutes ago."""
    items = [{"id": 1, "nome": name, "categoria": "LANCHE", "quantidade": 2, "preco": 20}]
    made = event(
        "pedido_criado", id_pedido=number, cliente="52998224725", produtos=items, criado_em=ago(minutes)
    )
    paid = event(
        "pagamento_atualizado",
        id_pagamento=number,
        id_pedido=number,
        status="pago",
        data_criacao=ago(minutes),
    )
    return [Sample("pedido-events", made, ""), Sample("pagamento-events", paid, "")]


def ready(number: int, minutes: float, status: str = "Pronto") -> Sample:
    """A status from the kitchen."""
    body = event("pedido_status_atualizado", id_pedido=number, status=status, atualizado_em=ago(minutes))
    return Sample("pedido-events", body, "")


async def test_once_prints_the_board_as_a_plain_table_for_pipes(shop: Shop) -> None:
    """`grep Pronto` must work."""
    await shop.send(
        [*order(7, 40), *order(8, 2), *order(9, 30), ready(9, 0.2), *order(10, 5), ready(10, 1, "Finalizado")]
    )
    await shop.process()

    shown = await call(shop.env, "board", "--once")
    with Terminal(["board", "--once"], shop.env, columns=40) as terminal:
        assert terminal.ended() == 0

    narrow = [row for row in terminal.rows if row]
    assert [row.startswith("      ") and row.endswith(" X-Burger") for row in narrow] == [False, True] * 3
    assert shown.returncode == 0, shown.stderr
    assert "\x1b" not in shown.stdout
    rows = [re.split(" {2,}", line) for line in shown.stdout.splitlines()]
    assert [(row[0], row[1].strip()) for row in rows] == [
        ("Pronto", "#9"),
        ("Em preparação", "#7"),
        ("Em preparação", "#8"),
    ]
    assert " X-Burger" in shown.stdout
    assert [("ATRASADO" in line) for line in shown.stdout.splitlines()] == [False, True, False]


async def test_the_customers_board_shows_only_numbers(shop: Shop) -> None:
    """What a customer ordered is not for everybody in the room."""
    await shop.send([*order(7, 1), *order(9, 3), ready(9, 1)])
    await shop.process()

    shown = await call(shop.env, "board", "cliente", "--json")

    assert json.loads(shown.stdout)["board"] == "cliente"
    assert [card["key"] for card in json.loads(shown.stdout)["columns"]["Pronto"]] == ["9"]
    assert "X-Burger" not in shown.stdout
    assert "982" not in shown.stdout


async def test_an_unknown_board_is_refused_with_the_names_of_the_known_ones(shop: Shop) -> None:
    """A typo must not lead to an empty screen."""
    shown = await call(shop.env, "board", "cozina", "--once")

    assert shown.returncode == 2
    assert "cozinha, cliente" in shown.stderr


async def test_the_board_on_a_terminal_follows_the_orders_and_adapts_to_the_width(shop: Shop) -> None:
    """In a kitchen the screen may have any size."""
    await shop.send([*order(7, 1), *order(8, 50)])
    await shop.process()

    with Terminal(["board"], shop.env | {"COLUMNS": "33", "LINES": "3"}, columns=120, lines=20) as terminal:
        wide = terminal.until_screen(lambda text: "#7" in text and "#8" in text and "PRONTO (0)" in text)
        await shop.send([ready(7, 0.1)])
        await shop.process()
        moved = terminal.until_screen(lambda text: "PRONTO (1)" in text and "novo" in text)
        terminal.resize(40, 30)
        narrow = terminal.until_screen(lambda text: sum("(" in line for line in text.splitlines()) == 3)
        terminal.press("q")
        code = terminal.ended()

    assert "LANCHONETE · cozinha" in wide
    assert "ao vivo" in wide
    assert "ATRASADO" in wide
    assert "EM PREPARAÇÃO (2)" in wide
    assert "EM PREPARAÇÃO (1)" in moved
    assert "novo" in moved
    assert "PRONTO (1)" in narrow, "one below the other"
    assert max(map(len, narrow.splitlines())) <= 40
    assert code == 0
    assert terminal.raw.count(b"\x1b[?25l") == terminal.raw.count(b"\x1b[?25h"), "and the cursor with it"
    assert terminal.raw.count(b"\x1b[?1049h") == terminal.raw.count(b"\x1b[?1049l") == 1, (
        "the screen is given back"
    )


async def test_names_from_outside_cannot_control_the_terminal(shop: Shop, store: RedisStore) -> None:
    """Another program may have written anything into a hash."""
    evil = "\x1b[2J\x1b]52;c;aGk=\x07[red]:smile:\u202e"
    fields = {
        "conhecido": "1",
        "status": "Pronto",
        "status_pagamento": "pago",
        "itens": json.dumps([{"nome": evil, "quantidade": 1}]),
        "_t": "t",
    }
    await store.commit([Commit(f"{shop.key_prefix}acompanhamento:7", "", "t", fields)])

    once = (await call(shop.env, "board", "--once")).stdout
    with Terminal(["board"], shop.env, columns=240) as terminal:
        shown = terminal.until_screen(lambda text: "#7" in text and "smile" in text)
        terminal.press("\x03")
        terminal.ended()

    assert r"\x1b[2J\x1b]52;c;aGk=\x07[red]:smile:\u202e" in once
    assert r"\x1b[2J\x1b]52;c;aGk=\x07[red]:smile:\u202e" in shown
    assert b"\x1b]52" not in terminal.raw
