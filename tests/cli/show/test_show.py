"""`streamapp show`: what is known of one order."""

import json

import pytest

from rigs.inprocess import call, here
from rigs.shop import Sample, Shop
from rigs.terminal import Terminal, environment, record, write_records
from streamapp.observe.tap_record import Effect


async def test_an_unknown_order_is_exit_code_4(shop: Shop) -> None:
    """Scripts depend on it."""
    shown = await call(shop.env, "show", "9999")
    no_text = await call(shop.env, "show", "\udcff")

    assert shown.returncode == 4
    assert shown.stderr == "pedido #9999 is not known\n"
    assert (no_text.returncode, no_text.stderr) == (4, "pedido #\\udcff is not known\n")


async def test_what_is_stored_is_shown_even_without_records_in_the_tap(shop: Shop) -> None:
    """The tap keeps records for a short time, the state stays."""
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


def test_a_product_with_the_number_of_an_order_is_not_shown_with_it(redis_url: str, prefix: str) -> None:
    """Both are numbered from 1, so in a new shop most orders share their number with a product."""
    env = environment(redis_url, f"{prefix}:")
    made = (Effect("produto", "1", {"nome": (None, "Suco")}),)
    write_records(
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


@pytest.mark.parametrize(("columns", "rows"), [(70, 2), (200, 1)])
def test_an_event_is_one_line_and_on_a_narrow_terminal_its_text_stands_below(
    redis_url: str, prefix: str, columns: int, rows: int
) -> None:
    """A narrow terminal has no room for its id, nor for what it changed beside the rest."""
    env = environment(redis_url, f"{prefix}:")
    sent = record(7, "acompanhamento-events", event_type="acompanhamento_atualizado", message_id="abcdefghi")
    write_records(redis_url, env["STREAMAPP_KEY_PREFIX"], [sent])
    with Terminal(["show", "7"], env, columns=columns) as terminal:
        assert terminal.ended() == 0

    told = [row for row in terminal.rows if row.startswith("  ")]
    assert len(told) == rows + 1, "and the line that counts"
    assert "attempt 1" in told[0]
    assert ("abcdefgh" in told[0]) == (columns == 200)
