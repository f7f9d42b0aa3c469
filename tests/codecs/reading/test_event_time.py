"""Which of several times is that of the event."""

import json
from datetime import UTC, datetime

import pytest

_ATUALIZADO = {"id_pedido": 7, "status": "Pronto"}


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


def test_each_kind_of_event_prefers_its_own_names(one) -> None:
    """A whole entity carries the time of its creation and of its last change."""
    times = {
        "criado_em": "2025-07-28T10:00:00Z",
        "atualizado_em": "2025-07-28T11:00:00Z",
        "timestamp": 1753718400,
    }

    def hour(kind: str) -> int:
        return int(
            one({"event_type": kind, "data": {"id_pedido": 1, "status": "recebido", **times}}).quando.em.hour
        )

    assert hour("pedido_criado") == 10
    assert hour("pedido_status_atualizado") == 11
    assert hour("pagamento_atualizado") == 11
    times["data_pagamento"] = "2025-07-28T12:00:00Z"
    assert hour("pagamento_atualizado") == 12


def test_a_duration_gives_way_to_a_time(one) -> None:
    """The monolith's `time_stamp` is a duration."""
    body = {
        "id": 7,
        "status": "Pronto",
        "time_stamp": "00:15:00",
        "ultima_atualizacao": "2025-07-28T11:00:00Z",
    }

    assert one(body).quando.em.hour == 11
    assert one({"id": 7, "status": "Pronto", "time_stamp": "00:15:00"}).quando is None


@pytest.mark.parametrize("time", [1753715100000, "2025-07-28T15:05:00", [2025, 7, 28, 15, 5]])
def test_data_is_a_time_where_it_is_no_object(one, time) -> None:
    """In Portuguese the word means date."""
    event = one({"codigo": "A-1", "itens": ["X"], "data": time})

    assert event.quando.em == datetime(2025, 7, 28, 15, 5, tzinfo=UTC)


def test_the_innermost_time_counts(one) -> None:
    """An envelope's time is the time of wrapping."""
    inner = one(_sns(_eventbridge({**_ATUALIZADO, "atualizado_em": "2025-07-28T15:00:00Z"})))
    middle = one(_sns(_eventbridge(_ATUALIZADO)))
    outer = one(_sns(_ATUALIZADO))

    assert inner.quando.em == datetime(2025, 7, 28, 15, tzinfo=UTC)
    assert middle.quando.em == datetime(2025, 7, 28, 16, 23, tzinfo=UTC)
    assert outer.quando.em == datetime(2025, 7, 28, 16, 20, 1, 3000, tzinfo=UTC)
    assert one(_ATUALIZADO).quando is None
