"""JSON text: its numbers, its depth, and characters that were cut in half."""

import json

import pytest

_ATUALIZADO = {"id_pedido": 7, "status": "Pronto"}


def test_a_number_that_nobody_can_hold_is_invalid(reason) -> None:
    """It is JSON, so the body is not `not_json`."""
    assert reason('{"id_pedido":' + "1" * 5000 + "}") == "invalid_value"


def test_a_fraction_of_a_second_keeps_its_digits(one) -> None:
    """A float would have lost the last one."""
    text = json.dumps({"id": 7, "status": "Pronto", "timestamp": 0}).replace(" 0}", " 1753718400.000001}")

    assert one(text).quando.em.microsecond == 1


@pytest.mark.parametrize("opening", ["[", '{"a":', '[{"data":', '{"data":'])
def test_a_nesting_bomb_is_too_deep(reason, opening) -> None:
    """No recursion of ours or the parser's may end the worker."""
    assert reason(opening * 20_000) in {"too_deep", "not_json"}
    closing = "".join({"[": "]", "{": "}"}[c] for c in reversed(opening) if c in "[{")
    assert reason(opening * 5_000 + "1" + closing * 5_000) == "too_deep"


def test_brackets_in_texts_are_not_deep(one) -> None:
    """Brackets in a customer's text are no structure, and a wide body is not a deep one."""
    wide = [{"nome": "[{" * 300 + '\\"[', "quantidade": 1}] * 60

    assert one({**_ATUALIZADO, "observacoes": wide}).status == "Pronto"


def test_a_text_of_brackets_without_end_is_read_once(reason) -> None:
    """A body that takes seconds to refuse would stop all others meanwhile."""
    assert reason('["' + '\\"[{' * 60_000) == "not_json"


@pytest.mark.parametrize(
    "body", ["", " ", "abc", "{", "NaN", "Infinity", "-Infinity", '{"id":NaN}', "{'a':1}", '{"a":1}x']
)
def test_text_that_is_not_json_is_not_json(reason, body) -> None:
    """Python's own parser would accept some of these."""
    assert reason(body) == "not_json"


def test_half_of_a_character_does_not_cost_a_message(one) -> None:
    """Text cut by its length ends in half an emoji, which JSON allows to be written."""
    body = '{"id_pedido":7,"itens":[{"id":1,"nome":"X \\ud83c"},{"id":2,"nome":"\\ud83c\\udf54 \\\\ud83c"}]}'

    names = [item.nome for item in one(body).criacao.itens]

    assert names == ["X \ufffd", "🍔 \\ud83c"]


def test_the_last_of_a_repeated_key_counts(one) -> None:
    """JSON allows it, and producers that concatenate do it."""
    assert one('{"id_pedido":1,"status":"Finalizado","status":"Pronto"}').status == "Pronto"
