"""What viewers may see under each name."""

import json

import pytest

from streamapp_codecs.reading.masking import mask_body

CPF = ("39053344705", "390.533.447-05", " 39053344705 ", "390.533.447-05 - Maria")


def seen(body: object, entity: str = "pedido") -> object:
    """Return what viewers see of *body*."""
    text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
    shown = mask_body(text, entity)  # type: ignore[arg-type]  # one of the three
    return None if shown is None else json.loads(shown)


@pytest.mark.parametrize("cpf", CPF)
@pytest.mark.parametrize("name", ["cliente", "cpf_cliente", "CPF", "documento"])
def test_a_cpf_is_seen_masked(name: str, cpf: str) -> None:
    """It is enough to tell two customers apart."""
    assert seen({"id_pedido": 1, name: cpf}) == {"id_pedido": 1, name: "***.533.447-**"}


@pytest.mark.parametrize("number", [1029.0, 1.5, -0.0, 1e300, 12345678901234567890])
@pytest.mark.parametrize("name", ["id_pedido", "id", "status", "event_type", "id_pagamento"])
def test_a_number_of_any_size_is_seen_at_once(name: str, number: float) -> None:
    """A producer of floats writes 1029.0 for an id, and must not stop the worker."""
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
