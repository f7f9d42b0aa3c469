"""The codec of a queue: its limit, its two paths, and what it shows."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from streamapp_codecs import Decoded, DecodeError, Origin, pagamento, pedido, produto

ORIGIN = Origin(queue="q", message_id="m", sent_at=datetime(2025, 7, 28, 18, tzinfo=UTC))


SAMPLES = [
    json.loads(line)
    for line in (Path(__file__).parents[2] / "data" / "messages.jsonl").read_text().splitlines()
    if line
]


def test_a_body_over_the_limit_is_not_even_parsed(reason) -> None:
    """256 KiB of UTF-8."""
    assert reason('"' + "a" * 256 * 1024 + '"') == "too_large"
    assert reason("é" * (128 * 1024 + 1)) == "too_large"
    assert reason("é" * (128 * 1024)) == "not_json"


def test_an_order_that_came_by_the_products_queue_shows_no_name() -> None:
    """What is called `nome` there is the customer's."""
    body = '{"event_type":"pedido_criado","data":{"id_pedido":3,"nome":"Maria","itens":["X"]}}'

    shown = produto.codec.show(body, produto.codec.decode(body, ORIGIN))

    assert shown.key == "3"
    assert b"Maria" not in (shown.body or b"")


def test_kind_and_key_are_those_of_the_first_event() -> None:
    """Viewers filter by them."""
    body = '{"event_type":"pagamento_atualizado","data":{"id_pedido":7,"status":"pago"}}'

    shown = pagamento.codec.show(body, pagamento.codec.decode(body, ORIGIN))

    assert (shown.kind, shown.key) == ("pagamento_atualizado", "7")


@pytest.mark.parametrize(
    ("body", "kind", "key"),
    [
        ('{"event_type":"pedido_criado","data":{}}', "pedido_criado", None),
        ('{"event_type":"pedido_criado","data":{"id_pedido":7,"itens":[{"id":1}]}}', "pedido_criado", "7"),
        ('{"event_type":"pedido_criado","data":{"id_pedido":12345678909}}', "pedido_criado", None),
        ('{"event_type":["pedido_criado"]}', None, None),
        ("[]", None, None),
        ("no JSON", None, None),
    ],
)
def test_a_body_without_an_event_has_the_kind_and_the_key_that_it_names(
    body: str, kind: str | None, key: str | None
) -> None:
    """The dead letter of an order is part of its story, and dead letters are selected by their kind."""
    shown = pedido.codec.show(body, Decoded(error=DecodeError("missing_field", "")))

    assert (shown.kind, shown.key) == (kind, key)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: str(sample.get("id", "")))
def test_any_sample_can_be_shown(sample: dict[str, str]) -> None:
    """A message that cannot be processed is the one that people look at."""
    codec = {"pedido-events": pedido, "pagamento-events": pagamento, "produto-events": produto}[
        sample["queue"]
    ].codec

    shown = codec.show(sample["body"], codec.decode(sample["body"], ORIGIN))

    assert shown.body is None or json.dumps(json.loads(shown.body))
