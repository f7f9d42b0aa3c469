"""A body is opened down to its parts."""

import pytest

from streamapp_codecs.envelopes import parts

_ATUALIZADO = {"id_pedido": 7, "status": "Pronto"}


@pytest.mark.parametrize(
    "body", ["5", "null", "true", '"texto"', '""', "[]", "[1,2]", '["a"]', "1e5", '{"Records":[]}']
)
def test_json_that_is_no_event_is_no_known_envelope(reason, body) -> None:
    """It is JSON, but nothing that anyone sends."""
    assert reason(body) == "unknown_envelope"


def test_the_parts_of_records_are_events_of_their_own(decode) -> None:
    """A bad part does not undo a good one, and is not lost either."""
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
    """The parts within it are applied; then the body is a dead letter."""
    decoded = decode([_ATUALIZADO] * (parts.MAX_PARTS + 1))

    assert len(decoded.events) == parts.MAX_PARTS
    assert decoded.error.reason == "invalid_value"
