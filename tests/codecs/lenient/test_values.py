"""Single values: ids, prices, quantities, texts, and the CPF that never leaves."""

from decimal import Decimal

import pytest

from streamapp_codecs.dominio.cpf import mascarar
from streamapp_codecs.lenient.folding import dobrar


@pytest.mark.parametrize(
    ("escrito", "id_pedido"),
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
def test_an_id_is_an_opaque_string(um, escrito, id_pedido) -> None:
    """42 and "42" are one order, "0042" is another."""
    assert um(f'{{"id_pedido":{escrito},"status":"Pronto"}}').id_pedido == id_pedido
    assert um(f'{{"pedidoId":{escrito},"status":"Pronto","x":1}}').id_pedido == id_pedido


@pytest.mark.parametrize(
    "escrito",
    ["true", "1.5", "[]", "[1]", "{}", "1e300", "1e999", '"' + "a" * 257 + '"', '"a\\u0000b"', "1" * 300],
)
def test_what_cannot_be_an_id_is_invalid(motivo, escrito) -> None:
    """A guess would name somebody else's order."""
    assert motivo(f'{{"id_pedido":{escrito},"status":"Pronto"}}') == "invalid_value"


def test_a_number_that_nobody_can_hold_is_invalid(motivo) -> None:
    """It is JSON, so the body is not `not_json`."""
    assert motivo('{"id_pedido":' + "1" * 5000 + "}") == "invalid_value"


@pytest.mark.parametrize(
    ("escrito", "preco"),
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
def test_a_price_is_decimal_with_two_places_at_least(um, escrito, preco) -> None:
    """Float never touches money."""
    (item,) = um(f'{{"id_pedido":7,"itens":[{{"id":1,"preco":{escrito}}}]}}').criacao.itens

    assert item.preco == (None if preco is None else Decimal(preco))
    assert preco is None or str(item.preco) == preco


@pytest.mark.parametrize(
    "escrito",
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
    "molde", ['{"id_pedido":7,"itens":[{"id":1,"preco":%s}]}', '{"id_pedido":7,"total":%s}']
)
def test_what_cannot_be_a_price_is_invalid(motivo, escrito, molde) -> None:
    """A wrong total on a board is worse than a dead letter."""
    assert motivo(molde % escrito) == "invalid_value"


@pytest.mark.parametrize(
    ("escrito", "quantos"), [("2", 2), ('"2"', 2), ("2.0", 2), ("null", 1), ('""', 1), ("10000", 10_000)]
)
def test_a_quantity_is_a_whole_number(um, escrito, quantos) -> None:
    """One producer sends it as a string; where it is missing it is one."""
    (item,) = um(f'{{"id_pedido":7,"itens":[{{"id":1,"quantidade":{escrito}}}]}}').criacao.itens

    assert item.quantidade == quantos


@pytest.mark.parametrize(
    "escrito", ["0", "-1", "1.5", "10001", "true", "[]", "{}", '"dois"', "1e999", '"-1"', '"0"']
)
def test_what_cannot_be_a_quantity_is_invalid(motivo, escrito) -> None:
    """None of something is not an order."""
    assert motivo(f'{{"id_pedido":7,"itens":[{{"id":1,"quantidade":{escrito}}}]}}') == "invalid_value"


def test_kept_text_is_short_and_clean(um) -> None:
    """It is shown on terminals and boards."""
    linha = {"id": 1, "nome": " X\x1b[2J\u009bY\n" + "z" * 500, "categoria": "LAN\x00CHE"}

    (item,) = um({"id_pedido": 7, "itens": [linha]}).criacao.itens

    assert item.nome.startswith("X [2J Y z")
    assert len(item.nome) == 200
    assert item.categoria == "LAN CHE"


@pytest.mark.parametrize(
    "valor",
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
def test_a_cpf_is_masked(valor) -> None:
    """The six digits in the middle are what is left of it."""
    assert mascarar(valor) == "***.982.247-**"


@pytest.mark.parametrize("valor", ["1234567890", 1234567890])
def test_ten_digits_have_lost_a_zero(valor) -> None:
    """Whoever keeps a CPF as a number loses it."""
    assert mascarar(valor) == "***.345.678-**"


@pytest.mark.parametrize(
    "valor",
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
def test_what_is_no_cpf_is_anonymous_and_no_error(valor) -> None:
    """A customer without a CPF is a customer."""
    assert mascarar(valor) is None


@pytest.mark.parametrize(
    "campos",
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
def test_a_customer_is_found_under_every_name(um, campos) -> None:
    """And is masked wherever it was."""
    evento = um({"id": 7, "itens": ["X"], **campos})

    assert evento.criacao.cliente == "***.982.247-**"
    assert "Maria" not in repr(evento)


@pytest.mark.parametrize("campo", ["id_cliente", "clienteId", "customerId", "ClienteID"])
def test_a_customer_id_is_no_cpf(um, campo) -> None:
    """Even where it has eleven digits."""
    assert um({"id": 7, "itens": ["X"], campo: "52998224725"}).criacao.cliente is None


def test_names_compare_after_folding() -> None:
    """Teams spell in five ways, and in two languages."""
    assert {dobrar(nome) for nome in ("id_pedido", "idPedido", "IdPedido", "ID-PEDIDO", "íd pedído")} == {
        "idpedido"
    }
    assert dobrar("Em Preparação") == "empreparacao"
    assert dobrar("x" * 100_000) == "x" * 100_000


def test_a_document_stores_own_id_gives_way_to_the_plain_one(um) -> None:
    """`_id` and `id` fold to one name."""
    assert um({"id": 12, "_id": "65f0c0ff", "status": "Pronto"}).id_pedido == "12"
    assert um({"_id": "65f0c0ff", "id": 12, "status": "Pronto"}).id_pedido == "12"
    assert um({"_id": "65f0c0ff", "status": "Pronto"}).id_pedido == "65f0c0ff"
