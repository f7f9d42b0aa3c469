"""What the events of one order come to."""

from datetime import timedelta
from decimal import Decimal

import msgspec
import pytest

from rigs.pedidos_de_exemplo import (
    ENVIO,
    catalogo,
    cozinha,
    criado,
    dobrar,
    em,
    item,
    pagamento,
    produto,
    visivel,
)
from streamapp_agents.dominio.acompanhamento import Acompanhamento, ComCatalogo, aplicar
from streamapp_agents.dominio.estimativa import ItemPedido
from streamapp_codecs.dominio.eventos import EventoPedido, Pagamento, Status, StatusPagamento


def test_a_payment_before_its_order_waits_in_a_placeholder():
    """The queues have no common order, so the early payment must neither be lost nor shown."""
    estado = dobrar(pagamento("pago"))

    assert (estado.conhecido, estado.status, estado.status_pagamento) == (False, "Em preparação", "pago")
    assert (estado.tempo_estimado, estado.total, estado.itens, estado.versao) == (None, None, None, 0)


def test_a_status_before_its_order_waits_in_a_placeholder():
    """A kitchen may be quicker than the message that says what it cooks."""
    estado = dobrar(cozinha("Em preparação"))

    assert (estado.conhecido, estado.status, estado.status_pagamento) == (False, "Em preparação", "pendente")


def test_the_order_fills_its_placeholder():
    """What waited must be there once the order is known."""
    estado = dobrar(pagamento("pago"), criado(item()))

    assert (estado.conhecido, estado.status, estado.status_pagamento) == (True, "Em preparação", "pago")
    assert (estado.total, estado.tempo_estimado) == (Decimal("22.50"), "00:18:00")


def test_a_late_pendente_is_absorbed():
    """Both events of a payment carry one time, so only the rank of the word can decide."""
    antes = dobrar(criado(item()), pagamento("pago", quando=em(1)))

    assert aplicar(antes, pagamento("pendente", quando=em(1))) is antes


def test_a_repeated_status_changes_nothing():
    """At-least-once delivery makes repetition ordinary, and identity lets the caller skip the write."""
    antes = dobrar(criado(item()), cozinha("Pronto", em(9)))

    assert aplicar(antes, cozinha("Pronto", em(9))) is antes


def test_a_lower_kitchen_word_is_absorbed():
    """A late message must not send food back."""
    estado = dobrar(criado(item()), cozinha("Finalizado"), cozinha("Em preparação"))

    assert estado.status == "Finalizado"


def test_an_anonymous_customer_stays_absent():
    """Half of the customers of a counter give no CPF."""
    assert dobrar(criado(item(), cliente=None)).cliente is None


def test_null_never_erases():
    """A second producer that knows less must not take away what the first one told."""
    cheio = criado(item("1", 2, nome="X-Burger"), total="45", quando=em(0))
    vazio = criado(cliente=None, status=None, quando=em(5))

    estado = dobrar(cheio, vazio)

    assert (estado.cliente, estado.total) == ("***.982.247-**", Decimal("45.00"))
    assert estado.itens == (
        ItemPedido(id_produto="1", nome="X-Burger", quantidade=2, preco=Decimal("22.50")),
    )


@pytest.mark.parametrize("ao_contrario", [False, True])
def test_of_two_creations_the_newer_stands(ao_contrario):
    """What was ordered is what the newer event says, whichever came last."""
    eventos = [criado(item("1"), quando=em(0)), criado(item("2", preco="6"), quando=em(1))]

    estado = dobrar(*(reversed(eventos) if ao_contrario else eventos))

    assert estado.total == Decimal("6.00")
    assert estado.criado_em == em(1).em


def test_a_creation_without_a_time_has_the_time_it_was_sent():
    """Some producers send none, and a known order has to sort by something."""
    estado = dobrar(criado(item(), quando=None), cozinha("Pronto"))

    assert (estado.criado_em, estado.atualizado_em) == (ENVIO, ENVIO)


def test_a_status_without_a_time_moves_no_time():
    """SentTimestamp is no event time: it stands in for what an order is, not for what became of it."""
    estado = dobrar(criado(item(), quando=em(0)), cozinha("Pronto"), pagamento("pago"))

    assert estado.atualizado_em == em(0).em


def test_atualizado_em_is_the_newest_event_time():
    """An absorbed event was applied too."""
    estado = dobrar(criado(item(), quando=em(0)), cozinha("Pronto", em(9)), cozinha("Em preparação", em(4)))

    assert estado.atualizado_em == em(9).em


@pytest.mark.parametrize(
    ("palavras", "esperada"),
    [
        ((), "pendente"),
        (("pendente", "falhou"), "falhou"),
        (("falhou", "cancelado"), "cancelado"),
        (("pago", "falhou"), "pago"),
        (("estornado", "pago", "pendente"), "estornado"),
    ],
)
def test_one_payment_stands_at_its_highest_word(
    palavras: tuple[StatusPagamento, ...], esperada: StatusPagamento
):
    """The words of a payment have a rank because its times have none."""
    assert dobrar(criado(item()), *map(pagamento, palavras)).status_pagamento == esperada


def test_a_second_payment_saves_a_refused_one():
    """A card is refused, another is tried; the late refusal of the first changes nothing."""
    antes = dobrar(criado(item()), pagamento("falhou", "8"), pagamento("pago", "9"))

    assert (antes.status, antes.status_pagamento) == ("Em preparação", "pago")
    assert aplicar(antes, pagamento("falhou", "8")) is antes


def test_one_refund_of_two_payments_leaves_the_order_paid():
    """Who paid twice by mistake gets one back and still eats."""
    estado = dobrar(
        criado(item()), pagamento("pago", "8"), pagamento("pago", "9"), pagamento("estornado", "8")
    )

    assert (estado.status_pagamento, estado.alertas) == ("pago", ())


def test_a_refund_does_not_uncook():
    """What was given back had been paid, so the kitchen had begun."""
    estado = dobrar(criado(item()), pagamento("estornado"))

    assert (estado.status, estado.status_pagamento) == ("Em preparação", "estornado")
    assert estado.alertas == ("estornado_apos_preparo",)


def test_a_refund_before_any_cooking_is_no_alert_where_the_kitchen_waits():
    """Under manual a paid order is not yet being cooked."""
    estado = dobrar(criado(item()), pagamento("estornado"), inicio="manual")

    assert (estado.status, estado.alertas) == ("Recebido", ())


def test_a_refund_with_a_cancel_before_any_cooking_is_no_alert():
    """Cancelado alone is not a later stage of cooking."""
    estado = dobrar(criado(item()), pagamento("estornado"), cozinha("Cancelado"), inicio="manual")

    assert (estado.status, estado.alertas) == ("Cancelado", ())


@pytest.mark.parametrize(("inicio", "status"), [("automatico", "Em preparação"), ("manual", "Recebido")])
def test_a_paid_order_starts_as_configured(inicio, status):
    """Some kitchens start by themselves, some wait for their own word."""
    assert dobrar(criado(item()), pagamento("pago"), inicio=inicio).status == status


def test_cooking_unpaid_is_believed_and_flagged():
    """The kitchen knows what it cooks; the shop wants to know that nobody paid."""
    estado = dobrar(criado(item()), cozinha("Em preparação"))

    assert (estado.status, estado.alertas) == ("Em preparação", ("nao_pago",))


def test_a_payment_ends_nao_pago():
    """A flag speaks of the facts, and the fact that was missing has come."""
    assert dobrar(criado(item()), cozinha("Em preparação"), pagamento("pago")).alertas == ()


def test_cancelling_an_unpaid_order_is_no_alert():
    """Nothing was cooked."""
    assert dobrar(criado(item()), cozinha("Cancelado")).alertas == ()


def test_a_jump_is_flagged_until_the_word_between_arrives():
    """The missing word may merely be late."""
    salto = dobrar(criado(item()), pagamento("pago"), cozinha("Finalizado"))

    depois = dobrar(criado(item()), pagamento("pago"), cozinha("Finalizado"), cozinha("Pronto"))

    assert (salto.status, salto.alertas) == ("Finalizado", ("salto",))
    assert (depois.status, depois.alertas) == ("Finalizado", ())


def test_a_payment_heals_the_jump_over_em_preparacao():
    """A paid order has Em preparação without the kitchen's saying so."""
    assert dobrar(criado(item()), cozinha("Pronto")).alertas == ("nao_pago", "salto")
    assert dobrar(criado(item()), cozinha("Pronto"), pagamento("pago")).alertas == ()


@pytest.mark.parametrize(
    ("palavras", "alertas"),
    [
        (("Cancelado",), ()),
        (("Em preparação", "Cancelado"), ()),
        (("Finalizado", "Cancelado"), ("apos_terminal", "salto")),
        (("Em preparação", "Pronto", "Finalizado", "Cancelado"), ("apos_terminal",)),
    ],
)
def test_cancelado_beats_finalizado_and_skips_nothing_itself(palavras: tuple[Status, ...], alertas):
    """Both terminals seen is odd in whatever order; the words below it tell whether one was skipped."""
    for ordem in (palavras, palavras[::-1]):
        estado = dobrar(criado(item()), pagamento("pago"), *map(cozinha, ordem), inicio="manual")

        assert (estado.status, estado.alertas) == ("Cancelado", alertas)


def test_quantities_count_in_totals_and_estimates():
    """Two burgers and a can: 2 x 22.50 + 6.00, and 15 + 2 x 5 + 1 minutes."""
    estado = dobrar(criado(item("1", 2, categoria="LANCHE"), item("2", 1, "6", categoria="BEBIDA")))

    assert (estado.total, estado.tempo_estimado) == (Decimal("51.00"), "00:26:00")


def test_totals_are_decimal():
    """Ten times 0.10 is one real, not 0.9999."""
    assert str(dobrar(criado(item(quantidade=10, preco="0.1"))).total) == "1.00"


def test_a_stated_total_that_differs_is_kept_and_flagged():
    """The till may know of a discount; someone should look."""
    estado = dobrar(criado(item(preco="22.5"), total="20"))

    assert (estado.total, estado.alertas) == (Decimal("20.00"), ("total_divergente",))


def test_a_stated_total_that_agrees_is_no_alert():
    """18 and 18.00 are one amount."""
    assert dobrar(criado(item(preco="18.00"), total="18")).alertas == ()


def test_an_unknown_price_leaves_the_total_absent():
    """A sum of what is known would be a wrong total, and the catalogue's price is not what was charged."""
    fichas = catalogo(produto("1", preco="9.90"))

    estado = dobrar(ComCatalogo(id_pedido="1001", evento=criado(item(preco=None)), fichas=fichas))

    assert estado.total is None
    assert estado.itens == (ItemPedido(id_produto="1", quantidade=1),)


def test_a_stated_total_stands_where_prices_are_unknown():
    """A producer that sends null prices states what is to be paid."""
    assert dobrar(criado(item(preco=None), total="51.0")).total == Decimal("51.00")


def test_one_price_in_other_digits_is_the_same_fact():
    """A republished creation with 18.00 for 18 must not depend on which hash is larger."""
    antes = dobrar(criado(item(preco="18")))

    assert aplicar(antes, criado(item(preco="18.000"))) is antes


def test_a_price_has_at_least_two_places():
    """What is shown is money; a third place that was charged is not rounded away."""
    estado = dobrar(criado(item("1", preco="18"), item("2", preco="0.125")))

    assert estado.itens is not None
    assert [str(linha.preco) for linha in estado.itens] == ["18.00", "0.125"]


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
    assert dobrar(criado(item(categoria=categoria))).tempo_estimado == tempo


def test_a_known_order_without_items_takes_a_quarter_of_an_hour():
    """The queue at the counter alone takes that."""
    assert dobrar(criado()).tempo_estimado == "00:15:00"


def test_an_estimate_counts_hours_past_a_day():
    """A party of 500 must not come out as a time of day."""
    assert dobrar(criado(item(quantidade=500, categoria="Lanche"))).tempo_estimado == "41:55:00"


def test_an_estimate_keeps_two_digits_of_hours():
    """What is shorter than an hour still reads HH:MM:SS."""
    assert dobrar(criado(item(quantidade=9, categoria="Lanche"))).tempo_estimado == "01:00:00"


def test_the_catalogue_fills_in_names_and_times():
    """An order often carries no more than product ids."""
    fichas = catalogo(produto("7", nome="Batata", categoria="Acompanhamento", tempo_preparo=10))

    estado = dobrar(ComCatalogo(id_pedido="1001", evento=criado(item("7", 2)), fichas=fichas))

    assert estado.tempo_estimado == "00:35:00"
    assert estado.itens == (
        ItemPedido(
            id_produto="7", nome="Batata", categoria="Acompanhamento", quantidade=2, preco=Decimal("22.50")
        ),
    )


def test_an_item_s_own_words_outrank_the_catalogue():
    """What the customer was shown is in the order."""
    fichas = catalogo(produto("7", nome="Batata G", categoria="Lanche", tempo_preparo=10))
    proprio = item("7", nome="Batata", categoria="Bebida", tempo_preparo=2)

    estado = dobrar(ComCatalogo(id_pedido="1001", evento=criado(proprio), fichas=fichas))

    assert estado.itens is not None
    assert (estado.itens[0].nome, estado.itens[0].categoria) == ("Batata", "Bebida")
    assert estado.tempo_estimado == "00:17:00"


def test_the_catalogue_s_time_replaces_the_item_s_category():
    """A known preparation time says more than a category."""
    fichas = catalogo(produto("7", tempo_preparo=10))
    evento = criado(item("7", categoria="Bebida"))

    assert dobrar(ComCatalogo(id_pedido="1001", evento=evento, fichas=fichas)).tempo_estimado == "00:25:00"


def test_a_preparation_time_of_zero_is_unknown():
    """A real producer writes 0 where it knows none."""
    fichas = catalogo(produto("7", categoria="Lanche", tempo_preparo=0))

    estado = dobrar(ComCatalogo(id_pedido="1001", evento=criado(item("7", tempo_preparo=0)), fichas=fichas))

    assert estado.tempo_estimado == "00:20:00"


def test_a_product_after_its_orders_estimates_both_again():
    """Two orders with one product each learn of it, and neither of the other."""
    fichas = catalogo(produto("7", tempo_preparo=10))
    um, dois = dobrar(criado(item("7"))), dobrar(criado(item("7", 3)))

    tempos = [
        depois.tempo_estimado
        for antes in (um, dois)
        if (depois := aplicar(antes, ComCatalogo(id_pedido="1001", fichas=fichas)))
    ]

    assert tempos == ["00:25:00", "00:45:00"]


def test_a_product_before_or_after_its_order_comes_to_the_same():
    """The order and its product race each other on two queues."""
    fichas = catalogo(produto("7", nome="Batata", tempo_preparo=10))
    pedido = criado(item("7"))

    antes = dobrar(ComCatalogo(id_pedido="1001", evento=pedido, fichas=fichas))
    depois = dobrar(pedido, ComCatalogo(id_pedido="1001", fichas=fichas))

    assert visivel(antes) == visivel(depois)


def test_an_older_view_of_the_catalogue_changes_nothing():
    """A slow fan-out may bring what a quicker one has overtaken."""
    velha = catalogo(produto("7", em(-60), tempo_preparo=8))
    nova = catalogo(produto("7", em(-60), tempo_preparo=8), produto("7", em(-30), tempo_preparo=10))
    antes = dobrar(ComCatalogo(id_pedido="1001", evento=criado(item("7")), fichas=nova))

    assert aplicar(antes, ComCatalogo(id_pedido="1001", fichas=velha)) is antes


def test_the_catalogue_moves_no_time_of_the_order():
    """A product's time says when the menu changed, not the order."""
    fichas = catalogo(produto("7", em(30), tempo_preparo=10))

    estado = dobrar(criado(item("7")), ComCatalogo(id_pedido="1001", fichas=fichas))

    assert estado.atualizado_em == em(0).em


def test_the_catalogue_creates_no_order():
    """A fan-out may reach an order whose state has expired."""
    assert aplicar(None, ComCatalogo(id_pedido="1001", fichas=catalogo(produto()))) is None


def test_a_clock_ahead_is_kept_flagged_and_outranks_nothing():
    """A wrong clock must not win for ever."""
    adiantada = criado(item("2", preco="6"), cliente="***.000.000-**", quando=em(600, adiantado=True))

    for eventos in ([criado(item()), adiantada], [adiantada, criado(item())]):
        estado = dobrar(*eventos)

        assert (estado.cliente, estado.total) == ("***.982.247-**", Decimal("22.50"))
        assert (estado.criado_em, estado.atualizado_em) == (em(0).em, em(0).em)
        assert estado.alertas == ("relogio_adiantado",)


def test_a_clock_ahead_is_all_that_is_known_until_another_speaks():
    """It is kept for the record."""
    estado = dobrar(criado(item(), quando=em(600, adiantado=True)))

    assert (estado.criado_em, estado.atualizado_em) == (em(600).em, em(600).em)


def test_a_status_of_a_clock_ahead_is_a_fact():
    """Only times are doubted; the kitchen did say so."""
    estado = dobrar(criado(item()), pagamento("pago"), cozinha("Pronto", em(600, adiantado=True)))

    assert (estado.status, estado.atualizado_em) == ("Pronto", em(0).em)
    assert estado.alertas == ("relogio_adiantado",)


def test_one_event_may_speak_of_the_order_and_its_payment():
    """One producer sends both statuses in one message, without a payment id."""
    evento = EventoPedido(
        id_pedido="1001",
        tipo="pagamento_atualizado",
        enviado_em=ENVIO,
        status="Em preparação",
        pagamento=Pagamento(status="pago"),
    )

    estado = dobrar(evento)

    assert (estado.status, estado.status_pagamento) == ("Em preparação", "pago")
    assert estado.fatos.pagamentos == {"": "pago"}


def test_the_end_of_an_order_is_when_its_first_terminal_word_was_sent():
    """It decides how long an order listens to its products, and must not depend on the order of arrival."""
    cedo, tarde = ENVIO, ENVIO + timedelta(hours=1)

    for envios in ((cedo, tarde), (tarde, cedo)):
        estado = dobrar(criado(item()), *(cozinha("Finalizado", em(9), envio) for envio in envios))

        assert estado.fatos.encerrado_em == cedo


def test_the_end_of_an_order_shows_nowhere():
    """SentTimestamp is no event time, so nothing that is shown may rest on it."""
    estados = [
        dobrar(criado(item()), cozinha("Finalizado", em(9), ENVIO + timedelta(hours=horas)))
        for horas in (0, 5)
    ]

    assert visivel(estados[0]) == visivel(estados[1])
    assert dobrar(criado(item()), cozinha("Pronto")).fatos.encerrado_em is None


def test_the_visible_fields_are_a_projection_of_the_facts():
    """Nothing is shown that the facts do not say, so a state can be made again from them."""
    estado = dobrar(pagamento("pago"), criado(item("1", 2), total="40"), cozinha("Pronto", em(9)))

    refeito = aplicar(
        msgspec.structs.replace(estado, status="Recebido", alertas=(), total=None),
        cozinha("Finalizado", em(9)),
    )

    assert isinstance(refeito, Acompanhamento)
    assert (refeito.total, refeito.alertas) == (Decimal("40.00"), ("total_divergente",))
