"""What viewers may see of a body: the fields that the shop works with, and nothing personal."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamapp_codecs import Origin
from streamapp_codecs.reading.masking import mask_body

CPF = ("39053344705", "390.533.447-05", " 39053344705 ", "390.533.447-05 - Maria")
ORIGIN = Origin(queue="q", message_id="m", sent_at=datetime(2025, 7, 28, 18, tzinfo=UTC))
SAMPLES = [
    json.loads(line)
    for line in (Path(__file__).parents[2] / "data" / "messages.jsonl").read_text().splitlines()
    if line
]


def seen(body: object, entity: str = "pedido") -> object:
    """Return what viewers see of *body*."""
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
    """The tap is kept in Redis, and shown on screens."""
    text = json.dumps(seen(body), ensure_ascii=False)

    for canary in ("39053344705", "390.533.447", "maria@", "Maria", "4111"):
        assert canary not in text


def test_a_product_has_its_name_and_a_customer_beside_it_has_none() -> None:
    """Both are called `nome`."""
    body = {"data": {"id_produto": 7, "nome": "Suco", "usuario": {"nome": "Maria"}}}

    assert seen(body, "produto") == {
        "data": {"id_produto": 7, "nome": "Suco", "usuario": {"nome": "***"}},
    }


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
    """The writer of the tap must not stop."""
    shown = mask_body(body, "pedido")

    assert shown is None or json.dumps(json.loads(shown))


def test_nesting_without_end_is_shown_as_nothing() -> None:
    """It may be an attack on the stack."""
    assert seen("[" * 100_000 + "]" * 100_000) is None
