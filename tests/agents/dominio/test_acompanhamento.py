"""What an order's changes say to the outside."""

from rigs.pedidos_de_exemplo import (
    anunciados,
    catalogo,
    cozinha,
    criado,
    dobrar,
    em,
    item,
    pagamento,
    produto,
)
from streamapp_agents.dominio.acompanhamento import ComCatalogo, anunciar, aplicar


def test_the_first_announcement_has_no_previous_status():
    """There was none that anyone outside had heard of."""
    (dito,) = anunciados(criado(item()))

    assert (dito.data.status, dito.data.status_anterior, dito.data.versao) == ("Recebido", None, 1)


def test_an_order_that_waited_is_announced_once_with_all_that_came_before():
    """A placeholder is on no list; the order that fills it appears as it stands."""
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
    """The customer wants to know that the card was refused."""
    dito = anunciados(criado(item()), pagamento("falhou"))[-1]

    assert (dito.data.status, dito.data.status_anterior) == ("Recebido", "Recebido")
    assert (dito.data.status_pagamento, dito.data.versao) == ("falhou", 2)


def test_a_new_estimate_is_announced():
    """The monitor shows when it will be ready."""
    fichas = catalogo(produto("1", tempo_preparo=10))

    dito = anunciados(criado(item("1")), ComCatalogo(id_pedido="1001", fichas=fichas))[-1]

    assert (dito.data.tempo_estimado, dito.data.versao) == ("00:25:00", 2)


def test_other_changes_say_nothing():
    """A flag, a name, a time or an absorbed word is nobody's news."""
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
    antes = dobrar(criado(item()))

    depois = aplicar(antes, cozinha("Recebido", em(5)))

    assert depois is not None
    assert depois is not antes
    assert (antes.versao, depois.versao) == (1, 1)


def test_a_placeholder_says_nothing():
    """Nobody ordered it yet, as far as anyone knows."""
    assert anunciados(pagamento("pago"), cozinha("Pronto")) == []


def test_an_unchanged_state_says_nothing():
    """A duplicate must not ring twice."""
    estado = dobrar(criado(item()))

    assert anunciar(estado, estado) is None
    assert anunciar(None, None) is None


def test_one_change_has_one_event_id_and_another_change_another():
    """The id is the identity of the content: whoever has seen it has seen this."""
    uns = anunciados(criado(item()), pagamento("pago"))
    outros = anunciados(criado(item()), pagamento("pago"))

    assert [dito.event_id for dito in uns] == [dito.event_id for dito in outros]
    assert len({dito.event_id for dito in uns}) == 2


def test_an_announcement_says_what_the_state_says():
    """The newest announcement of an order equals its state."""
    estado = dobrar(criado(item("1", 2)), pagamento("pago", quando=em(1)))

    dito = anunciados(criado(item("1", 2)), pagamento("pago", quando=em(1)))[-1]

    assert dito.data.id_pedido == estado.id_pedido
    assert dito.data.tempo_estimado == estado.tempo_estimado
    assert dito.data.atualizado_em == estado.atualizado_em
    assert dito.data.versao == estado.versao
