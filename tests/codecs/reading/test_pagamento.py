"""Payment events: whose they are, and the status that they state."""

from datetime import UTC, datetime

import pytest

from streamapp_codecs.dominio.eventos import Pagamento


def test_recebido_on_a_payment_is_approved(one) -> None:
    """On orders the same word is the first of the kitchen."""
    event = one(
        {
            "event_type": "pagamento_atualizado",
            "data": {
                "id_pagamento": 459371,
                "id_pedido": "1001",
                "valor": "51",
                "status": "Recebido",
                "data_criacao": "2025-07-28T15:00:20.123456",
            },
        },
        "pagamento",
    )

    assert event.id_pedido == "1001"
    assert event.tipo == "pagamento_atualizado"
    assert event.pagamento == Pagamento(status="pago", id_pagamento="459371")
    assert event.quando.em == datetime(2025, 7, 28, 15, 0, 20, 123456, tzinfo=UTC)
    assert event.status is None
    assert event.criacao is None


def test_a_bare_payment_without_a_status_is_undecidable(reason) -> None:
    """Its result was in the name of a queue or in a routing key, and is lost; it must not be taken for paid."""
    assert reason({"pedidoId": 1007}, "pagamento") == "undecidable"


def test_an_explicit_update_without_a_status_misses_a_field(reason) -> None:
    """An event of this kind has a status."""
    assert (
        reason({"event_type": "pagamento_atualizado", "data": {"id_pedido": 1}}, "pagamento")
        == "missing_field"
    )


def test_a_created_payment_without_a_status_is_pending(one) -> None:
    """At its creation it can be nothing else."""
    event = one({"event_type": "PagamentoCriado", "data": {"idPedido": 1, "id": 5}}, "pagamento")

    assert event.tipo == "pagamento_criado"
    assert event.pagamento == Pagamento(status="pendente", id_pagamento="5")


def test_an_unknown_word_is_skipped(decode) -> None:
    """What the payment service sends when its webhook fails must not change an order."""
    decoded = decode({"pedidoId": 1, "status": "Desconhecido"}, "pagamento")

    assert decoded.skipped == ("pagamento_atualizado (Desconhecido)",)
    assert decoded.events == ()
    assert decoded.error is None


@pytest.mark.parametrize("field", ["status", "statusPagamento", "estadoPagamento"])
@pytest.mark.parametrize("value", [1, "1", 0])
def test_a_number_as_a_status_is_undecidable(reason, field, value) -> None:
    """One producer counts 0, 1, 2; another starts elsewhere."""
    assert reason({"pedidoId": 1, field: value}, "pagamento") == "undecidable"


@pytest.mark.parametrize(("value", "status"), [(True, "pago"), (False, "falhou")])
def test_foi_aprovado_decides(one, value, status) -> None:
    """FiapTeam17 sends true or false."""
    assert one({"IdPedido": 5, "foiAprovado": value}, "pagamento").pagamento == Pagamento(status=status)


@pytest.mark.parametrize("value", ["true", 1, [], {}])
def test_foi_aprovado_is_a_boolean_or_invalid(reason, value) -> None:
    """Its producer never sends a text that looks like one."""
    assert reason({"IdPedido": 5, "foiAprovado": value}, "pagamento") == "invalid_value"


def test_a_kitchen_word_beside_a_payment_status_is_a_kitchen_fact(one) -> None:
    """TeamG11 sends both, and the plain id is then the order's."""
    event = one({"id": "12", "status": "em preparacao", "statusPagamento": "recebido"}, "pagamento")

    assert event.id_pedido == "12"
    assert event.status == "Em preparação"
    assert event.pagamento == Pagamento(status="pago")


def test_a_plain_id_is_the_payments_where_the_order_has_its_own(one) -> None:
    """Only one of the two can be the order's."""
    event = one(
        {"id": 12, "pedidoId": 7, "status": "em preparacao", "statusPagamento": "recebido"}, "pagamento"
    )

    assert event.id_pedido == "7"
    assert event.pagamento == Pagamento(status="pago", id_pagamento="12")


@pytest.mark.parametrize(("word", "status"), [("recebido", "Recebido"), ("cancelado", "Cancelado")])
def test_a_kitchen_word_beside_a_payment_status_is_no_payment(one, word, status) -> None:
    """These words are in both vocabularies, and a word counts once: it must not make a payment paid."""
    event = one({"id": "12", "status": word, "statusPagamento": "Desconhecido"}, "pagamento")

    assert event.status == status
    assert event.pagamento is None


@pytest.mark.parametrize("name", ["estadoPagamento", "payment_status", "situacao_pagamento"])
def test_a_payments_plain_id_is_no_order_id_where_the_orders_is_null(reason, name) -> None:
    """It would pay for somebody else's order."""
    body = {"pagamento": {"id": 12, "pedidoId": None, "transacaoId": "tx", name: "CONFIRMADO"}}

    assert reason(body, "pagamento") == "missing_field"


def test_a_plain_id_is_no_order_id_where_the_payment_has_its_own(reason) -> None:
    """It may be anything then, but not surely an order's."""
    body = {"id": 12, "id_pagamento": 9, "statusPagamento": "pago"}

    assert reason(body, "pagamento") == "missing_field"


@pytest.mark.parametrize("status", ["recusado", "failed"])
def test_a_failed_payment_cancels_no_order(one, status) -> None:
    """These words are in both vocabularies, and must not stop the cooking."""
    event = one({"pedidoId": 7, "status": status, "statusPagamento": "negado"}, "pagamento")

    assert event.status is None
    assert event.pagamento == Pagamento(status="falhou")


def test_a_payment_id_is_no_order_id(reason) -> None:
    """The payment of WillianViegas has no id of an order."""
    body = {
        "Id": "65f0c0ffee65f0c0ffee65f0",
        "OrderDePagamento": "9",
        "Status": "OK",
        "DataTransacao": "2024-05-20",
    }

    assert reason(body, "pagamento") == "missing_field"


@pytest.mark.parametrize("value", ["x", -1, [], {}, True, "1e999", None, 10**400])
def test_a_payments_amount_never_makes_it_fail(one, value) -> None:
    """No decision reads it."""
    body = {"event_type": "pagamento_atualizado", "data": {"id_pedido": 1, "status": "pago", "valor": value}}

    assert one(body, "pagamento").pagamento == Pagamento(status="pago")


def test_two_wrappers_are_one_payment(one) -> None:
    """The order beside the payment is the one that it is for."""
    body = {"pedido": {"id": 7}, "pagamento": {"id": 9, "status": "aprovado"}}

    event = one(body, "pagamento")

    assert event.id_pedido == "7"
    assert event.pagamento == Pagamento(status="pago", id_pagamento="9")


def test_a_payment_beside_its_orders_id_is_read(one) -> None:
    """An object under `pagamento` is the payment, alone or beside other fields."""
    pagamento = {"id": 9, "status": "PAGO"}

    for body in ({"pedidoId": 7, "pagamento": pagamento}, {"data": {"pedidoId": 7, "pagamento": pagamento}}):
        event = one(body, "pagamento")

        assert event.id_pedido == "7"
        assert event.pagamento == Pagamento(status="pago", id_pagamento="9")


def test_an_orders_word_beside_a_payment_pays_for_nothing(one) -> None:
    """`Recebido` is approved only where it is the payment's own."""
    event = one({"pedidoId": 7, "status": "Recebido", "pagamento": {"status": "Pendente"}}, "pagamento")

    assert event.pagamento == Pagamento(status="pendente")


def test_an_order_inside_is_no_envelope_where_the_kind_is_a_payments(one, reason) -> None:
    """It is the order that the payment is for."""
    body = {"event_type": "pagamento_aprovado", "data": {"pedido": {"id": 7}}}

    assert one(body).id_pedido == "7"
    assert one({"status": "PAGO", "pedido": {"id": 7}}, "pagamento").id_pedido == "7"
    assert reason({"id": 9, "pedido": {"id": 7, "itens": ["X"]}}, "pagamento") == "undecidable"


def test_the_order_inside_a_payment_is_its_order(one) -> None:
    """An object under `pedido` is a field here, and no envelope."""
    event = one({"id": 9, "status": "PAGO", "pedido": {"id": 7}}, "pagamento")

    assert event.id_pedido == "7"
    assert event.pagamento == Pagamento(status="pago", id_pagamento="9")
