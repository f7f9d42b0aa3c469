"""The state that events leave, and the announcements of its changes."""

from decimal import Decimal

import msgspec
import pytest

from rigs.order_events import (
    anunciados,
    catalogo,
    cozinha,
    criado,
    em,
    folded,
    item,
    pagamento,
    produto,
    visible,
)
from streamapp_agents.dominio.acompanhamento import Acompanhamento, ComCatalogo, anunciar, aplicar


def test_the_first_announcement_has_no_previous_status():
    """No earlier status was announced."""
    (dito,) = anunciados(criado(item()))

    assert (dito.data.status, dito.data.status_anterior, dito.data.versao) == ("Recebido", None, 1)


def test_an_order_that_waited_is_announced_once_with_all_that_came_before():
    """A placeholder is on no list; the order that fills it appears with its current status."""
    (dito,) = anunciados(pagamento("pago"), cozinha("Pronto"), criado(item()))

    assert (dito.data.status, dito.data.status_anterior, dito.data.versao) == ("Pronto", None, 1)
    assert dito.data.status_pagamento == "pago"


def test_each_change_names_the_status_before_it():
    """A display moves the order from one list to the next."""
    ditos = anunciados(criado(item()), pagamento("pago"), cozinha("Pronto"), cozinha("Finalizado"))

    assert [(dito.data.status_anterior, dito.data.status) for dito in ditos] == [
        (None, "Recebido"),
        ("Recebido", "Em preparação"),
        ("Em preparação", "Pronto"),
        ("Pronto", "Finalizado"),
    ]
    assert [dito.data.versao for dito in ditos] == [1, 2, 3, 4]


def test_a_payment_word_alone_is_announced():
    """The customer must see that the card was refused."""
    dito = anunciados(criado(item()), pagamento("falhou"))[-1]

    assert (dito.data.status, dito.data.status_anterior) == ("Recebido", "Recebido")
    assert (dito.data.status_pagamento, dito.data.versao) == ("falhou", 2)


def test_a_new_estimate_is_announced():
    """The monitor shows when it will be ready."""
    fichas = catalogo(produto("1", tempo_preparo=10))

    dito = anunciados(criado(item("1")), ComCatalogo(id_pedido="1001", fichas=fichas))[-1]

    assert (dito.data.tempo_estimado, dito.data.versao) == ("00:25:00", 2)


def test_other_changes_say_nothing():
    """An alert, a name, a time or an absorbed word is not announced."""
    fichas = catalogo(produto("1", nome="X-Burger", categoria="Sobremesa"))

    ditos = anunciados(
        criado(item("1")),
        cozinha("Recebido", em(1)),
        pagamento("pendente", quando=em(2)),
        ComCatalogo(id_pedido="1001", fichas=fichas),
    )

    assert len(ditos) == 1


def test_what_says_nothing_leaves_versao_alone():
    """The versao counts announcements, so that the highest one is the newest."""
    antes = folded(criado(item()))

    depois = aplicar(antes, cozinha("Recebido", em(5)))

    assert depois is not None
    assert depois is not antes
    assert (antes.versao, depois.versao) == (1, 1)


def test_a_placeholder_says_nothing():
    """Its creation was not seen yet."""
    assert anunciados(pagamento("pago"), cozinha("Pronto")) == []


def test_an_unchanged_state_says_nothing():
    """A duplicate must not ring twice."""
    estado = folded(criado(item()))

    assert anunciar(estado, estado) is None
    assert anunciar(None, None) is None


def test_one_change_has_one_event_id_and_another_change_another():
    """The id is the identity of the content: a consumer that has seen the id has seen the content."""
    uns = anunciados(criado(item()), pagamento("pago"))
    outros = anunciados(criado(item()), pagamento("pago"))

    assert [dito.event_id for dito in uns] == [dito.event_id for dito in outros]
    assert len({dito.event_id for dito in uns}) == 2


def test_an_announcement_says_what_the_state_says():
    """The newest announcement of an order equals its state."""
    estado = folded(criado(item("1", 2)), pagamento("pago", quando=em(1)))

    dito = anunciados(criado(item("1", 2)), pagamento("pago", quando=em(1)))[-1]

    assert dito.data.id_pedido == estado.id_pedido
    assert dito.data.tempo_estimado == estado.tempo_estimado
    assert dito.data.atualizado_em == estado.atualizado_em
    assert dito.data.versao == estado.versao


def test_a_payment_before_its_order_waits_in_a_placeholder():
    """The queues have no common order, so the early payment must neither be lost nor shown."""
    estado = folded(pagamento("pago"))

    assert (estado.conhecido, estado.status, estado.status_pagamento) == (False, "Em preparação", "pago")
    assert (estado.tempo_estimado, estado.total, estado.itens, estado.versao) == (None, None, None, 0)


def test_a_status_before_its_order_waits_in_a_placeholder():
    """A kitchen may be faster than the message of the order."""
    estado = folded(cozinha("Em preparação"))

    assert (estado.conhecido, estado.status, estado.status_pagamento) == (False, "Em preparação", "pendente")


def test_the_order_fills_its_placeholder():
    """What waited must be there once the order is known."""
    estado = folded(pagamento("pago"), criado(item()))

    assert (estado.conhecido, estado.status, estado.status_pagamento) == (True, "Em preparação", "pago")
    assert (estado.total, estado.tempo_estimado) == (Decimal("22.50"), "00:18:00")


@pytest.mark.parametrize("ao_contrario", [False, True])
def test_of_two_creations_the_newer_stands(ao_contrario):
    """The newer event states what was ordered, even if it arrives first."""
    eventos = [criado(item("1"), quando=em(0)), criado(item("2", preco="6"), quando=em(1))]

    estado = folded(*(reversed(eventos) if ao_contrario else eventos))

    assert estado.total == Decimal("6.00")
    assert estado.criado_em == em(1).em


def test_a_product_after_its_orders_estimates_both_again():
    """Two orders with one product each get its data, and only its data."""
    fichas = catalogo(produto("7", tempo_preparo=10))
    um, dois = folded(criado(item("7"))), folded(criado(item("7", 3)))

    tempos = [
        depois.tempo_estimado
        for antes in (um, dois)
        if (depois := aplicar(antes, ComCatalogo(id_pedido="1001", fichas=fichas)))
    ]

    assert tempos == ["00:25:00", "00:45:00"]


def test_a_product_before_or_after_its_order_comes_to_the_same():
    """The order and its product arrive on two queues, in any order."""
    fichas = catalogo(produto("7", nome="Batata", tempo_preparo=10))
    pedido = criado(item("7"))

    antes = folded(ComCatalogo(id_pedido="1001", evento=pedido, fichas=fichas))
    depois = folded(pedido, ComCatalogo(id_pedido="1001", fichas=fichas))

    assert visible(antes) == visible(depois)


def test_an_older_view_of_the_catalogue_changes_nothing():
    """A slow fan-out may bring an older state than the one that a faster fan-out brought."""
    velha = catalogo(produto("7", em(-60), tempo_preparo=8))
    nova = catalogo(produto("7", em(-60), tempo_preparo=8), produto("7", em(-30), tempo_preparo=10))
    antes = folded(ComCatalogo(id_pedido="1001", evento=criado(item("7")), fichas=nova))

    assert aplicar(antes, ComCatalogo(id_pedido="1001", fichas=velha)) is antes


def test_the_catalogue_moves_no_time_of_the_order():
    """A product's time is when the menu changed, not the order."""
    fichas = catalogo(produto("7", em(30), tempo_preparo=10))

    estado = folded(criado(item("7")), ComCatalogo(id_pedido="1001", fichas=fichas))

    assert estado.atualizado_em == em(0).em


def test_the_catalogue_creates_no_order():
    """A fan-out may reach an order whose state has expired."""
    assert aplicar(None, ComCatalogo(id_pedido="1001", fichas=catalogo(produto()))) is None


def test_the_visible_fields_are_a_projection_of_the_facts():
    """All that is shown comes from the facts, so a state can be computed again from them."""
    estado = folded(pagamento("pago"), criado(item("1", 2), total="40"), cozinha("Pronto", em(9)))

    refeito = aplicar(
        msgspec.structs.replace(estado, status="Recebido", alertas=(), total=None),
        cozinha("Finalizado", em(9)),
    )

    assert isinstance(refeito, Acompanhamento)
    assert (refeito.total, refeito.alertas) == (Decimal("40.00"), ("total_divergente",))
