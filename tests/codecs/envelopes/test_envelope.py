"""Envelopes: every way of wrapping an event that was seen."""

import json

import pytest

_ATUALIZADO = {"id_pedido": 7, "status": "Pronto"}
_EVENT = {"event_type": "pedido_status_atualizado", "data": _ATUALIZADO}


def _sns(message: object, topic: str = "pedidos", **attributes: str) -> dict[str, object]:
    return {
        "Type": "Notification",
        "MessageId": "0a1b2c3d",
        "TopicArn": f"arn:aws:sns:us-east-1:000000000000:{topic}",
        "Message": message if isinstance(message, str) else json.dumps(message),
        "Timestamp": "2025-07-28T16:20:01.003Z",
        "MessageAttributes": {name: {"Type": "String", "Value": value} for name, value in attributes.items()},
        "UnsubscribeURL": "https://sns.example/?Action=Unsubscribe",
    }


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


@pytest.mark.parametrize(
    "body",
    [
        _EVENT,
        _ATUALIZADO,
        {"pedido": _ATUALIZADO},
        {"pedido": json.dumps(_ATUALIZADO)},
        {"order": {"id": 7, "status": "ready"}},
        {"headers": {"sagaId": "s", "orderId": 7}, "body": {"status": "Pronto"}},
        {"headers": {"sagaId": "s"}, "body": json.dumps(_ATUALIZADO)},
        {"metodo": "PUT", "descricao": "d", "metadata": {"data": _ATUALIZADO}},
        {"creationDate": "2025-07-28T12:00:00Z", "content": [_ATUALIZADO]},
        {"creationDate": "2025-07-28T12:00:00Z", "content": _ATUALIZADO},
        _sns(_EVENT),
        _sns(_ATUALIZADO),
        _sns(_eventbridge(_ATUALIZADO)),
        _eventbridge(_ATUALIZADO),
        _eventbridge(_EVENT),
        {"Records": [{"messageId": "m-1", "body": json.dumps(_EVENT)}]},
        {"Records": [{"messageId": "m-1", "body": _EVENT}]},
        {"Records": [{"EventSource": "aws:sns", "Sns": _sns(_EVENT)}]},
        {
            "messageId": "m",
            "eventType": "ORDER_UPDATED",
            "timestamp": 1753718400,
            "orderId": "7",
            "status": "ready",
        },
        {"acao": "ATUALIZAR", "pedidoId": 7, "dados": {"status": "Pronto"}},
        {
            "evento": "pedido.atualizado",
            "pedidoId": 7,
            "status": "Pronto",
            "dataHora": "2025-07-28T12:00:00Z",
        },
        {"tipo": "PEDIDO_STATUS_ATUALIZADO", "pedido_id": 7, "status": "Pronto"},
        {"specversion": "1.0", "type": "br.com.lanchonete.pedido.atualizado", "id": "e", "data": _ATUALIZADO},
        [_EVENT],
        [json.dumps(_EVENT)],
        {"data": [_ATUALIZADO]},
        {"pedidos": [_ATUALIZADO]},
        json.dumps(json.dumps(_EVENT)),
        {"messageId": "m", "body": json.dumps(json.dumps(_EVENT))},
        _eventbridge(json.dumps(json.dumps(_ATUALIZADO))),
        "\ufeff" + json.dumps(_EVENT),
        _sns("\ufeff" + json.dumps(_EVENT)),
        "  \n" + json.dumps(_EVENT) + "\n ",
    ],
)
def test_an_event_is_found_in_every_envelope(one, body) -> None:
    """The same fact, however it was sent."""
    event = one(body)

    assert (event.id_pedido, event.status, event.tipo) == ("7", "Pronto", "pedido_status_atualizado")


def test_five_envelopes_are_opened_and_six_are_not(one, reason) -> None:
    """A real message has three or four; a bomb has thousands."""
    five = {"Records": [{"body": json.dumps(_sns(_eventbridge({"data": {"pedido": _ATUALIZADO}})))}]}
    assert one(five).status == "Pronto"

    body: object = _ATUALIZADO
    for _ in range(5):
        body = {"data": body}
    assert one(body).status == "Pronto"
    assert reason({"data": body}) == "too_deep"
    assert reason(_sns(body)) == "too_deep"
    assert reason([body]) == "too_deep"


def test_an_explicit_kind_wins_over_the_queue(one) -> None:
    """The right event on the wrong queue is still the right event."""
    event = one({"event_type": "pedido_criado", "data": {"id_pedido": 1023}}, "produto")

    assert (event.id_pedido, event.tipo) == ("1023", "pedido_criado")


@pytest.mark.parametrize(
    ("body", "attributes"),
    [
        (_sns({"pedidoId": 7}, event_type="PagamentoAprovado"), {}),
        (_sns({"pedidoId": 7}, eventType="PagamentoAprovado"), {}),
        (_sns({"pedidoId": 7}, topic="pagamento-aprovado"), {}),
        ({"pedidoId": 7}, {"event_type": "PagamentoAprovado"}),
        (_eventbridge({"pedidoId": 7}, "PagamentoAprovado"), {"event_type": "cupom_emitido"}),
        (_sns({"pedidoId": 7}, topic="pedido-criado", event_type="PagamentoAprovado"), {}),
        (
            {
                "Records": [
                    {
                        "body": '{"pedidoId": 7}',
                        "messageAttributes": {
                            "event_type": {"dataType": "String", "stringValue": "PagamentoAprovado"}
                        },
                    }
                ]
            },
            {},
        ),
    ],
)
def test_the_envelope_may_name_the_kind(one, body, attributes) -> None:
    """The innermost explicit kind, then the attributes, then the topic."""
    event = one(body, "pedido", **attributes)

    assert (event.id_pedido, event.pagamento.status) == ("7", "pago")


def test_a_topic_names_the_status_that_the_body_does_not(one) -> None:
    """The events of xLina have their kind only in the topic."""
    assert one(_sns({"id_pedido": 7, "produtos": ["X"]}, topic="pedido-preparado")).status == "Pronto"
    assert one(_sns({"id_pedido": 7, "status": "CANCELADO"}, topic="pedido-finalizado")).status == "Cancelado"


def test_a_topic_that_is_a_whole_kind_says_whose_event_it_is(one) -> None:
    """Then a member of the body with another entity's name is one of its fields."""
    recusado = one(_sns({"pedido": {"id": "42"}, "valor": "10"}, topic="pagamento-recusado"), "pagamento")
    assert (recusado.id_pedido, recusado.pagamento.status) == ("42", "falhou")

    itens = [{"id": 1, "nome": "X", "quantidade": 2, "preco": 10}]
    criado = one(_sns({"id": 31, "produtos": itens}, topic="pedido-criado"), "produto")
    assert (criado.id_pedido, len(criado.criacao.itens)) == ("31", 1)


def test_an_unknown_kind_is_skipped_whatever_else_is_there(reason) -> None:
    """It is acknowledged and counted, not retried."""
    assert reason({"event_type": "evento_invalido", "data": {"x": 1}}) == "skipped"
    assert reason({"event_type": 5, "data": _ATUALIZADO}) == "skipped"
    assert reason(_ATUALIZADO, event_type="evento_invalido") == "skipped"
    assert reason({"event_type": "pedido_pago", "data": _ATUALIZADO}) == "skipped"
