"""Envelopes: every way in which an event was seen wrapped."""

import json
from datetime import UTC, datetime

import pytest

from streamapp_codecs.envelopes import parts

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


@pytest.mark.parametrize("opening", ["[", '{"a":', '[{"data":', '{"data":'])
def test_a_nesting_bomb_is_too_deep(reason, opening) -> None:
    """No recursion of ours or the parser's may end the worker."""
    assert reason(opening * 20_000) in {"too_deep", "not_json"}
    closing = "".join({"[": "]", "{": "}"}[c] for c in reversed(opening) if c in "[{")
    assert reason(opening * 5_000 + "1" + closing * 5_000) == "too_deep"


def test_brackets_in_texts_are_not_deep(one) -> None:
    """What a customer writes is no structure; nor is a wide body a deep one."""
    wide = [{"nome": "[{" * 300 + '\\"[', "quantidade": 1}] * 60

    assert one({**_ATUALIZADO, "observacoes": wide}).status == "Pronto"


def test_a_text_of_brackets_without_end_is_read_once(reason) -> None:
    """A body that takes seconds to refuse stops its neighbours."""
    assert reason('["' + '\\"[{' * 60_000) == "not_json"


@pytest.mark.parametrize("kind", ["SubscriptionConfirmation", "UnsubscribeConfirmation"])
def test_snss_own_messages_are_skipped(decode, kind) -> None:
    """Nobody follows their URLs: who may send is the queue's policy."""
    body = {
        "Type": kind,
        "TopicArn": "arn:aws:sns:us-east-1:000000000000:pedido-criado",
        "Message": "You have chosen to subscribe to the topic.",
        "SubscribeURL": "https://sns.example/?Action=ConfirmSubscription",
    }

    for wrapped in (body, {"Records": [{"Sns": body}]}, {"Records": [{"body": json.dumps(body)}]}):
        decoded = decode(wrapped)

        assert decoded.skipped == (kind,)
        assert decoded.error is None


@pytest.mark.parametrize("message", ["Olá", "", "{"])
def test_a_notification_without_json_is_not_json(reason, message) -> None:
    """Its message is a body like any other."""
    assert reason(_sns(message)) == "not_json"


@pytest.mark.parametrize(
    "body",
    [
        ["software.amazon.payloadoffloading.PayloadS3Pointer", {"s3BucketName": "b", "s3Key": "k"}],
        ["com.amazon.sqs.javamessaging.MessageS3Pointer", {"s3BucketName": "b", "s3Key": "k"}],
        _sns(["software.amazon.payloadoffloading.PayloadS3Pointer", {"s3BucketName": "b", "s3Key": "k"}]),
        {"s3BucketName": "b", "s3Key": "k"},
        {
            "messageId": "m-1",
            "body": '["software.amazon.payloadoffloading.PayloadS3Pointer",{"s3BucketName":"b","s3Key":"k"}]',
        },
        {"event_type": "pedido_criado", "data": {"s3BucketName": "b", "s3Key": "k"}},
    ],
)
def test_a_payload_in_s3_is_not_fetched(reason, body) -> None:
    """The message says where it is; what it says is not here."""
    assert reason(body) == "s3_pointer"


@pytest.mark.parametrize(
    "body", ["5", "null", "true", '"texto"', '""', "[]", "[1,2]", '["a"]', "1e5", '{"Records":[]}']
)
def test_json_that_is_no_event_is_no_known_envelope(reason, body) -> None:
    """It is JSON, but nothing that anyone sends."""
    assert reason(body) == "unknown_envelope"


@pytest.mark.parametrize(
    "body", ["", " ", "abc", "{", "NaN", "Infinity", "-Infinity", '{"id":NaN}', "{'a':1}", '{"a":1}x']
)
def test_text_that_is_not_json_is_not_json(reason, body) -> None:
    """Python's own parser would let some of these through."""
    assert reason(body) == "not_json"


def test_a_body_over_the_limit_is_not_even_parsed(reason) -> None:
    """256 KiB of UTF-8, whatever is in it."""
    assert reason('"' + "a" * 256 * 1024 + '"') == "too_large"
    assert reason("é" * (128 * 1024 + 1)) == "too_large"
    assert reason("é" * (128 * 1024)) == "not_json"


def test_the_parts_of_records_are_events_of_their_own(decode) -> None:
    """A bad one undoes no good one, and is not lost either."""
    bodies = [
        '{"id_pedido":1,"status":"Pronto"}',
        "{",
        '{"id_pedido":2}',
        '{"id_pedido":3,"status":"Pronto"}',
    ]
    bodies.append('{"event_type":"cupom_emitido"}')

    decoded = decode({"Records": [{"body": body} for body in bodies] + [5, {"eventName": "x"}]})

    assert [event.id_pedido for event in decoded.events] == ["1", "3"]
    assert decoded.skipped == ("cupom_emitido",)
    assert decoded.error.reason == "not_json"


def test_a_list_has_a_limit(decode) -> None:
    """What is within it is applied, the body is then a dead letter."""
    decoded = decode([_ATUALIZADO] * (parts.MAX_PARTS + 1))

    assert len(decoded.events) == parts.MAX_PARTS
    assert decoded.error.reason == "invalid_value"


def test_half_of_a_character_does_not_cost_a_message(one) -> None:
    """Text cut by its length ends in half an emoji, which JSON allows to be written."""
    body = '{"id_pedido":7,"itens":[{"id":1,"nome":"X \\ud83c"},{"id":2,"nome":"\\ud83c\\udf54 \\\\ud83c"}]}'

    names = [item.nome for item in one(body).criacao.itens]

    assert names == ["X \ufffd", "🍔 \\ud83c"]


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


def test_a_topic_says_what_the_body_does_not(one) -> None:
    """The events of xLina have their kind in the topic alone."""
    assert one(_sns({"id_pedido": 7, "produtos": ["X"]}, topic="pedido-preparado")).status == "Pronto"
    assert one(_sns({"id_pedido": 7, "status": "CANCELADO"}, topic="pedido-finalizado")).status == "Cancelado"


def test_a_topic_that_is_a_whole_kind_says_whose_event_it_is(one) -> None:
    """What lies in the body under another entity's name is then one of its fields."""
    recusado = one(_sns({"pedido": {"id": "42"}, "valor": "10"}, topic="pagamento-recusado"), "pagamento")
    assert (recusado.id_pedido, recusado.pagamento.status) == ("42", "falhou")

    itens = [{"id": 1, "nome": "X", "quantidade": 2, "preco": 10}]
    criado = one(_sns({"id": 31, "produtos": itens}, topic="pedido-criado"), "produto")
    assert (criado.id_pedido, len(criado.criacao.itens)) == ("31", 1)


def test_an_order_that_only_says_which_is_no_envelope(one, reason) -> None:
    """What stands beside it is the order's: `pedido.id` is one more name of its id."""
    criado = {"pedido": {"id": 5}, "produtos": [{"id": 1, "quantidade": 2, "preco": 10}], "total": 20}
    for body in ({"event_type": "pedido_criado", "data": criado}, criado):
        event = one(body)
        assert (event.id_pedido, event.criacao.total, len(event.criacao.itens)) == ("5", 20, 1)
    assert one({"order": {"id": 5}, "products": ["X"]}).id_pedido == "5"
    assert reason({"pedido": {"id": 5}}) == "undecidable"


def test_an_unknown_kind_is_skipped_whatever_else_is_there(reason) -> None:
    """It is acknowledged and counted, not retried."""
    assert reason({"event_type": "evento_invalido", "data": {"x": 1}}) == "skipped"
    assert reason({"event_type": 5, "data": _ATUALIZADO}) == "skipped"
    assert reason(_ATUALIZADO, event_type="evento_invalido") == "skipped"
    assert reason({"event_type": "pedido_pago", "data": _ATUALIZADO}) == "skipped"


def test_an_unknown_kind_is_named_only_if_it_looks_like_one(decode) -> None:
    """Whatever somebody puts there, nothing personal gets out by it."""
    for kind in ("maria@exemplo.com", "529.982.247-25", "\x1b[2J", "a" * 65, "x\ny"):
        assert decode({"event_type": kind}).skipped == ("(unknown kind)",)


def test_the_innermost_time_counts(one) -> None:
    """An envelope's time is when it was wrapped."""
    inner = one(_sns(_eventbridge({**_ATUALIZADO, "atualizado_em": "2025-07-28T15:00:00Z"})))
    middle = one(_sns(_eventbridge(_ATUALIZADO)))
    outer = one(_sns(_ATUALIZADO))

    assert inner.quando.em == datetime(2025, 7, 28, 15, tzinfo=UTC)
    assert middle.quando.em == datetime(2025, 7, 28, 16, 23, tzinfo=UTC)
    assert outer.quando.em == datetime(2025, 7, 28, 16, 20, 1, 3000, tzinfo=UTC)
    assert one(_ATUALIZADO).quando is None


def test_an_envelopes_plain_id_is_no_order_id(reason) -> None:
    """EventBridge's id names the event."""
    assert reason(_eventbridge({"status": "Pronto"})) == "missing_field"
    for nothing in (None, "", [], "text", 7):
        assert reason({**_eventbridge({}), "detail": nothing}) == "missing_field"


@pytest.mark.parametrize(
    "outer", [{"status": "ok"}, {"status": 200}, {"situacao": "PAGO"}, {"codigo": "E-1"}]
)
def test_an_envelopes_status_is_not_the_events(reason, outer) -> None:
    """`{"status": "ok"}` round a payment does not pay for it."""
    assert reason({**outer, "data": {"pedidoId": 7}}, "pagamento") == "undecidable"
    assert reason({**outer, "data": {"valor": 7}}, "pagamento") == "missing_field"


def test_an_envelopes_name_is_not_the_products(one) -> None:
    """It is what the envelope is called."""
    assert one({"name": "catalogo", "tipo": "produto_criado", "data": {"id": 7}}, "produto").nome is None


def test_an_object_beside_a_status_is_a_field(one) -> None:
    """`pedido` is an envelope only where it is all there is."""
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
