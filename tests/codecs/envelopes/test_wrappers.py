"""Envelopes that services make themselves."""

from datetime import UTC, datetime

import pytest

_ATUALIZADO = {"id_pedido": 7, "status": "Pronto"}


def _eventbridge(detail: object, kind: str = "PedidoAtualizado") -> dict[str, object]:
    return {
        "version": "0",
        "id": "7bf73129",
        "detail-type": kind,
        "source": "lanchonete.pedido",
        "time": "2025-07-28T16:23:00Z",
        "resources": [],
        "detail": detail,
    }


def test_an_order_that_only_says_which_is_no_envelope(one, reason) -> None:
    """The fields beside it are the order's: `pedido.id` is one more name of its id."""
    criado = {"pedido": {"id": 5}, "produtos": [{"id": 1, "quantidade": 2, "preco": 10}], "total": 20}
    for body in ({"event_type": "pedido_criado", "data": criado}, criado):
        event = one(body)
        assert (event.id_pedido, event.criacao.total, len(event.criacao.itens)) == ("5", 20, 1)
    assert one({"order": {"id": 5}, "products": ["X"]}).id_pedido == "5"
    assert reason({"pedido": {"id": 5}}) == "undecidable"


def test_an_envelopes_plain_id_is_no_order_id(reason) -> None:
    """EventBridge's id is the event's."""
    assert reason(_eventbridge({"status": "Pronto"})) == "missing_field"
    for nothing in (None, "", [], "text", 7):
        assert reason({**_eventbridge({}), "detail": nothing}) == "missing_field"


@pytest.mark.parametrize(
    "outer", [{"status": "ok"}, {"status": 200}, {"situacao": "PAGO"}, {"codigo": "E-1"}]
)
def test_an_envelopes_status_is_not_the_events(reason, outer) -> None:
    """`{"status": "ok"}` around a payment does not mean that it was paid."""
    assert reason({**outer, "data": {"pedidoId": 7}}, "pagamento") == "undecidable"
    assert reason({**outer, "data": {"valor": 7}}, "pagamento") == "missing_field"


def test_an_envelopes_name_is_not_the_products(one) -> None:
    """It is the name of the envelope."""
    assert one({"name": "catalogo", "tipo": "produto_criado", "data": {"id": 7}}, "produto").nome is None


def test_an_object_beside_a_status_is_a_field(one) -> None:
    """`pedido` is an envelope only where nothing of an event stands beside it."""
    assert one({"status": "Pronto", "pedido": {"id": 7}}).id_pedido == "7"


def test_the_id_may_stand_outside_of_the_data(one) -> None:
    """Joao-Victordss writes it there."""
    body = {
        "pedidoId": "pedido-20251111120000",
        "acao": "criar",
        "dados": {"cliente": "Maria", "mesa": 5, "itens": ["Pizza", "Refrigerante"], "total": 30.0},
        "timestamp": "2025-07-28T12:00:00.000Z",
    }

    event = one(body)

    assert event.id_pedido == "pedido-20251111120000"
    assert event.tipo == "pedido_criado"
    assert [item.nome for item in event.criacao.itens] == ["Pizza", "Refrigerante"]
    assert event.quando.em == datetime(2025, 7, 28, 12, tzinfo=UTC)
