"""`streamapp show` and `status`: what is known of one order, and of all queues."""

import json
import re

from rigs.inprocess import call, here
from rigs.shop import Sample, Shop
from rigs.terminal import Terminal, environment, record, tell
from streamapp.observe.tap_record import Effect


async def test_an_order_that_nobody_told_of_is_not_known(shop: Shop) -> None:
    """Scripts branch on it."""
    shown = await call(shop.env, "show", "9999")
    no_text = await call(shop.env, "show", "\udcff")

    assert shown.returncode == 4
    assert shown.stderr == "pedido #9999 is not known\n"
    assert (no_text.returncode, no_text.stderr) == (4, "pedido #\\udcff is not known\n")


async def test_what_is_stored_is_shown_even_where_the_tap_tells_nothing(shop: Shop) -> None:
    """The tap forgets; the state does not."""
    body = '{"event_type":"pagamento_atualizado","data":{"id_pedido":"7","status":"pago"}}'
    await shop.send([Sample("pagamento-events", body, "")])
    await shop.process()

    plain = await call(shop.env, "show", "7")
    found = json.loads((await call(shop.env, "show", "7", "--json")).stdout)

    assert "pagamento pago" in plain.stdout
    assert "ainda sem pedido_criado" in plain.stdout
    assert found["state"]["status_pagamento"] == "pago"
    assert found["events"] == []
    assert not [name for name in found["state"] if name.startswith("_")]


async def test_status_follows_what_waits_until_ctrl_c(shop: Shop) -> None:
    """The terminal is given back as it was, and trouble is seen from afar."""
    await shop.send([Sample("pedido-events", "no json", "")])
    await shop.process()
    with Terminal(["status", "-w"], shop.env, columns=120, lines=20) as terminal:
        before = terminal.until_screen(lambda text: "no worker is there" in text)
        await shop.send([Sample("pedido-events", "{}", "")] * 3)
        terminal.until_screen(
            lambda text: any(line.split()[:2] == ["pedido-events", "3"] for line in text.splitlines())
        )
        terminal.resize(40, 20)
        narrow = terminal.until_screen(lambda text: "waiting" in text and "dlq" in text)
        terminal.press("\x03")
        code = terminal.ended()

    assert "pedido-events" in before
    assert max(map(len, narrow.splitlines())) <= 40, "what tells of trouble stays"
    assert re.search(rb"\x1b\[33mpedido-events ", terminal.raw), "it has a dead letter"
    assert not re.search(rb"\x1b\[33mpagamento-events ", terminal.raw)
    assert code == 130
    assert terminal.raw.count(b"\x1b[?25l") == terminal.raw.count(b"\x1b[?25h")


def test_a_product_is_no_order_though_it_has_the_same_number(redis_url: str, prefix: str) -> None:
    """Both count from 1, so in a new shop each early order would be told with a product's story."""
    env = environment(redis_url, f"{prefix}:")
    made = (Effect("produto", "1", {"nome": (None, "Suco")}),)
    tell(
        redis_url,
        env["STREAMAPP_KEY_PREFIX"],
        [
            record(1, "produto-events", effects=made),
            record(1, "produto-events", outcome="duplicate"),
            record(2, effects=(Effect("acompanhamento", "2", {"status": (None, "Recebido")}),)),
            record(2, outcome="duplicate"),
            record(2, "acompanhamento-events", outcome="sent"),
        ],
    )

    order, other = here(env, "show", "1"), here(env, "show", "2", "--json")
    product = here(env, "show", "1", "--table", "produto", "--json")

    assert order.returncode == 4
    assert order.stderr == "pedido #1 is not known\n"
    assert len(json.loads(other.stdout)["events"]) == 3
    assert len(json.loads(product.stdout)["events"]) == 2
