"""Quantities and preparation times."""

import pytest


@pytest.mark.parametrize(
    ("written", "how_many"), [("2", 2), ('"2"', 2), ("2.0", 2), ("null", 1), ('""', 1), ("10000", 10_000)]
)
def test_a_quantity_is_a_whole_number(one, written, how_many) -> None:
    """One producer sends it as a string; where it is missing it is one."""
    (item,) = one(f'{{"id_pedido":7,"itens":[{{"id":1,"quantidade":{written}}}]}}').criacao.itens

    assert item.quantidade == how_many


@pytest.mark.parametrize(
    "written", ["0", "-1", "1.5", "10001", "true", "[]", "{}", '"dois"', "1e999", '"-1"', '"0"']
)
def test_what_cannot_be_a_quantity_is_invalid(reason, written) -> None:
    """None of something is not an order."""
    assert reason(f'{{"id_pedido":7,"itens":[{{"id":1,"quantidade":{written}}}]}}') == "invalid_value"


@pytest.mark.parametrize("time", [None, 0, "0", -5, "", "00:05:00", 2.5, [], 100_000])
def test_a_preparation_time_that_is_none_is_unknown_and_not_zero(one, time) -> None:
    """Zero minutes would hide the category's own."""
    assert (
        one({"eventType": "PRODUCT_UPDATED", "productId": 7, "cookingTime": time}, "produto").tempo_preparo
        is None
    )


@pytest.mark.parametrize("time", [5, "5", 5.0])
def test_a_preparation_time_is_minutes(one, time) -> None:
    """Producers spell numbers in every way."""
    assert (
        one({"eventType": "PRODUCT_UPDATED", "productId": 7, "cookingTime": time}, "produto").tempo_preparo
        == 5
    )
