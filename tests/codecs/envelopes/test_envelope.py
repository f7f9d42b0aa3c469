"""Envelopes: every way in which an event was seen wrapped."""

import json
from datetime import UTC, datetime

import pytest

from streamapp_codecs.envelopes import parts as partes

_ATUALIZADO = {"id_pedido": 7, "status": "Pronto"}
_EVENTO = {"event_type": "pedido_status_atualizado", "data": _ATUALIZADO}


def _sns(mensagem: object, topico: str = "pedidos", **atributos: str) -> dict[str, object]:
    return {
        "Type": "Notification",
        "MessageId": "0a1b2c3d",
        "TopicArn": f"arn:aws:sns:us-east-1:000000000000:{topico}",
        "Message": mensagem if isinstance(mensagem, str) else json.dumps(mensagem),
        "Timestamp": "2025-07-28T16:20:01.003Z",
        "MessageAttributes": {nome: {"Type": "String", "Value": valor} for nome, valor in atributos.items()},
        "UnsubscribeURL": "https://sns.example/?Action=Unsubscribe",
    }


def _eventbridge(detalhe: object, tipo: str = "PedidoAtualizado") -> dict[str, object]:
    return {
        "version": "0",
        "id": "7bf73129",
        "detail-type": tipo,
        "source": "lanchonete.pedido",
        "time": "2025-07-28T16:23:00Z",
        "resources": [],
        "detail": detalhe,
    }


@pytest.mark.parametrize(
    "corpo",
    [
        _EVENTO,
        _ATUALIZADO,
        {"pedido": _ATUALIZADO},
        {"pedido": json.dumps(_ATUALIZADO)},
        {"order": {"id": 7, "status": "ready"}},
        {"headers": {"sagaId": "s", "orderId": 7}, "body": {"status": "Pronto"}},
        {"headers": {"sagaId": "s"}, "body": json.dumps(_ATUALIZADO)},
        {"metodo": "PUT", "descricao": "d", "metadata": {"data": _ATUALIZADO}},
        {"creationDate": "2025-07-28T12:00:00Z", "content": [_ATUALIZADO]},
        {"creationDate": "2025-07-28T12:00:00Z", "content": _ATUALIZADO},
        _sns(_EVENTO),
        _sns(_ATUALIZADO),
        _sns(_eventbridge(_ATUALIZADO)),
        _eventbridge(_ATUALIZADO),
        _eventbridge(_EVENTO),
        {"Records": [{"messageId": "m-1", "body": json.dumps(_EVENTO)}]},
        {"Records": [{"messageId": "m-1", "body": _EVENTO}]},
        {"Records": [{"EventSource": "aws:sns", "Sns": _sns(_EVENTO)}]},
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
        [_EVENTO],
        [json.dumps(_EVENTO)],
        {"data": [_ATUALIZADO]},
        {"pedidos": [_ATUALIZADO]},
        json.dumps(json.dumps(_EVENTO)),
        {"messageId": "m", "body": json.dumps(json.dumps(_EVENTO))},
        _eventbridge(json.dumps(json.dumps(_ATUALIZADO))),
        "\ufeff" + json.dumps(_EVENTO),
        _sns("\ufeff" + json.dumps(_EVENTO)),
        "  \n" + json.dumps(_EVENTO) + "\n ",
    ],
)
def test_an_event_is_found_in_every_envelope(um, corpo) -> None:
    """The same fact, however it was sent."""
    evento = um(corpo)

    assert (evento.id_pedido, evento.status, evento.tipo) == ("7", "Pronto", "pedido_status_atualizado")


def test_five_envelopes_are_opened_and_six_are_not(um, motivo) -> None:
    """A real message has three or four; a bomb has thousands."""
    cinco = {"Records": [{"body": json.dumps(_sns(_eventbridge({"data": {"pedido": _ATUALIZADO}})))}]}
    assert um(cinco).status == "Pronto"

    corpo: object = _ATUALIZADO
    for _ in range(5):
        corpo = {"data": corpo}
    assert um(corpo).status == "Pronto"
    assert motivo({"data": corpo}) == "too_deep"
    assert motivo(_sns(corpo)) == "too_deep"
    assert motivo([corpo]) == "too_deep"


@pytest.mark.parametrize("abre", ["[", '{"a":', '[{"data":', '{"data":'])
def test_a_nesting_bomb_is_too_deep(motivo, abre) -> None:
    """No recursion of ours or the parser's may end the worker."""
    assert motivo(abre * 20_000) in {"too_deep", "not_json"}
    fecha = "".join({"[": "]", "{": "}"}[c] for c in reversed(abre) if c in "[{")
    assert motivo(abre * 5_000 + "1" + fecha * 5_000) == "too_deep"


def test_brackets_in_texts_are_not_deep(um) -> None:
    """What a customer writes is no structure; nor is a wide body a deep one."""
    largo = [{"nome": "[{" * 300 + '\\"[', "quantidade": 1}] * 60

    assert um({**_ATUALIZADO, "observacoes": largo}).status == "Pronto"


def test_a_text_of_brackets_without_end_is_read_once(motivo) -> None:
    """A body that takes seconds to refuse stops its neighbours."""
    assert motivo('["' + '\\"[{' * 60_000) == "not_json"


@pytest.mark.parametrize("tipo", ["SubscriptionConfirmation", "UnsubscribeConfirmation"])
def test_snss_own_messages_are_skipped(decodificar, tipo) -> None:
    """Nobody follows their URLs: who may send is the queue's policy."""
    corpo = {
        "Type": tipo,
        "TopicArn": "arn:aws:sns:us-east-1:000000000000:pedido-criado",
        "Message": "You have chosen to subscribe to the topic.",
        "SubscribeURL": "https://sns.example/?Action=ConfirmSubscription",
    }

    for embrulhado in (corpo, {"Records": [{"Sns": corpo}]}, {"Records": [{"body": json.dumps(corpo)}]}):
        decoded = decodificar(embrulhado)

        assert decoded.skipped == (tipo,)
        assert decoded.error is None


@pytest.mark.parametrize("mensagem", ["Olá", "", "{"])
def test_a_notification_without_json_is_not_json(motivo, mensagem) -> None:
    """Its message is a body like any other."""
    assert motivo(_sns(mensagem)) == "not_json"


@pytest.mark.parametrize(
    "corpo",
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
def test_a_payload_in_s3_is_not_fetched(motivo, corpo) -> None:
    """The message says where it is; what it says is not here."""
    assert motivo(corpo) == "s3_pointer"


@pytest.mark.parametrize(
    "corpo", ["5", "null", "true", '"texto"', '""', "[]", "[1,2]", '["a"]', "1e5", '{"Records":[]}']
)
def test_json_that_is_no_event_is_no_known_envelope(motivo, corpo) -> None:
    """It is JSON, but nothing that anyone sends."""
    assert motivo(corpo) == "unknown_envelope"


@pytest.mark.parametrize(
    "corpo", ["", " ", "abc", "{", "NaN", "Infinity", "-Infinity", '{"id":NaN}', "{'a':1}", '{"a":1}x']
)
def test_text_that_is_not_json_is_not_json(motivo, corpo) -> None:
    """Python's own parser would let some of these through."""
    assert motivo(corpo) == "not_json"


def test_a_body_over_the_limit_is_not_even_parsed(motivo) -> None:
    """256 KiB of UTF-8, whatever is in it."""
    assert motivo('"' + "a" * 256 * 1024 + '"') == "too_large"
    assert motivo("é" * (128 * 1024 + 1)) == "too_large"
    assert motivo("é" * (128 * 1024)) == "not_json"


def test_the_parts_of_records_are_events_of_their_own(decodificar) -> None:
    """A bad one undoes no good one, and is not lost either."""
    corpos = [
        '{"id_pedido":1,"status":"Pronto"}',
        "{",
        '{"id_pedido":2}',
        '{"id_pedido":3,"status":"Pronto"}',
    ]
    corpos.append('{"event_type":"cupom_emitido"}')

    decoded = decodificar({"Records": [{"body": corpo} for corpo in corpos] + [5, {"eventName": "x"}]})

    assert [evento.id_pedido for evento in decoded.events] == ["1", "3"]
    assert decoded.skipped == ("cupom_emitido",)
    assert decoded.error.reason == "not_json"


def test_a_list_has_a_limit(decodificar) -> None:
    """What is within it is applied, the body is then a dead letter."""
    decoded = decodificar([_ATUALIZADO] * (partes.MAIS_PARTES + 1))

    assert len(decoded.events) == partes.MAIS_PARTES
    assert decoded.error.reason == "invalid_value"


def test_half_of_a_character_does_not_cost_a_message(um) -> None:
    """Text cut by its length ends in half an emoji, which JSON allows to be written."""
    corpo = '{"id_pedido":7,"itens":[{"id":1,"nome":"X \\ud83c"},{"id":2,"nome":"\\ud83c\\udf54 \\\\ud83c"}]}'

    nomes = [item.nome for item in um(corpo).criacao.itens]

    assert nomes == ["X \ufffd", "🍔 \\ud83c"]


def test_an_explicit_kind_wins_over_the_queue(um) -> None:
    """The right event on the wrong queue is still the right event."""
    evento = um({"event_type": "pedido_criado", "data": {"id_pedido": 1023}}, "produto")

    assert (evento.id_pedido, evento.tipo) == ("1023", "pedido_criado")


@pytest.mark.parametrize(
    ("corpo", "atributos"),
    [
        (_sns({"pedidoId": 7}, event_type="PagamentoAprovado"), {}),
        (_sns({"pedidoId": 7}, eventType="PagamentoAprovado"), {}),
        (_sns({"pedidoId": 7}, topico="pagamento-aprovado"), {}),
        ({"pedidoId": 7}, {"event_type": "PagamentoAprovado"}),
        (_eventbridge({"pedidoId": 7}, "PagamentoAprovado"), {"event_type": "cupom_emitido"}),
        (_sns({"pedidoId": 7}, topico="pedido-criado", event_type="PagamentoAprovado"), {}),
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
def test_the_envelope_may_name_the_kind(um, corpo, atributos) -> None:
    """The innermost explicit kind, then the attributes, then the topic."""
    evento = um(corpo, "pedido", **atributos)

    assert (evento.id_pedido, evento.pagamento.status) == ("7", "pago")


def test_a_topic_says_what_the_body_does_not(um) -> None:
    """The events of xLina have their kind in the topic alone."""
    assert um(_sns({"id_pedido": 7, "produtos": ["X"]}, topico="pedido-preparado")).status == "Pronto"
    assert um(_sns({"id_pedido": 7, "status": "CANCELADO"}, topico="pedido-finalizado")).status == "Cancelado"


def test_a_topic_that_is_a_whole_kind_says_whose_event_it_is(um) -> None:
    """What lies in the body under another entity's name is then one of its fields."""
    recusado = um(_sns({"pedido": {"id": "42"}, "valor": "10"}, topico="pagamento-recusado"), "pagamento")
    assert (recusado.id_pedido, recusado.pagamento.status) == ("42", "falhou")

    itens = [{"id": 1, "nome": "X", "quantidade": 2, "preco": 10}]
    criado = um(_sns({"id": 31, "produtos": itens}, topico="pedido-criado"), "produto")
    assert (criado.id_pedido, len(criado.criacao.itens)) == ("31", 1)


def test_an_order_that_only_says_which_is_no_envelope(um, motivo) -> None:
    """What stands beside it is the order's: `pedido.id` is one more name of its id."""
    criado = {"pedido": {"id": 5}, "produtos": [{"id": 1, "quantidade": 2, "preco": 10}], "total": 20}
    for corpo in ({"event_type": "pedido_criado", "data": criado}, criado):
        evento = um(corpo)
        assert (evento.id_pedido, evento.criacao.total, len(evento.criacao.itens)) == ("5", 20, 1)
    assert um({"order": {"id": 5}, "products": ["X"]}).id_pedido == "5"
    assert motivo({"pedido": {"id": 5}}) == "undecidable"


def test_an_unknown_kind_is_skipped_whatever_else_is_there(motivo) -> None:
    """It is acknowledged and counted, not retried."""
    assert motivo({"event_type": "evento_invalido", "data": {"x": 1}}) == "skipped"
    assert motivo({"event_type": 5, "data": _ATUALIZADO}) == "skipped"
    assert motivo(_ATUALIZADO, event_type="evento_invalido") == "skipped"
    assert motivo({"event_type": "pedido_pago", "data": _ATUALIZADO}) == "skipped"


def test_an_unknown_kind_is_named_only_if_it_looks_like_one(decodificar) -> None:
    """Whatever somebody puts there, nothing personal gets out by it."""
    for tipo in ("maria@exemplo.com", "529.982.247-25", "\x1b[2J", "a" * 65, "x\ny"):
        assert decodificar({"event_type": tipo}).skipped == ("(unknown kind)",)


def test_the_innermost_time_counts(um) -> None:
    """An envelope's time is when it was wrapped."""
    dentro = um(_sns(_eventbridge({**_ATUALIZADO, "atualizado_em": "2025-07-28T15:00:00Z"})))
    meio = um(_sns(_eventbridge(_ATUALIZADO)))
    fora = um(_sns(_ATUALIZADO))

    assert dentro.quando.em == datetime(2025, 7, 28, 15, tzinfo=UTC)
    assert meio.quando.em == datetime(2025, 7, 28, 16, 23, tzinfo=UTC)
    assert fora.quando.em == datetime(2025, 7, 28, 16, 20, 1, 3000, tzinfo=UTC)
    assert um(_ATUALIZADO).quando is None


def test_an_envelopes_plain_id_is_no_order_id(motivo) -> None:
    """EventBridge's id names the event."""
    assert motivo(_eventbridge({"status": "Pronto"})) == "missing_field"
    for nada in (None, "", [], "text", 7):
        assert motivo({**_eventbridge({}), "detail": nada}) == "missing_field"


@pytest.mark.parametrize("fora", [{"status": "ok"}, {"status": 200}, {"situacao": "PAGO"}, {"codigo": "E-1"}])
def test_an_envelopes_status_is_not_the_events(motivo, fora) -> None:
    """`{"status": "ok"}` round a payment does not pay for it."""
    assert motivo({**fora, "data": {"pedidoId": 7}}, "pagamento") == "undecidable"
    assert motivo({**fora, "data": {"valor": 7}}, "pagamento") == "missing_field"


def test_an_envelopes_name_is_not_the_products(um) -> None:
    """It is what the envelope is called."""
    assert um({"name": "catalogo", "tipo": "produto_criado", "data": {"id": 7}}, "produto").nome is None


def test_an_object_beside_a_status_is_a_field(um) -> None:
    """`pedido` is an envelope only where it is all there is."""
    assert um({"status": "Pronto", "pedido": {"id": 7}}).id_pedido == "7"


def test_the_id_may_stand_outside_of_the_data(um) -> None:
    """Joao-Victordss writes it there."""
    corpo = {
        "pedidoId": "pedido-20251111120000",
        "acao": "criar",
        "dados": {"cliente": "Maria", "mesa": 5, "itens": ["Pizza", "Refrigerante"], "total": 30.0},
        "timestamp": "2025-07-28T12:00:00.000Z",
    }

    evento = um(corpo)

    assert evento.id_pedido == "pedido-20251111120000"
    assert evento.tipo == "pedido_criado"
    assert [item.nome for item in evento.criacao.itens] == ["Pizza", "Refrigerante"]
    assert evento.quando.em == datetime(2025, 7, 28, 12, tzinfo=UTC)
