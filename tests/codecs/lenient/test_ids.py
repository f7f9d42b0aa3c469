"""Ids are opaque strings."""

import pytest


@pytest.mark.parametrize(
    ("written", "id_pedido"),
    [
        ("42", "42"),
        ('"42"', "42"),
        ("42.0", "42"),
        ("4.2e1", "42"),
        ('" 42 "', "42"),
        ('"0042"', "0042"),
        ('"42.0"', "42.0"),
        ('"abc123"', "abc123"),
        ('"b3c1f0aa-7a2e-4c6b-9b5c-1d2e3f4a5b6c"', "b3c1f0aa-7a2e-4c6b-9b5c-1d2e3f4a5b6c"),
        ('"65f0c0ffee65f0c0ffee65f0"', "65f0c0ffee65f0c0ffee65f0"),
        ("9007199254740993", "9007199254740993"),
        ("18446744073709551616", "18446744073709551616"),
        ("-1", "-1"),
        ('"pedido/á 🍔"', "pedido/á 🍔"),
        ('"' + "a" * 256 + '"', "a" * 256),
    ],
)
def test_an_id_is_an_opaque_string(one, written, id_pedido) -> None:
    """42 and "42" are one order, "0042" is another."""
    assert one(f'{{"id_pedido":{written},"status":"Pronto"}}').id_pedido == id_pedido
    assert one(f'{{"pedidoId":{written},"status":"Pronto","x":1}}').id_pedido == id_pedido


@pytest.mark.parametrize(
    "written",
    ["true", "1.5", "[]", "[1]", "{}", "1e300", "1e999", '"' + "a" * 257 + '"', '"a\\u0000b"', "1" * 300],
)
def test_what_cannot_be_an_id_is_invalid(reason, written) -> None:
    """A guess would name somebody else's order."""
    assert reason(f'{{"id_pedido":{written},"status":"Pronto"}}') == "invalid_value"
