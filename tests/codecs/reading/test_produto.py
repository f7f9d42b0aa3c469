"""Product events: what the catalogue learns."""

from decimal import Decimal

import pytest


def test_a_creation_tells_all_of_a_product(um) -> None:
    """This is what estimates are made of."""
    evento = um(
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

    assert (evento.id_produto, evento.tipo, evento.ativo) == ("2", "produto_criado", True)
    assert (evento.nome, evento.categoria) == ("Coca-Cola", "BEBIDA")
    assert (evento.preco, evento.tempo_preparo) == (Decimal("6.00"), 1)


@pytest.mark.parametrize("tempo", [None, 0, "0", -5, "", "00:05:00", 2.5, [], 100_000])
def test_a_preparation_time_that_is_none_is_unknown_and_not_zero(um, tempo) -> None:
    """Zero minutes would hide the category's own."""
    assert (
        um({"eventType": "PRODUCT_UPDATED", "productId": 7, "cookingTime": tempo}, "produto").tempo_preparo
        is None
    )


@pytest.mark.parametrize("tempo", [5, "5", 5.0])
def test_a_preparation_time_is_minutes(um, tempo) -> None:
    """Producers spell numbers in every way."""
    assert (
        um({"eventType": "PRODUCT_UPDATED", "productId": 7, "cookingTime": tempo}, "produto").tempo_preparo
        == 5
    )


def test_a_removed_product_is_inactive_and_forgets_nothing(um) -> None:
    """Its nulls are unknown values, not erased ones."""
    evento = um({"eventType": "PRODUCT_DELETED", "productId": "7", "name": None}, "produto")

    assert (evento.tipo, evento.ativo, evento.nome) == ("produto_removido", False, None)


@pytest.mark.parametrize("preco", [-1, "n/a", [], True])
def test_a_price_never_makes_a_removal_fail(um, preco) -> None:
    """A removed product keeps the price that it had."""
    flat = {"eventType": "PRODUCT_DELETED", "productId": 7, "price": preco}
    canonico = {"event_type": "produto_removido", "data": {"id_produto": 7, "preco": preco}}

    assert [um(corpo, "produto").ativo for corpo in (flat, canonico)] == [False, False]


@pytest.mark.parametrize(("disponivel", "ativo"), [(False, False), (True, True), (None, True), ("nao", True)])
def test_an_update_may_say_that_a_product_is_not_to_be_had(um, disponivel, ativo) -> None:
    """Flask's catalogue has such a field."""
    evento = um({"tipo": "produto_atualizado", "id": 7, "disponivel": disponivel}, "produto")

    assert evento.ativo is ativo


@pytest.mark.parametrize("nome", ["ativo", "disponivel"])
def test_a_created_product_is_to_be_had(um, nome) -> None:
    """It was just put on the menu."""
    assert (
        um({"event_type": "produto_criado", "data": {"id_produto": 7, nome: False}}, "produto").ativo is True
    )


def test_a_bare_product_is_an_update(um) -> None:
    """Whether it is new does not matter to whoever keeps the newest."""
    assert um({"id": 7, "nome": "X"}, "produto").tipo == "produto_atualizado"


def test_a_bare_id_is_undecidable(motivo) -> None:
    """It may be a removal as well."""
    assert motivo({"productId": 7}, "produto") == "undecidable"


def test_a_product_without_an_id_misses_a_field(motivo) -> None:
    """There is nothing to keep it under."""
    assert motivo({"event_type": "produto_criado", "data": {"nome": "X"}}, "produto") == "missing_field"


def test_an_envelopes_id_is_no_products_id(motivo) -> None:
    """An event's own id would make a product that does not exist."""
    corpo = {"id": "evt-1", "event_type": "produto_atualizado", "data": {"nome": "X"}}

    assert motivo(corpo, "produto") == "missing_field"


def test_a_list_of_products_is_an_event_each(decodificar) -> None:
    """A catalogue sends itself in one piece."""
    decoded = decodificar({"produtos": [{"id": 1, "nome": "A"}, {"id": 2, "nome": "B"}]}, "produto")

    assert [evento.id_produto for evento in decoded.events] == ["1", "2"]


def test_a_category_may_be_an_object(um) -> None:
    """A monolith writes its whole entity."""
    assert um({"id": 7, "categoria": {"id": 1, "nome": "Lanche"}}, "produto").categoria == "Lanche"
