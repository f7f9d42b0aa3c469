"""The names of fields."""

import pytest


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
    """And its CPF is masked under each of them."""
    event = one({"id": 7, "itens": ["X"], **fields})

    assert event.criacao.cliente == "***.982.247-**"
    assert "Maria" not in repr(event)


@pytest.mark.parametrize("field", ["id_cliente", "clienteId", "customerId", "ClienteID"])
def test_a_customer_id_is_no_cpf(one, field) -> None:
    """Even where it has eleven digits."""
    assert one({"id": 7, "itens": ["X"], field: "52998224725"}).criacao.cliente is None
