"""The items of an order, its total, and how long it takes."""

from decimal import Decimal

import pytest

from rigs.order_events import (
    catalogo,
    criado,
    folded,
    item,
    produto,
)
from streamapp_agents.dominio.acompanhamento import ComCatalogo
from streamapp_agents.dominio.estimativa import ItemPedido


def test_quantities_count_in_totals_and_estimates():
    """Two burgers and a can: 2 x 22.50 + 6.00, and 15 + 2 x 5 + 1 minutes."""
    estado = folded(criado(item("1", 2, categoria="LANCHE"), item("2", 1, "6", categoria="BEBIDA")))

    assert (estado.total, estado.tempo_estimado) == (Decimal("51.00"), "00:26:00")


def test_totals_are_decimal():
    """Ten times 0.10 is one real, not 0.9999."""
    assert str(folded(criado(item(quantidade=10, preco="0.1"))).total) == "1.00"


def test_an_unknown_price_leaves_the_total_absent():
    """A sum of the known prices would be wrong, and the catalogue's price may not be the one charged."""
    fichas = catalogo(produto("1", preco="9.90"))

    estado = folded(ComCatalogo(id_pedido="1001", evento=criado(item(preco=None)), fichas=fichas))

    assert estado.total is None
    assert estado.itens == (ItemPedido(id_produto="1", quantidade=1),)


def test_a_stated_total_stands_where_prices_are_unknown():
    """A producer that sends null prices states the total itself."""
    assert folded(criado(item(preco=None), total="51.0")).total == Decimal("51.00")


@pytest.mark.parametrize(
    ("categoria", "tempo"),
    [
        ("LANCHE", "00:20:00"),
        ("Lanche", "00:20:00"),
        ("acompanhamento", "00:17:00"),
        ("Sobremesa", "00:18:00"),
        ("bebida", "00:16:00"),
        ("Prato do dia", "00:18:00"),
        ("lânche", "00:20:00"),
        (None, "00:18:00"),
    ],
)
def test_a_category_has_its_minutes(categoria, tempo):
    """Producers spell categories in every case; anything else takes three minutes a unit."""
    assert folded(criado(item(categoria=categoria))).tempo_estimado == tempo


def test_a_known_order_without_items_takes_a_quarter_of_an_hour():
    """The wait at the counter alone is that long."""
    assert folded(criado()).tempo_estimado == "00:15:00"


def test_an_estimate_counts_hours_past_a_day():
    """An order for 500 people takes more than a day."""
    assert folded(criado(item(quantidade=500, categoria="Lanche"))).tempo_estimado == "41:55:00"


def test_an_estimate_keeps_two_digits_of_hours():
    """Less than an hour is still HH:MM:SS."""
    assert folded(criado(item(quantidade=9, categoria="Lanche"))).tempo_estimado == "01:00:00"


def test_the_catalogue_fills_in_names_and_times():
    """An order often carries no more than product ids."""
    fichas = catalogo(produto("7", nome="Batata", categoria="Acompanhamento", tempo_preparo=10))

    estado = folded(ComCatalogo(id_pedido="1001", evento=criado(item("7", 2)), fichas=fichas))

    assert estado.tempo_estimado == "00:35:00"
    assert estado.itens == (
        ItemPedido(
            id_produto="7", nome="Batata", categoria="Acompanhamento", quantidade=2, preco=Decimal("22.50")
        ),
    )


def test_an_item_s_own_words_outrank_the_catalogue():
    """The order has what the customer saw."""
    fichas = catalogo(produto("7", nome="Batata G", categoria="Lanche", tempo_preparo=10))
    proprio = item("7", nome="Batata", categoria="Bebida", tempo_preparo=2)

    estado = folded(ComCatalogo(id_pedido="1001", evento=criado(proprio), fichas=fichas))

    assert estado.itens is not None
    assert (estado.itens[0].nome, estado.itens[0].categoria) == ("Batata", "Bebida")
    assert estado.tempo_estimado == "00:17:00"


def test_the_catalogue_s_time_replaces_the_item_s_category():
    """A known preparation time is more exact than that of a category."""
    fichas = catalogo(produto("7", tempo_preparo=10))
    evento = criado(item("7", categoria="Bebida"))

    assert folded(ComCatalogo(id_pedido="1001", evento=evento, fichas=fichas)).tempo_estimado == "00:25:00"


def test_a_preparation_time_of_zero_is_unknown():
    """A real producer writes 0 for an unknown time."""
    fichas = catalogo(produto("7", categoria="Lanche", tempo_preparo=0))

    estado = folded(ComCatalogo(id_pedido="1001", evento=criado(item("7", tempo_preparo=0)), fichas=fichas))

    assert estado.tempo_estimado == "00:20:00"
