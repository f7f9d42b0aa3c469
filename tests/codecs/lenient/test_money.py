"""Amounts of money, in every spelling."""

from decimal import Decimal

import pytest


@pytest.mark.parametrize(
    ("written", "preco"),
    [
        ("18", "18.00"),
        ("22.5", "22.50"),
        ("22.50", "22.50"),
        ("6.0", "6.00"),
        ("1e2", "100.00"),
        ("0", "0.00"),
        ("-0.0", "0.00"),
        ("0.1", "0.10"),
        ("9.999", "9.999"),
        ("18.299999999999997", "18.30"),
        ('"43.2"', "43.20"),
        ('"43,20"', "43.20"),
        ('"1.234,56"', "1234.56"),
        ('"1,234.56"', "1234.56"),
        ('"1.234.567"', "1234567.00"),
        ('"R$ 43,20"', "43.20"),
        ('" 7 "', "7.00"),
        ("1000000000", "1000000000.00"),
        ("null", None),
        ('""', None),
    ],
)
def test_a_price_is_decimal_with_two_places_at_least(one, written, preco) -> None:
    """Float never touches money."""
    (item,) = one(f'{{"id_pedido":7,"itens":[{{"id":1,"preco":{written}}}]}}').criacao.itens

    assert item.preco == (None if preco is None else Decimal(preco))
    assert preco is None or str(item.preco) == preco


@pytest.mark.parametrize(
    "written",
    [
        "-1",
        "-0.01",
        "1000000000.01",
        "1e999",
        "1e99999999999999999999",
        "true",
        "[]",
        "{}",
        '"caro"',
        '"1e2"',
        '"-5"',
        '"NaN"',
        '"1 000"',
        '"1,2,3"',
        '"' + "9" * 50 + '"',
    ],
)
@pytest.mark.parametrize(
    "template", ['{"id_pedido":7,"itens":[{"id":1,"preco":%s}]}', '{"id_pedido":7,"total":%s}']
)
def test_what_cannot_be_a_price_is_invalid(reason, written, template) -> None:
    """A wrong total on a board is worse than a dead letter."""
    assert reason(template % written) == "invalid_value"
