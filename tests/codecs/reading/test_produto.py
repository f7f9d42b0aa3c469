"""Product events: what they state of a product."""

from decimal import Decimal

import pytest


def test_a_creation_tells_all_of_a_product(one) -> None:
    """Estimates are computed from it."""
    event = one(
        {
            "event_type": "produto_criado",
            "data": {
                "id_produto": 2,
                "nome": "Coca-Cola",
                "categoria": "BEBIDA",
                "preco": "6",
                "tempo_preparo": 1,
            },
        },
        "produto",
    )

    assert (event.id_produto, event.tipo, event.ativo) == ("2", "produto_criado", True)
    assert (event.nome, event.categoria) == ("Coca-Cola", "BEBIDA")
    assert (event.preco, event.tempo_preparo) == (Decimal("6.00"), 1)


def test_a_removed_product_is_inactive_and_forgets_nothing(one) -> None:
    """Its nulls are unknown values, not erased ones."""
    event = one({"eventType": "PRODUCT_DELETED", "productId": "7", "name": None}, "produto")

    assert (event.tipo, event.ativo, event.nome) == ("produto_removido", False, None)


@pytest.mark.parametrize("preco", [-1, "n/a", [], True])
def test_a_price_never_makes_a_removal_fail(one, preco) -> None:
    """A removed product keeps the price that it had."""
    flat = {"eventType": "PRODUCT_DELETED", "productId": 7, "price": preco}
    canonical = {"event_type": "produto_removido", "data": {"id_produto": 7, "preco": preco}}

    assert [one(body, "produto").ativo for body in (flat, canonical)] == [False, False]


@pytest.mark.parametrize(("available", "ativo"), [(False, False), (True, True), (None, True), ("nao", True)])
def test_an_update_may_say_that_a_product_is_not_to_be_had(one, available, ativo) -> None:
    """Flask's catalogue has such a field."""
    event = one({"tipo": "produto_atualizado", "id": 7, "disponivel": available}, "produto")

    assert event.ativo is ativo


@pytest.mark.parametrize("name", ["ativo", "disponivel"])
def test_a_created_product_is_to_be_had(one, name) -> None:
    """It was just put on the menu."""
    assert (
        one({"event_type": "produto_criado", "data": {"id_produto": 7, name: False}}, "produto").ativo is True
    )


def test_a_bare_product_is_an_update(one) -> None:
    """The newest event counts, so it does not matter whether the product is new."""
    assert one({"id": 7, "nome": "X"}, "produto").tipo == "produto_atualizado"


def test_a_bare_id_is_undecidable(reason) -> None:
    """It may be a removal as well."""
    assert reason({"productId": 7}, "produto") == "undecidable"


def test_a_product_without_an_id_misses_a_field(reason) -> None:
    """Without an id it cannot be stored."""
    assert reason({"event_type": "produto_criado", "data": {"nome": "X"}}, "produto") == "missing_field"


def test_an_envelopes_id_is_no_products_id(reason) -> None:
    """An event's own id would make a product that does not exist."""
    body = {"id": "evt-1", "event_type": "produto_atualizado", "data": {"nome": "X"}}

    assert reason(body, "produto") == "missing_field"


def test_a_list_of_products_is_an_event_each(decode) -> None:
    """A catalogue sends itself in one piece."""
    decoded = decode({"produtos": [{"id": 1, "nome": "A"}, {"id": 2, "nome": "B"}]}, "produto")

    assert [event.id_produto for event in decoded.events] == ["1", "2"]


def test_a_category_may_be_an_object(one) -> None:
    """A monolith writes its whole entity."""
    assert one({"id": 7, "categoria": {"id": 1, "nome": "Lanche"}}, "produto").categoria == "Lanche"
