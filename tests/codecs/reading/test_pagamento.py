"""Payment events: whose they are, and what became of the payment."""

from datetime import UTC, datetime

import pytest

from streamapp_codecs.dominio.eventos import Pagamento


def test_recebido_on_a_payment_is_approved(um) -> None:
    """On orders the same word is the first of the kitchen."""
    evento = um(
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

    assert evento.id_pedido == "1001"
    assert evento.tipo == "pagamento_atualizado"
    assert evento.pagamento == Pagamento(status="pago", id_pagamento="459371")
    assert evento.quando.em == datetime(2025, 7, 28, 15, 0, 20, 123456, tzinfo=UTC)
    assert evento.status is None
    assert evento.criacao is None


def test_a_bare_payment_without_a_status_is_undecidable(motivo) -> None:
    """Its result was in a queue's name or a routing key that is lost; it is never guessed to be paid."""
    assert motivo({"pedidoId": 1007}, "pagamento") == "undecidable"


def test_an_explicit_update_without_a_status_misses_a_field(motivo) -> None:
    """The kind promised a status."""
    assert (
        motivo({"event_type": "pagamento_atualizado", "data": {"id_pedido": 1}}, "pagamento")
        == "missing_field"
    )


def test_a_created_payment_without_a_status_is_pending(um) -> None:
    """Nothing else can have become of it yet."""
    evento = um({"event_type": "PagamentoCriado", "data": {"idPedido": 1, "id": 5}}, "pagamento")

    assert evento.tipo == "pagamento_criado"
    assert evento.pagamento == Pagamento(status="pendente", id_pagamento="5")


def test_an_unknown_word_is_skipped(decodificar) -> None:
    """The sibling's answer when its webhook fails must not change an order."""
    decoded = decodificar({"pedidoId": 1, "status": "Desconhecido"}, "pagamento")

    assert decoded.skipped == ("pagamento_atualizado (Desconhecido)",)
    assert decoded.events == ()
    assert decoded.error is None


@pytest.mark.parametrize("campo", ["status", "statusPagamento", "estadoPagamento"])
@pytest.mark.parametrize("valor", [1, "1", 0])
def test_a_number_as_a_status_is_undecidable(motivo, campo, valor) -> None:
    """One producer counts 0, 1, 2; another starts elsewhere."""
    assert motivo({"pedidoId": 1, campo: valor}, "pagamento") == "undecidable"


@pytest.mark.parametrize(("valor", "status"), [(True, "pago"), (False, "falhou")])
def test_foi_aprovado_decides(um, valor, status) -> None:
    """FiapTeam17 answers yes or no."""
    assert um({"IdPedido": 5, "foiAprovado": valor}, "pagamento").pagamento == Pagamento(status=status)


@pytest.mark.parametrize("valor", ["true", 1, [], {}])
def test_foi_aprovado_is_a_boolean_or_invalid(motivo, valor) -> None:
    """A text that looks like one is not what its producer sends."""
    assert motivo({"IdPedido": 5, "foiAprovado": valor}, "pagamento") == "invalid_value"


def test_a_kitchen_word_beside_a_payment_status_is_a_kitchen_fact(um) -> None:
    """TeamG11 sends both, and the plain id is then the order's."""
    evento = um({"id": "12", "status": "em preparacao", "statusPagamento": "recebido"}, "pagamento")

    assert evento.id_pedido == "12"
    assert evento.status == "Em preparação"
    assert evento.pagamento == Pagamento(status="pago")


def test_a_plain_id_is_the_payments_where_the_order_has_its_own(um) -> None:
    """Only one of the two can be the order's."""
    evento = um(
        {"id": 12, "pedidoId": 7, "status": "em preparacao", "statusPagamento": "recebido"}, "pagamento"
    )

    assert evento.id_pedido == "7"
    assert evento.pagamento == Pagamento(status="pago", id_pagamento="12")


@pytest.mark.parametrize(("palavra", "status"), [("recebido", "Recebido"), ("cancelado", "Cancelado")])
def test_a_kitchen_word_beside_a_payment_status_is_no_payment(um, palavra, status) -> None:
    """Both vocabularies know these words, and one word is one fact: it pays for nothing that is not known to be paid."""
    evento = um({"id": "12", "status": palavra, "statusPagamento": "Desconhecido"}, "pagamento")

    assert evento.status == status
    assert evento.pagamento is None


@pytest.mark.parametrize("nome", ["estadoPagamento", "payment_status", "situacao_pagamento"])
def test_a_payments_plain_id_is_no_order_id_where_the_orders_is_null(motivo, nome) -> None:
    """It would pay for somebody else's order."""
    corpo = {"pagamento": {"id": 12, "pedidoId": None, "transacaoId": "tx", nome: "CONFIRMADO"}}

    assert motivo(corpo, "pagamento") == "missing_field"


def test_a_plain_id_is_no_order_id_where_the_payment_has_its_own(motivo) -> None:
    """Whatever it is then, it is nobody's order for sure."""
    corpo = {"id": 12, "id_pagamento": 9, "statusPagamento": "pago"}

    assert motivo(corpo, "pagamento") == "missing_field"


@pytest.mark.parametrize("status", ["recusado", "failed"])
def test_a_failed_payment_cancels_no_order(um, status) -> None:
    """Both vocabularies know these words; food is never sent back for them."""
    evento = um({"pedidoId": 7, "status": status, "statusPagamento": "negado"}, "pagamento")

    assert evento.status is None
    assert evento.pagamento == Pagamento(status="falhou")


def test_a_payment_id_is_no_order_id(motivo) -> None:
    """WillianViegas' payment names no order that we could know."""
    corpo = {
        "Id": "65f0c0ffee65f0c0ffee65f0",
        "OrderDePagamento": "9",
        "Status": "OK",
        "DataTransacao": "2024-05-20",
    }

    assert motivo(corpo, "pagamento") == "missing_field"


@pytest.mark.parametrize("valor", ["x", -1, [], {}, True, "1e999", None, 10**400])
def test_a_payments_amount_never_makes_it_fail(um, valor) -> None:
    """No decision reads it."""
    corpo = {"event_type": "pagamento_atualizado", "data": {"id_pedido": 1, "status": "pago", "valor": valor}}

    assert um(corpo, "pagamento").pagamento == Pagamento(status="pago")


def test_two_wrappers_are_one_payment(um) -> None:
    """The order beside the payment tells whose it is."""
    corpo = {"pedido": {"id": 7}, "pagamento": {"id": 9, "status": "aprovado"}}

    evento = um(corpo, "pagamento")

    assert evento.id_pedido == "7"
    assert evento.pagamento == Pagamento(status="pago", id_pagamento="9")


def test_a_payment_beside_its_orders_id_is_read(um) -> None:
    """An object under `pagamento` is the payment, whether or not it is all there is."""
    pagamento = {"id": 9, "status": "PAGO"}

    for corpo in ({"pedidoId": 7, "pagamento": pagamento}, {"data": {"pedidoId": 7, "pagamento": pagamento}}):
        evento = um(corpo, "pagamento")

        assert evento.id_pedido == "7"
        assert evento.pagamento == Pagamento(status="pago", id_pagamento="9")


def test_an_orders_word_beside_a_payment_pays_for_nothing(um) -> None:
    """`Recebido` is approved only where it is the payment's own."""
    evento = um({"pedidoId": 7, "status": "Recebido", "pagamento": {"status": "Pendente"}}, "pagamento")

    assert evento.pagamento == Pagamento(status="pendente")


def test_an_order_inside_is_no_envelope_where_a_kind_speaks_of_a_payment(um, motivo) -> None:
    """It tells whose payment it is."""
    corpo = {"event_type": "pagamento_aprovado", "data": {"pedido": {"id": 7}}}

    assert um(corpo).id_pedido == "7"
    assert um({"status": "PAGO", "pedido": {"id": 7}}, "pagamento").id_pedido == "7"
    assert motivo({"id": 9, "pedido": {"id": 7, "itens": ["X"]}}, "pagamento") == "undecidable"


def test_the_order_inside_a_payment_is_its_order(um) -> None:
    """An object under `pedido` is a field here, and no envelope."""
    evento = um({"id": 9, "status": "PAGO", "pedido": {"id": 7}}, "pagamento")

    assert evento.id_pedido == "7"
    assert evento.pagamento == Pagamento(status="pago", id_pagamento="9")
