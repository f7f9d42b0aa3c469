"""The canonical path and the tolerant one give one answer."""

import json
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamapp_codecs.codec import Decoded, Origin
from streamapp_codecs.dominio.eventos import Evento
from streamapp_codecs.reading import canonical as canonico
from streamapp_codecs.reading import tolerant as tolerante
from streamapp_codecs.reading.queue_codec import CodecDeFila

_ORIGIN = Origin(
    queue="q",
    message_id="m",
    sent_at=datetime(2025, 7, 28, 18, tzinfo=UTC),
    zone=ZoneInfo("America/Sao_Paulo"),
)

_NUMEROS = (
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
_TEXTOS = (
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
_OUTROS = ("null", "true", "false", "[]", "{}", "[1]", '{"id":1}', "[2025,7,28,12,0]", '[{"id":1}]')
_estranho = (
    st.sampled_from([*_NUMEROS, *(json.dumps(texto) for texto in _TEXTOS), *_OUTROS])
    | st.integers().map(str)
    | st.text(max_size=6).map(json.dumps)
)


def _um_de(*valores: object) -> st.SearchStrategy[str]:
    return st.sampled_from([json.dumps(valor) for valor in valores])


_id = _um_de(1001, "0042", " a1 ", 7)
_preco = _um_de(22.5, 6, "6.00", "43,20", None, 0.1, 9.999) | st.just("1e1")
_tempo = _um_de("2025-07-28T15:00:00", "2025-07-28T12:00:00.5-03:00", "2030-01-01", "00:15:00", None, "")
_cliente = _um_de("52998224725", "529.982.247-25", 1234567890, None, "", "Maria")
_palavra = _um_de("Recebido", "recusado", "CANCELADO", "Pendente")
_nome = _um_de("X-Salada", "x salada", "", None)


@st.composite
def _objeto(draw: st.DrawFn, **campos: st.SearchStrategy[str]) -> str:
    """Return an object with some of *campos* in any order: mostly good, one field strange or repeated."""
    nomes = draw(st.lists(st.sampled_from(sorted(campos)), unique=True))
    pares = [(nome, draw(campos[nome])) for nome in nomes]
    if draw(st.booleans()):
        pares.insert(
            draw(st.integers(0, len(pares))), (draw(st.sampled_from(sorted(campos))), draw(_estranho))
        )
    return "{" + ",".join(f"{json.dumps(nome)}:{valor}" for nome, valor in pares) + "}"


_item = _objeto(
    id=_id, id_produto=_id, nome=_nome, categoria=_nome, quantidade=_um_de(1, 2, "3", 2.0, None), preco=_preco
)
_itens = st.lists(_item, min_size=1, max_size=3).map(lambda itens: "[" + ",".join(itens) + "]")
_pedido = _objeto(cliente=_cliente, produtos=_itens, total=_preco, status=_palavra, criado_em=_tempo)
_status = _objeto(status=_palavra, atualizado_em=_tempo)
_pagamento = _objeto(id_pagamento=_id, valor=_preco, status=_palavra, data_criacao=_tempo)
_produto = _objeto(
    nome=_nome,
    categoria=_nome,
    preco=_preco,
    tempo_preparo=_um_de(5, "5", 0, None, 2.5),
    ativo=_um_de(True, False, None),
    criado_em=_tempo,
    atualizado_em=_tempo,
)
_FORMAS = {
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
def _corpos(draw: st.DrawFn) -> str:
    tipo = draw(st.sampled_from(sorted(_FORMAS)))
    chave = "id_produto" if tipo.startswith("produto") else "id_pedido"
    dados = draw(_FORMAS[tipo])
    valor = draw(_id if draw(st.integers(0, 3)) else _estranho)
    com_id = f'{{"{chave}":{valor}' + ("," + dados[1:] if len(dados) > len("{}") else "}")
    partes = [f'"event_type":"{tipo}"', f'"data":{com_id}']
    if draw(st.integers(0, 9)) == 0:
        partes.append(draw(st.sampled_from(partes)))
    return "{" + ",".join(draw(st.permutations(partes))) + "}"


def _igual(um: Decoded[Evento], outro: Decoded[Evento]) -> bool:
    erros = [(d.error and d.error.reason, d.error and d.error.detail) for d in (um, outro)]
    return repr(um.events) == repr(outro.events) and um.skipped == outro.skipped and erros[0] == erros[1]


@settings(max_examples=600, deadline=None, database=None)
@given(_corpos())
def test_both_paths_give_one_answer(corpo: str) -> None:
    """The fast path is an optimisation, and nothing else."""
    evento = canonico.decodificar(corpo, _ORIGIN)
    tolerado = tolerante.decodificar(corpo, "pedido", _ORIGIN)

    if evento is not None:
        assert _igual(Decoded((evento,)), tolerado), (evento, tolerado)


_EXEMPLOS = [
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


@pytest.mark.parametrize("corpo", _EXEMPLOS)
def test_the_canonical_shapes_take_the_canonical_path(corpo: str) -> None:
    """The codec counts which way bodies go, so that a slow day can be seen."""
    codec = CodecDeFila("pedido")

    rapido = codec.decode(corpo, _ORIGIN)
    devagar = codec.decode(corpo[:-1] + ',"origem":"loja"}', _ORIGIN)

    assert (codec.canonicos, codec.tolerantes) == (1, 1)
    assert rapido.error is None
    assert _igual(rapido, devagar)


@pytest.mark.parametrize("corpo", _EXEMPLOS)
def test_a_canonical_body_ignores_what_the_envelope_says(corpo: str) -> None:
    """Its own kind is the innermost."""
    codec = CodecDeFila("pedido")
    origin = Origin(queue="q", message_id="m", sent_at=_ORIGIN.sent_at, attributes={"event_type": "cupom"})

    assert _igual(codec.decode(corpo, origin), tolerante.decodificar(corpo, "produto", origin))
