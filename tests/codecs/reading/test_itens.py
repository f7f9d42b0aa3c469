"""The lines of an order."""

from decimal import Decimal

import pytest

from streamapp_codecs.dominio.eventos import Item


@pytest.mark.parametrize("itens", [[], {}, "X-Salada", 5, [5], [None], [[]], [{"quantidade": 0, "id": 1}]])
def test_items_that_are_none_are_invalid(reason, itens) -> None:
    """Half an order is worse than a dead letter."""
    assert (
        reason({"event_type": "pedido_criado", "data": {"id_pedido": 1, "itens": itens}}) == "invalid_value"
    )


def test_a_line_that_names_no_product_misses_a_field(reason) -> None:
    """Its producer uses a name that the table does not have yet."""
    assert reason({"id_pedido": 1, "itens": [{"qtd": 1, "lanche": "X"}]}) == "missing_field"


def test_more_items_than_an_order_can_have_are_invalid(reason) -> None:
    """Everything is bounded."""
    assert reason({"id_pedido": 1, "itens": ["X"] * 1001}) == "invalid_value"


def test_the_same_product_on_two_lines_is_one_entry(one) -> None:
    """Two burgers are two burgers, on one line or on two."""
    event = one(
        {"id_pedido": 1, "itens": [{"id": 3, "preco": 18}, {"id": "3", "preco": "18.00", "nome": "X"}]}
    )

    assert event.criacao.itens == (Item(id_produto="3", nome="X", quantidade=2, preco=Decimal("18.00")),)
    assert event.criacao.soma == Decimal("36.00")


def test_a_product_without_an_id_is_known_by_its_folded_name(one) -> None:
    """Some producers have names only."""
    event = one({"id_pedido": 1, "itens": ["Suco de Maçã", {"produto": "SUCO DE MACA", "quantidade": 2}]})

    assert event.criacao.itens == (Item(nome="Suco de Maçã", quantidade=3),)


def test_lines_that_differ_in_price_keep_the_sum_right(one) -> None:
    """One of them was on offer: there is a total, but not one price."""
    event = one(
        {"id_pedido": 1, "itens": [{"id": 3, "preco": 18}, {"id": 3, "preco": 9}, {"id": 3, "preco": 18}]}
    )

    assert event.criacao.itens == (Item(id_produto="3", quantidade=3, preco=None),)
    assert event.criacao.soma == Decimal("45.00")


def test_an_unknown_price_leaves_the_sum_unknown(one) -> None:
    """A sum over some of the lines would be a wrong total."""
    event = one(
        {"id_pedido": 1, "total": "30,5", "itens": [{"id": 3, "preco": 18}, {"id": 4, "preco": None}]}
    )

    assert event.criacao.soma is None
    assert event.criacao.total == Decimal("30.50")


def test_the_product_inside_a_line_is_the_product_and_not_the_line(one) -> None:
    """The line's own id is not that of the product."""
    line = {"id": 99, "quantity": 1, "product": {"id": 5, "name": "Fries", "category": "SIDE"}}

    event = one({"id": 1, "items": [line]})

    assert event.criacao.itens == (Item(id_produto="5", nome="Fries", categoria="SIDE"),)
