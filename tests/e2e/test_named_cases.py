"""Ordinary inputs that the tracking service before this one got wrong, each through real queues."""

import json
from typing import Any

import pytest

from rigs.shop import Sample, Shop


def order(id_pedido: int, *items: tuple[int, int, float], cliente: str | None = None) -> Sample:
    """An order's creation, with items of (product, quantity, price)."""
    produtos = [{"id": product, "quantidade": quantity, "preco": price} for product, quantity, price in items]
    data = {
        "id_pedido": id_pedido,
        "cliente": cliente,
        "produtos": produtos,
        "status": "Recebido",
        "criado_em": "2025-07-28T15:00:00",
    }
    return event("pedido-events", "pedido_criado", data)


def paid(id_pedido: int, status: str, id_pagamento: int = 1) -> Sample:
    """An event of the payment service. Both events of a payment have the same time."""
    data = {
        "id_pagamento": id_pagamento,
        "id_pedido": str(id_pedido),
        "valor": "10",
        "status": status,
        "data_criacao": "2025-07-28T15:00:20.123456",
    }
    return event("pagamento-events", "pagamento_atualizado", data)


def cooked(id_pedido: int, status: str) -> Sample:
    """A status from the kitchen."""
    data = {"id_pedido": id_pedido, "status": status, "atualizado_em": "2025-07-28T15:20:00"}
    return event("pedido-events", "pedido_status_atualizado", data)


def product(id_produto: int, categoria: str, minutes: int | None, time: str) -> Sample:
    """A product from the catalogue."""
    data = {
        "id_produto": id_produto,
        "nome": "Batata",
        "categoria": categoria,
        "preco": "6.00",
        "tempo_preparo": minutes,
        "atualizado_em": time,
    }
    return event("produto-events", "produto_atualizado", data)


def event(queue: str, kind: str, data: dict[str, Any]) -> Sample:
    """One event in the envelope of the producers at hand."""
    return Sample(queue, json.dumps({"event_type": kind, "data": data}), "applied")


async def state_after(shop: Shop, *steps: Sample) -> dict[str, dict[str, str]]:
    """Process each step before the next is sent; return the orders."""
    for step in steps:
        await shop.send([step])
        await shop.process()
    return await shop.hashes("acompanhamento")


async def test_a_payment_before_its_order_waits_for_it(shop: Shop) -> None:
    """If it were deleted, the customer would have paid for nothing."""
    orders = await state_after(shop, paid(1, "Recebido"), order(1, (7, 1, 18.0)))

    assert orders["1"]["status_pagamento"] == "pago"
    assert orders["1"]["status"] == "Em preparação"
    (announcement,) = await shop.announcements()
    assert announcement["data"]["status_anterior"] is None
    assert announcement["data"]["versao"] == 1


async def test_a_late_pendente_does_not_undo_a_payment(shop: Shop) -> None:
    """Two events of one payment have the same time, so only their rank can order them."""
    orders = await state_after(shop, order(1, (7, 1, 18.0)), paid(1, "Recebido"), paid(1, "Pendente"))

    assert orders["1"]["status_pagamento"] == "pago"


async def test_a_repeated_status_is_absorbed(shop: Shop) -> None:
    """It must not be a poison message."""
    orders = await state_after(
        shop, order(1, (7, 1, 18.0)), cooked(1, "Em preparação"), cooked(1, "em preparacao")
    )

    assert orders["1"]["status"] == "Em preparação"
    assert await shop.letters() == []
    assert len(await shop.announcements()) == 2


async def test_an_anonymous_customer_is_no_customer(shop: Shop) -> None:
    """Most people do not give their CPF."""
    orders = await state_after(shop, order(1, (7, 1, 18.0), cliente=""))

    assert "cliente" not in orders["1"]
    assert orders["1"]["conhecido"] == "1"


async def test_two_orders_with_one_product_are_both_estimated_anew(shop: Shop) -> None:
    """A change in the catalogue concerns every order with the product."""
    orders = await state_after(
        shop,
        order(1, (7, 1, 6.0)),
        order(2, (7, 2, 6.0)),
        product(7, "Acompanhamento", 10, "2025-07-28T14:00:00Z"),
    )

    assert orders["1"]["tempo_estimado"] == "00:25:00"
    assert orders["2"]["tempo_estimado"] == "00:35:00"


async def test_quantities_count_in_totals(shop: Shop) -> None:
    """Two of a product cost twice as much as one."""
    orders = await state_after(shop, order(1, (7, 2, 22.5), (8, 1, 6.0)))

    assert orders["1"]["total"] == "51.00"


@pytest.mark.parametrize("first", [True, False], ids=["product before order", "product after order"])
async def test_a_product_and_an_order_may_come_in_either_order(shop: Shop, first: bool) -> None:
    """Products and orders come from services that do not wait for each other."""
    steps = [product(7, "Bebida", None, "2025-07-28T14:00:00Z"), order(1, (7, 2, 6.0))]

    orders = await state_after(shop, *(steps if first else reversed(steps)))

    assert orders["1"]["tempo_estimado"] == "00:17:00"
    assert json.loads(orders["1"]["itens"]) == [
        {"id_produto": "7", "nome": "Batata", "categoria": "Bebida", "quantidade": 2, "preco": "6.00"}
    ]
