"""Single values: ids, prices, quantities, texts, and the CPF that never leaves."""

from decimal import Decimal

import pytest

from streamapp_codecs.lenient.cpf import mask_cpf
from streamapp_codecs.lenient.folding import fold_name


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


def test_a_number_that_nobody_can_hold_is_invalid(reason) -> None:
    """It is JSON, so the body is not `not_json`."""
    assert reason('{"id_pedido":' + "1" * 5000 + "}") == "invalid_value"


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


def test_kept_text_is_short_and_clean(one) -> None:
    """It is shown on terminals and boards."""
    line = {"id": 1, "nome": " X\x1b[2J\u009bY\n" + "z" * 500, "categoria": "LAN\x00CHE"}

    (item,) = one({"id_pedido": 7, "itens": [line]}).criacao.itens

    assert item.nome.startswith("X [2J Y z")
    assert len(item.nome) == 200
    assert item.categoria == "LAN CHE"


@pytest.mark.parametrize(
    "value",
    [
        "52998224725",
        "529.982.247-25",
        " 529.982.247-25 ",
        "529982247-25",
        52998224725,
        Decimal("52998224725.0"),
        "529.982.247-25 - Maria da Silva",
        "52998224725 - Maria",
    ],
)
def test_a_cpf_is_masked(value) -> None:
    """The six digits in the middle are what is left of it."""
    assert mask_cpf(value) == "***.982.247-**"


@pytest.mark.parametrize("value", ["1234567890", 1234567890])
def test_ten_digits_have_lost_a_zero(value) -> None:
    """Whoever keeps a CPF as a number loses it."""
    assert mask_cpf(value) == "***.345.678-**"


@pytest.mark.parametrize(
    "value",
    [
        *(
            None,
            "",
            "Maria",
            "77",
            77,
            0,
            -52998224725,
            529982247250,
            "529982247250",
            "123456789",
            True,
            [],
            {},
        ),
        *(
            "maria@exemplo.com",
            "b3c1f0aa-7a2e-4c6b-9b5c-1d2e3f4a5b6c",
            "٥٢٩٩٨٢٢٤٧٢٥",
            "52998224725" + "x" * 999,
        ),
        *(
            Decimal("NaN"),
            Decimal("1e999"),
            Decimal("52998224725.5"),
            "Maria - 529",
            "52.998.224/725",
            "1" * 10**5,
        ),
    ],
)
def test_what_is_no_cpf_is_anonymous_and_no_error(value) -> None:
    """A customer without a CPF is a customer."""
    assert mask_cpf(value) is None


@pytest.mark.parametrize(
    "fields",
    [
        {"cliente": "529.982.247-25"},
        {"cliente_cpf": "52998224725"},
        {"cpfCliente": 52998224725},
        {"identificacaoCliente": "52998224725"},
        {"identificacao": "529.982.247-25 - Maria"},
        {"Usuario": {"Nome": "Maria", "Email": "m@x.br", "CPF": "52998224725", "Senha": "s"}},
        {"cliente": {"nome": "Maria", "cpf": "529.982.247-25"}},
        {"cliente": "Maria", "cpf": "52998224725"},
        {"customer": {"cpf": "52998224725"}},
    ],
)
def test_a_customer_is_found_under_every_name(one, fields) -> None:
    """And is masked wherever it was."""
    event = one({"id": 7, "itens": ["X"], **fields})

    assert event.criacao.cliente == "***.982.247-**"
    assert "Maria" not in repr(event)


@pytest.mark.parametrize("field", ["id_cliente", "clienteId", "customerId", "ClienteID"])
def test_a_customer_id_is_no_cpf(one, field) -> None:
    """Even where it has eleven digits."""
    assert one({"id": 7, "itens": ["X"], field: "52998224725"}).criacao.cliente is None


def test_names_compare_after_folding() -> None:
    """Teams spell in five ways, and in two languages."""
    assert {fold_name(name) for name in ("id_pedido", "idPedido", "IdPedido", "ID-PEDIDO", "íd pedído")} == {
        "idpedido"
    }
    assert fold_name("Em Preparação") == "empreparacao"
    assert fold_name("x" * 100_000) == "x" * 100_000


def test_a_document_stores_own_id_gives_way_to_the_plain_one(one) -> None:
    """`_id` and `id` fold to one name."""
    assert one({"id": 12, "_id": "65f0c0ff", "status": "Pronto"}).id_pedido == "12"
    assert one({"_id": "65f0c0ff", "id": 12, "status": "Pronto"}).id_pedido == "12"
    assert one({"_id": "65f0c0ff", "status": "Pronto"}).id_pedido == "65f0c0ff"
