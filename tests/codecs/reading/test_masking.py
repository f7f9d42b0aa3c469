"""What viewers may see of a body: what the shop works with, and nothing that is personal."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamapp_codecs import Decoded, DecodeError, Origin, pagamento, pedido, produto
from streamapp_codecs.reading.masking import mask_body

CPF = ("39053344705", "390.533.447-05", " 39053344705 ", "390.533.447-05 - Maria")
ORIGIN = Origin(queue="q", message_id="m", sent_at=datetime(2025, 7, 28, 18, tzinfo=UTC))
SAMPLES = [
    json.loads(line)
    for line in (Path(__file__).parents[2] / "data" / "messages.jsonl").read_text().splitlines()
    if line
]


def seen(body: object, entity: str = "pedido") -> object:
    """What is seen of a body."""
    text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
    shown = mask_body(text, entity)  # type: ignore[arg-type]  # one of the three
    return None if shown is None else json.loads(shown)


def test_what_the_shop_works_with_is_seen_as_it_came() -> None:
    """An operator has to recognise the message."""
    body = {
        "event_type": "pedido_criado",
        "data": {
            "id_pedido": 1042,
            "status": "Em preparação",
            "total": 51.5,
            "criado_em": "2025-07-28T15:00:20.123Z",
            "itens": [{"id_produto": "7", "nome": "X-Burger duplo", "quantidade": 2, "preco": "25,75"}],
        },
    }

    assert seen(body) == body


@pytest.mark.parametrize("cpf", CPF)
@pytest.mark.parametrize("name", ["cliente", "cpf_cliente", "CPF", "documento"])
def test_a_cpf_is_seen_masked(name: str, cpf: str) -> None:
    """It is enough to tell two customers apart."""
    assert seen({"id_pedido": 1, name: cpf}) == {"id_pedido": 1, name: "***.533.447-**"}


@pytest.mark.parametrize(
    "body",
    [
        {"nome": "Maria Canário"},
        {"data": {"nomeCliente": "Maria Canário", "emailCliente": "maria@exemplo.com"}},
        {"cliente": {"nome": "Maria Canário", "email": "maria@exemplo.com", "id": "39053344705"}},
        {"produtos": "Maria Canário"},
        {"status": "maria@exemplo.com"},
        {"id": 39053344705},
        {"id_pedido": "390.533.447-05"},
        {"numeroCartaoCredito": "4111111111111111", "Senha": "Maria Canário"},
        {"maria@exemplo.com": 1, "Maria Canário 39053344705": 2},
        {"Message": json.dumps({"cliente": "39053344705", "nome": "Maria Canário"})},
        {"itens": [{"cliente": {"nome": "Maria Canário"}}]},
        ["39053344705", "Maria Canário"],
        "maria@exemplo.com 39053344705",
        '"Maria Canário"',
    ],
)
def test_what_may_be_personal_is_hidden_wherever_it_lies(body: object) -> None:
    """The tap is at rest in Redis, and read over shoulders."""
    text = json.dumps(seen(body), ensure_ascii=False)

    for canary in ("39053344705", "390.533.447", "maria@", "Maria", "4111"):
        assert canary not in text


@pytest.mark.parametrize("number", [1029.0, 1.5, -0.0, 1e300, 12345678901234567890])
@pytest.mark.parametrize("name", ["id_pedido", "id", "status", "event_type", "id_pagamento"])
def test_a_number_of_any_size_is_seen_at_once(name: str, number: float) -> None:
    """A producer of floats writes 1029.0 for an id, and must not stand the worker still."""
    assert seen({name: number}) == {name: number}


@pytest.mark.parametrize("cpf", [39053344705.0, 3905334470.0])
def test_an_id_that_may_be_a_cpf_is_hidden_as_a_float_too(cpf: float) -> None:
    """It is the same number."""
    assert seen({"id": cpf}) == {"id": "***"}


@pytest.mark.parametrize("cpf", ["39053344705", "390.533.447-05", "390533447-05", 39053344705, 39053344705.0])
@pytest.mark.parametrize("name", ["data", "criado_em", "total", "quantidade", "versao", "nome", "categoria"])
def test_a_cpf_in_the_wrong_field_is_hidden(name: str, cpf: object) -> None:
    """Neither a price nor a time, nor the name of a product, has eleven digits."""
    text = json.dumps(seen({name: cpf, "itens": [{name: cpf}]})).replace(".", "").replace("-", "")

    assert "390533" not in text
    assert text.count("***") >= 2


def test_a_product_has_its_name_and_a_customer_beside_it_has_none() -> None:
    """Both are called `name`."""
    body = {"data": {"id_produto": 7, "nome": "Suco", "usuario": {"nome": "Maria"}}}

    assert seen(body, "produto") == {
        "data": {"id_produto": 7, "nome": "Suco", "usuario": {"nome": "***"}},
    }


def test_an_order_that_came_by_the_products_queue_shows_no_name() -> None:
    """What is called `name` there is the customer's."""
    body = '{"event_type":"pedido_criado","data":{"id_pedido":3,"nome":"Maria","itens":["X"]}}'

    shown = produto.codec.show(body, produto.codec.decode(body, ORIGIN))

    assert shown.key == "3"
    assert b"Maria" not in (shown.body or b"")


def test_kind_and_key_are_those_of_the_first_event() -> None:
    """They are what a view is filtered by."""
    body = '{"event_type":"pagamento_atualizado","data":{"id_pedido":7,"status":"pago"}}'

    shown = pagamento.codec.show(body, pagamento.codec.decode(body, ORIGIN))

    assert (shown.kind, shown.key) == ("pagamento_atualizado", "7")


@pytest.mark.parametrize(
    ("body", "kind", "key"),
    [
        ('{"event_type":"pedido_criado","data":{}}', "pedido_criado", None),
        ('{"event_type":"pedido_criado","data":{"id_pedido":7,"itens":[{"id":1}]}}', "pedido_criado", "7"),
        ('{"event_type":"pedido_criado","data":{"id_pedido":12345678909}}', "pedido_criado", None),
        ('{"event_type":["pedido_criado"]}', None, None),
        ("[]", None, None),
        ("no JSON", None, None),
    ],
)
def test_a_body_without_an_event_has_the_kind_and_the_key_that_it_names(
    body: str, kind: str | None, key: str | None
) -> None:
    """The dead letter of an order belongs to its story, and letters are chosen by their kind."""
    shown = pedido.codec.show(body, Decoded(error=DecodeError("missing_field", "")))

    assert (shown.kind, shown.key) == (kind, key)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: str(sample.get("id", "")))
def test_any_sample_can_be_shown(sample: dict[str, str]) -> None:
    """A message that cannot be processed is the one that people look at."""
    codec = {"pedido-events": pedido, "pagamento-events": pagamento, "produto-events": produto}[
        sample["queue"]
    ].codec

    shown = codec.show(sample["body"], codec.decode(sample["body"], ORIGIN))

    assert shown.body is None or json.dumps(json.loads(shown.body))


NAMES = (
    "data",
    "id",
    "id_pedido",
    "status",
    "event_type",
    "total",
    "criado_em",
    "cliente",
    "nome",
    "produto",
)
any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda part: (
        st.lists(part, max_size=4) | st.dictionaries(st.text() | st.sampled_from(NAMES), part, max_size=4)
    ),
    max_leaves=20,
)


@given(st.text() | any_json.map(json.dumps))
def test_no_body_whatever_is_an_error(body: str) -> None:
    """The writer of the tap has to go on."""
    shown = mask_body(body, "pedido")

    assert shown is None or json.dumps(json.loads(shown))


def test_nesting_without_end_is_shown_as_nothing() -> None:
    """It is an attack, and the stack is finite."""
    assert seen("[" * 100_000 + "]" * 100_000) is None
