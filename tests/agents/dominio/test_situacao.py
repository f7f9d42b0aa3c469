"""Where an order stands in the kitchen and with its payments, and its alerts."""

from decimal import Decimal

import pytest

from rigs.order_events import (
    cozinha,
    criado,
    folded,
    item,
    pagamento,
)
from streamapp_agents.dominio.acompanhamento import aplicar
from streamapp_codecs.dominio.eventos import Status, StatusPagamento


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
    assert folded(criado(item()), *map(pagamento, palavras)).status_pagamento == esperada


def test_a_second_payment_saves_a_refused_one():
    """A card is refused and another one works; a late refusal of the first changes nothing."""
    antes = folded(criado(item()), pagamento("falhou", "8"), pagamento("pago", "9"))

    assert (antes.status, antes.status_pagamento) == ("Em preparação", "pago")
    assert aplicar(antes, pagamento("falhou", "8")) is antes


def test_one_refund_of_two_payments_leaves_the_order_paid():
    """A customer who paid twice by mistake gets one payment back, and the food."""
    estado = folded(
        criado(item()), pagamento("pago", "8"), pagamento("pago", "9"), pagamento("estornado", "8")
    )

    assert (estado.status_pagamento, estado.alertas) == ("pago", ())


def test_a_refund_does_not_uncook():
    """A refunded payment was paid before, so the kitchen had begun."""
    estado = folded(criado(item()), pagamento("estornado"))

    assert (estado.status, estado.status_pagamento) == ("Em preparação", "estornado")
    assert estado.alertas == ("estornado_apos_preparo",)


def test_a_refund_before_any_cooking_is_no_alert_where_the_kitchen_waits():
    """With `manual` a paid order is not being cooked yet."""
    estado = folded(criado(item()), pagamento("estornado"), inicio="manual")

    assert (estado.status, estado.alertas) == ("Recebido", ())


def test_a_refund_with_a_cancel_before_any_cooking_is_no_alert():
    """Cancelado alone is not a later stage of cooking."""
    estado = folded(criado(item()), pagamento("estornado"), cozinha("Cancelado"), inicio="manual")

    assert (estado.status, estado.alertas) == ("Cancelado", ())


@pytest.mark.parametrize(("inicio", "status"), [("automatico", "Em preparação"), ("manual", "Recebido")])
def test_a_paid_order_starts_as_configured(inicio, status):
    """Some kitchens start a paid order at once, others on a command of their own."""
    assert folded(criado(item()), pagamento("pago"), inicio=inicio).status == status


def test_cooking_unpaid_is_believed_and_flagged():
    """The kitchen is right about its cooking, but the shop must see that nobody paid."""
    estado = folded(criado(item()), cozinha("Em preparação"))

    assert (estado.status, estado.alertas) == ("Em preparação", ("nao_pago",))


def test_a_payment_ends_nao_pago():
    """An alert depends on the facts, and the missing fact has come."""
    assert folded(criado(item()), cozinha("Em preparação"), pagamento("pago")).alertas == ()


def test_cancelling_an_unpaid_order_is_no_alert():
    """Nothing was cooked."""
    assert folded(criado(item()), cozinha("Cancelado")).alertas == ()


def test_a_jump_is_flagged_until_the_word_between_arrives():
    """The missing word may just be late."""
    salto = folded(criado(item()), pagamento("pago"), cozinha("Finalizado"))

    depois = folded(criado(item()), pagamento("pago"), cozinha("Finalizado"), cozinha("Pronto"))

    assert (salto.status, salto.alertas) == ("Finalizado", ("salto",))
    assert (depois.status, depois.alertas) == ("Finalizado", ())


def test_a_payment_heals_the_jump_over_em_preparacao():
    """A paid order is in Em preparação even if the kitchen never sends it."""
    assert folded(criado(item()), cozinha("Pronto")).alertas == ("nao_pago", "salto")
    assert folded(criado(item()), cozinha("Pronto"), pagamento("pago")).alertas == ()


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
    """Both terminal words together are an alert in any order; the words below decide whether one was skipped."""
    for ordem in (palavras, palavras[::-1]):
        estado = folded(criado(item()), pagamento("pago"), *map(cozinha, ordem), inicio="manual")

        assert (estado.status, estado.alertas) == ("Cancelado", alertas)


def test_a_stated_total_that_differs_is_kept_and_flagged():
    """There may be a discount, so somebody should look at it."""
    estado = folded(criado(item(preco="22.5"), total="20"))

    assert (estado.total, estado.alertas) == (Decimal("20.00"), ("total_divergente",))


def test_a_stated_total_that_agrees_is_no_alert():
    """18 and 18.00 are one amount."""
    assert folded(criado(item(preco="18.00"), total="18")).alertas == ()
