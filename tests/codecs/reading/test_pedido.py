"""Order events: what makes one a creation, what an update, and what it states."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from streamapp_codecs.dominio.eventos import Criacao, Item, Pagamento


def test_a_creation_states_customer_items_and_sum(one) -> None:
    """These are the facts that only a creation has."""
    event = one(
        {
            "event_type": "pedido_criado",
            "data": {
                "id_pedido": 1001,
                "cliente": "529.982.247-25",
                "produtos": [{"id": 1, "quantidade": 2, "preco": 22.5}, {"id": 2, "preco": "6.00"}],
                "status": "Recebido",
                "criado_em": "2025-07-28T15:00:00",
            },
        }
    )

    assert event.id_pedido == "1001"
    assert event.tipo == "pedido_criado"
    assert event.status == "Recebido"
    assert event.quando.em == datetime(2025, 7, 28, 15, tzinfo=UTC)
    assert event.criacao == Criacao(
        cliente="***.982.247-**",
        itens=(
            Item(id_produto="1", quantidade=2, preco=Decimal("22.50")),
            Item(id_produto="2", quantidade=1, preco=Decimal("6.00")),
        ),
        soma=Decimal("51.00"),
    )


@pytest.mark.parametrize(
    "field",
    [
        {"itens": [{"produtoId": 1}]},
        {"cpf": "52998224725"},
        {"valorTotal": 10},
        {"criadoEm": "2025-07-28T12:00:00Z"},
    ],
)
def test_without_a_kind_what_only_a_creation_tells_makes_a_creation(one, field) -> None:
    """Most producers send the bare order."""
    event = one({"pedidoId": 7, "status": "Recebido", **field})

    assert event.tipo == "pedido_criado"
    assert event.criacao is not None


def test_without_a_kind_a_status_alone_is_an_update(one) -> None:
    """The other bare shape: an id and a word."""
    event = one({"idPedido": 7, "status": "EM_PREPARACAO"})

    assert event.tipo == "pedido_status_atualizado"
    assert event.status == "Em preparação"
    assert event.criacao is None


def test_a_bare_id_is_undecidable(reason) -> None:
    """It does not state what happened, so nothing is guessed."""
    assert reason({"pedidoId": 7}) == "undecidable"


def test_an_update_never_makes_the_order_known(one) -> None:
    """A kitchen's topic repeats the items, but only the order's own creation counts."""
    event = one(
        {"event_type": "pedido_atualizado", "data": {"id_pedido": 1, "status": "Pronto", "itens": ["X"]}}
    )

    assert event.criacao is None


def test_an_explicit_update_without_a_status_misses_a_field(reason) -> None:
    """It states that something happened, but not what."""
    assert reason({"event_type": "pedido_atualizado", "data": {"id_pedido": 1}}) == "missing_field"


def test_a_creation_without_items_is_a_creation(one) -> None:
    """An order is known even where its items are not."""
    event = one({"event_type": "pedido_criado", "data": {"id_pedido": 1}})

    assert event.criacao == Criacao()


def test_an_unknown_word_in_a_creation_still_creates(one) -> None:
    """The word has no meaning, but the rest has."""
    event = one({"event_type": "pedido_criado", "data": {"id_pedido": 1, "status": "Desconhecido"}})

    assert event.criacao is not None
    assert event.status is None


def test_an_unknown_word_in_an_update_is_skipped(decode) -> None:
    """It changes nothing, and the tap names it."""
    decoded = decode({"id_pedido": 1, "status": "Pago"})

    assert decoded.skipped == ("pedido_status_atualizado (Pago)",)
    assert decoded.error is None


def test_a_payment_status_in_an_order_is_a_payment_without_an_id(one) -> None:
    """The service xLina sends both in one message."""
    event = one({"id_pedido": "1013", "status": "RECEBIDO", "status_pagamento": "PENDENTE"})

    assert event.status == "Recebido"
    assert event.pagamento == Pagamento(status="pendente")


def test_the_word_in_the_body_wins_over_the_kinds(one) -> None:
    """Cancellations are published to the topic pedido-finalizado."""
    event = one({"event_type": "pedido_finalizado", "data": {"id_pedido": 1, "status": "CANCELADO"}})

    assert event.status == "Cancelado"


def test_the_kinds_word_counts_where_the_body_has_none(one) -> None:
    """A kind with a status word needs no status field."""
    assert one({"event_type": "PedidoPronto", "data": {"id": "a"}}).status == "Pronto"


@pytest.mark.parametrize(
    "body", [{}, {"status": "Pronto"}, {"id_pedido": None, "status": "Pronto"}, {"id": " "}]
)
def test_an_order_without_an_id_misses_a_field(reason, body) -> None:
    """Storing a null id is how others lose orders."""
    assert reason(body) == "missing_field"
