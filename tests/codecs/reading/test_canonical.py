"""The canonical path and the tolerant one return the same events."""

import json
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamapp_codecs.codec import Decoded, Origin
from streamapp_codecs.dominio.eventos import Evento
from streamapp_codecs.reading import canonical, tolerant
from streamapp_codecs.reading.queue_codec import QueueCodec

_ORIGIN = Origin(
    queue="q",
    message_id="m",
    sent_at=datetime(2025, 7, 28, 18, tzinfo=UTC),
    zone=ZoneInfo("America/Sao_Paulo"),
)

_NUMBERS = (
    *(
        "0",
        "-0",
        "1",
        "-1",
        "2",
        "42",
        "1.0",
        "42.0",
        "1e2",
        "1.5",
        "22.50",
        "0.001",
        "-0.0",
        "1e300",
        "1e999",
    ),
    *("18.299999999999997", "9007199254740993", "1" * 300, "10000", "10001", "1000000001", "1E+2", "5e-324"),
)
_TEXTS = (
    *(
        "42",
        "0042",
        " 42 ",
        "42.0",
        "1e2",
        "43,20",
        "1.234,56",
        "NaN",
        "-1",
        "1_0",
        "",
        " ",
        "X-Salada",
        "🍔",
    ),
    *(
        " X\x00\x1b ",
        "y" * 300,
        "Recebido",
        "PRONTO",
        "em_preparacao",
        "Finalizada",
        "cancelado",
        "pago",
        "Negado",
    ),
    *("Pendente", "1", "2.0", "Desconhecido", "falhou", "x" * 70, "estornado", " pronto ", "52998224725"),
    *(
        "529.982.247-25",
        "1234567890",
        "529.982.247-25 - Maria",
        "2025-07-28T15:00:00",
        "2025-07-28T15:00:00Z",
    ),
    *("2025-07-28T15:00:00.1234567-03:00", "28/07/2025 12:00:00", "00:15:00", "1753715100000", "2025-07-28"),
    *("9999-12-31T23:59:59", "2030-01-01T00:00:00Z", "2025-13-01"),
)
_OTHERS = ("null", "true", "false", "[]", "{}", "[1]", '{"id":1}', "[2025,7,28,12,0]", '[{"id":1}]')
_strange = (
    st.sampled_from([*_NUMBERS, *(json.dumps(text) for text in _TEXTS), *_OTHERS])
    | st.integers().map(str)
    | st.text(max_size=6).map(json.dumps)
)


def _one_of(*values: object) -> st.SearchStrategy[str]:
    return st.sampled_from([json.dumps(value) for value in values])


_id = _one_of(1001, "0042", " a1 ", 7)
_preco = _one_of(22.5, 6, "6.00", "43,20", None, 0.1, 9.999) | st.just("1e1")
_time = _one_of("2025-07-28T15:00:00", "2025-07-28T12:00:00.5-03:00", "2030-01-01", "00:15:00", None, "")
_cliente = _one_of("52998224725", "529.982.247-25", 1234567890, None, "", "Maria")
_word = _one_of("Recebido", "recusado", "CANCELADO", "Pendente")
_name = _one_of("X-Salada", "x salada", "", None)


@st.composite
def _object(draw: st.DrawFn, **campos: st.SearchStrategy[str]) -> str:
    """Return an object with some of *campos* in any order: mostly good, one field strange or repeated."""
    names = draw(st.lists(st.sampled_from(sorted(campos)), unique=True))
    pairs = [(name, draw(campos[name])) for name in names]
    if draw(st.booleans()):
        pairs.insert(
            draw(st.integers(0, len(pairs))), (draw(st.sampled_from(sorted(campos))), draw(_strange))
        )
    return "{" + ",".join(f"{json.dumps(name)}:{value}" for name, value in pairs) + "}"


_item = _object(
    id=_id,
    id_produto=_id,
    nome=_name,
    categoria=_name,
    quantidade=_one_of(1, 2, "3", 2.0, None),
    preco=_preco,
)
_itens = st.lists(_item, min_size=1, max_size=3).map(lambda itens: "[" + ",".join(itens) + "]")
_pedido = _object(cliente=_cliente, produtos=_itens, total=_preco, status=_word, criado_em=_time)
_status = _object(status=_word, atualizado_em=_time)
_pagamento = _object(id_pagamento=_id, valor=_preco, status=_word, data_criacao=_time)
_produto = _object(
    nome=_name,
    categoria=_name,
    preco=_preco,
    tempo_preparo=_one_of(5, "5", 0, None, 2.5),
    ativo=_one_of(True, False, None),
    criado_em=_time,
    atualizado_em=_time,
)
_SHAPES = {
    "pedido_criado": _pedido,
    "pedido_status_atualizado": _status,
    "pagamento_criado": _pagamento,
    "pagamento_atualizado": _pagamento,
    "pagamento_confirmado": _pagamento,
    "produto_criado": _produto,
    "produto_atualizado": _produto,
    "produto_removido": _produto,
}


@st.composite
def _bodies(draw: st.DrawFn) -> str:
    kind = draw(st.sampled_from(sorted(_SHAPES)))
    key = "id_produto" if kind.startswith("produto") else "id_pedido"
    data = draw(_SHAPES[kind])
    value = draw(_id if draw(st.integers(0, 3)) else _strange)
    with_id = f'{{"{key}":{value}' + ("," + data[1:] if len(data) > len("{}") else "}")
    parts = [f'"event_type":"{kind}"', f'"data":{with_id}']
    if draw(st.integers(0, 9)) == 0:
        parts.append(draw(st.sampled_from(parts)))
    return "{" + ",".join(draw(st.permutations(parts))) + "}"


def _is_equal(one: Decoded[Evento], other: Decoded[Evento]) -> bool:
    errors = [(d.error and d.error.reason, d.error and d.error.detail) for d in (one, other)]
    return repr(one.events) == repr(other.events) and one.skipped == other.skipped and errors[0] == errors[1]


_EXAMPLES = [
    (
        '{"event_type":"pedido_criado","data":{"id_pedido":1001,"cliente":"52998224725","produtos":[{"id":1,"quantidade":2,'
        '"preco":22.5},{"id":2,"preco":6.0}],"status":"Recebido","criado_em":"2025-07-28T15:00:00"}}'
    ),
    '{"event_type":"pedido_status_atualizado","data":{"id_pedido":"7","status":"PRONTO","atualizado_em":"2025-07-28"}}',
    (
        '{"event_type":"pagamento_criado","data":{"id_pagamento":459371,"id_pedido":"1001","valor":"51","status":"Pendente",'
        '"data_criacao":"2025-07-28T15:00:20.123456"}}'
    ),
    '{"event_type":"pagamento_atualizado","data":{"id_pagamento":4,"id_pedido":"1001","status":"Recebido"}}',
    '{"event_type":"pagamento_confirmado","data":{"id_pagamento":4,"id_pedido":1003,"status":"pago"}}',
    '{"event_type":"produto_criado","data":{"id_produto":2,"nome":"Coca","categoria":"BEBIDA","preco":"6.00"}}',
    '{"event_type":"produto_atualizado","data":{"id_produto":2,"preco":6.5,"tempo_preparo":3,"ativo":false}}',
    '{"event_type":"produto_removido","data":{"id_produto":"2"}}',
]


@settings(max_examples=600, deadline=None, database=None)
@given(_bodies())
def test_both_paths_return_the_same(body: str) -> None:
    """The fast path is only an optimisation."""
    event = canonical.decode(body, _ORIGIN)
    tolerated = tolerant.decode(body, "pedido", _ORIGIN)

    if event is not None:
        assert _is_equal(Decoded((event,)), tolerated), (event, tolerated)


@pytest.mark.parametrize("body", _EXAMPLES)
def test_the_canonical_shapes_take_the_canonical_path(body: str) -> None:
    """The codec counts the bodies of each path, so that people see why a day is slow."""
    codec = QueueCodec("pedido")

    fast = codec.decode(body, _ORIGIN)
    slow = codec.decode(body[:-1] + ',"origem":"loja"}', _ORIGIN)

    assert (codec.canonical, codec.tolerant) == (1, 1)
    assert fast.error is None
    assert _is_equal(fast, slow)


@pytest.mark.parametrize("body", _EXAMPLES)
def test_a_canonical_body_ignores_what_the_envelope_says(body: str) -> None:
    """Its own kind is the innermost."""
    codec = QueueCodec("pedido")
    origin = Origin(queue="q", message_id="m", sent_at=_ORIGIN.sent_at, attributes={"event_type": "cupom"})

    assert _is_equal(codec.decode(body, origin), tolerant.decode(body, "produto", origin))
