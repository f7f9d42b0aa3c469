"""Whatever a body is: nothing escapes the codecs, and nothing personal leaves them."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamapp_codecs import pagamento, pedido, produto
from streamapp_codecs.codec import REASONS, Decoded, Origin
from streamapp_codecs.dominio import campos
from streamapp_codecs.dominio.eventos import Evento, EventoPedido, EventoProduto
from streamapp_codecs.dominio.vocabulario import ACOES, ENTIDADES, PAGAMENTO, PEDIDO
from streamapp_codecs.lenient.fields import Campo

_CODECS = (pedido.codec, pagamento.codec, produto.codec)
_ORIGIN = Origin(queue="q", message_id="m", sent_at=datetime(2025, 7, 28, 18, tzinfo=UTC))
_AMOSTRAS = [
    json.loads(linha)["body"]
    for linha in (Path(__file__).parent.parent / "data" / "messages.jsonl").read_text("utf-8").splitlines()
]
_EM_PAZ = settings(max_examples=250, deadline=None, database=None)


def _nomes(*de: Campo) -> list[str]:
    return sorted({".".join((nome, *resto)).split(".")[0] for campo in de for nome, resto in campo.caminhos})


_CAMPOS = [valor for valor in vars(campos).values() if isinstance(valor, Campo)]
_ENVELOPES = (
    *(
        "event_type",
        "data",
        "detail-type",
        "detail",
        "Type",
        "Message",
        "TopicArn",
        "MessageAttributes",
        "Records",
    ),
    *(
        "body",
        "headers",
        "metadata",
        "content",
        "Sns",
        "pedido",
        "pagamento",
        "produto",
        "pedidos",
        "tipo",
        "acao",
    ),
    *("evento", "dados", "s3BucketName", "s3Key", "timestamp", "Timestamp", "", "x" * 70, "ID-PEDIDO", "_id"),
)
_PALAVRAS = [
    *(palavra for tabela in (PEDIDO, PAGAMENTO) for palavras in tabela.values() for palavra in palavras),
    *(
        f"{nome}_{w}"
        for e, nomes in ENTIDADES.items()
        for nome in nomes
        for ws in ACOES[e].values()
        for w in ws
    ),
    *("Notification", "SubscriptionConfirmation", "software.amazon.payloadoffloading.PayloadS3Pointer"),
    *(
        "43,20",
        "1.234,56",
        "00:15:00",
        "2025-07-28T12:00:00Z",
        "28/07/2025 12:00:00",
        "529.982.247-25",
        "0042",
    ),
]
_folhas = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=10**300, max_value=10**310)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.sampled_from(_PALAVRAS)
)
_chaves = st.sampled_from([*_nomes(*_CAMPOS), *_ENVELOPES]) | st.text(max_size=5)
_json = st.recursive(
    _folhas,
    lambda dentro: (
        st.lists(dentro, max_size=4) | st.dictionaries(_chaves, dentro, max_size=6) | dentro.map(json.dumps)
    ),
    max_leaves=20,
)


def _assert_e_decoded(decoded: Decoded[Evento]) -> None:
    assert isinstance(decoded, Decoded)
    assert decoded.events or decoded.skipped or decoded.error is not None
    assert all(isinstance(evento, EventoPedido | EventoProduto) for evento in decoded.events)
    assert all(nome and nome.isprintable() for nome in decoded.skipped)
    assert decoded.error is None or decoded.error.reason in REASONS


@_EM_PAZ
@given(_json)
def test_any_json_is_decoded(valor: object) -> None:
    """One body that raises would end the agent."""
    for codec in _CODECS:
        _assert_e_decoded(codec.decode(json.dumps(valor), _ORIGIN))


@_EM_PAZ
@given(st.dictionaries(_chaves, _json, max_size=10), st.sampled_from(["pedido", "pagamento", "produto", ""]))
def test_any_fields_are_decoded(valor: dict[str, object], entidade: str) -> None:
    """As the above, but deeper: the event is found, and only its values are strange."""
    corpo = json.dumps({"event_type": f"{entidade}_atualizado", "data": {"id": 7, **valor}})

    for codec in _CODECS:
        _assert_e_decoded(codec.decode(corpo, _ORIGIN))


@_EM_PAZ
@given(st.text() | st.text(alphabet='{}[]",:\\u0d8e1.-+ntf\ufeff\ud800', max_size=60))
def test_any_text_is_decoded(corpo: str) -> None:
    """A queue takes whatever somebody sends."""
    for codec in _CODECS:
        _assert_e_decoded(codec.decode(corpo, _ORIGIN))


@_EM_PAZ
@given(st.sampled_from(_AMOSTRAS), st.data())
def test_a_damaged_sample_is_decoded(corpo: str, data: st.DataObject) -> None:
    """Most bad messages are good ones that something happened to."""
    inicio = data.draw(st.integers(0, len(corpo)))
    fim = data.draw(st.integers(inicio, min(len(corpo), inicio + 12)))
    dano = data.draw(
        st.sampled_from(["", "null", "true", "-1", "1e999", '"', "{}", "[]", "\\", "\x00", "é", "9" * 400])
    )

    for codec in _CODECS:
        _assert_e_decoded(codec.decode(corpo[:inicio] + dano + corpo[fim:], _ORIGIN))


@pytest.mark.parametrize("origem", ["event_type", "Event-Type", "x"])
@given(valor=st.text(max_size=120))
@_EM_PAZ
def test_any_attribute_is_decoded(origem: str, valor: str) -> None:
    """Attributes are the sender's words too."""
    origin = Origin(queue="q", message_id="m", sent_at=_ORIGIN.sent_at, attributes={origem: valor})

    for codec in _CODECS:
        _assert_e_decoded(codec.decode('{"id_pedido":7,"status":"Pronto"}', origin))


_CPF, _EMAIL, _NOME, _SENHA = "52998224725", "maria@exemplo.com", "Maria da Silva", "s3nh4-s3creta"
_CANARIOS = (_CPF, "529.982.247-25", _EMAIL, _NOME, _SENHA)
_canario = st.sampled_from([*_CANARIOS, int(_CPF), f"{_CPF} - {_NOME}", float(_CPF)])
# What is kept as it came: ids, names and categories of products, and the words of kinds.
# (`data` is an envelope where it holds an object, and its `nome` would be a product's.)
_GUARDADOS = {"id", "codigo", "externalreference", "transactionnumber", "data"} | set(
    _nomes(
        *(
            campos.ID_PEDIDO,
            campos.ID_PAGAMENTO,
            campos.ID_PRODUTO,
            campos.NOME,
            campos.CATEGORIA,
            campos.ITENS,
        )
    )
)
_OUTROS = [
    "nomeCliente",
    "emailCliente",
    "senha",
    "numeroCartaoCredito",
    "observacao",
    "endereco",
    "descricao",
]
_pessoais = st.dictionaries(
    st.sampled_from([nome for nome in _nomes(*_CAMPOS) if nome not in _GUARDADOS] + _OUTROS),
    _canario
    | st.fixed_dictionaries({"cpf": _canario, "nome": _canario, "email": _canario, "senha": _canario}),
    max_size=8,
)


@_EM_PAZ
@given(
    _pessoais,
    st.fixed_dictionaries(
        {"id": st.integers(), "quantidade": _canario | st.just(1), "preco": _canario | st.just(1)}
    ),
    st.sampled_from(["pedido_criado", "pedido_atualizado", "pagamento_aprovado", "produto_criado", None]),
)
def test_nothing_personal_leaves(
    pessoais: dict[str, object], item: dict[str, object], tipo: str | None
) -> None:
    """Logs, boards and dead letters are read by people who need not know."""
    corpo = {"id_pedido": 7, "id_produto": 8, "itens": [{**pessoais, **item}], **pessoais}
    if tipo is not None:
        corpo = {"event_type": tipo, "data": corpo}

    for codec in _CODECS:
        decoded = codec.decode(json.dumps(corpo), _ORIGIN)
        dito = repr(decoded.events) + repr(decoded.error)
        assert not any(canario in dito for canario in _CANARIOS)
        assert not any(canario in repr(decoded.skipped) for canario in (_CPF, "529.982.247-25", _EMAIL))


def test_a_body_of_many_names_is_decoded_at_once() -> None:
    """Each name is folded once, and the cache of names has an end."""
    corpo = json.dumps({f"campo_{n}": n for n in range(12_000)} | {"id_pedido": 7, "status": "Pronto"})

    inicio = datetime.now(UTC)
    _assert_e_decoded(pedido.codec.decode(corpo, _ORIGIN))

    assert (datetime.now(UTC) - inicio).total_seconds() < 1


@pytest.mark.parametrize(
    "corpo",
    [
        "[" + ",".join(["{}"] * 80_000) + "]",
        "[" * 4 + ",".join(["{}"] * 80_000) + "]" * 4,
        '{"Records":[' + ",".join(["0"] * 120_000) + "]}",
        '{"itens":[' + ",".join(["0"] * 120_000) + "]}",
        '{"id_pedido":7,"cliente":"' + "5" * 250_000 + '"}',
        '{"id_pedido":7,"criado_em":"' + "2" * 250_000 + '"}',
        '{"id_pedido":7,"total":"' + "1." * 120_000 + '"}',
        '{"id_pedido":7,"total":1.' + "1" * 250_000 + "}",
        '{"id_pedido":7,"total":' + "1" * 4000 + "}",
        '{"event_type":"' + "pedido." * 30_000 + '"}',
        '{"status":"' + " " * 250_000 + '","id":1}',
    ],
    ids=range(11),
)
def test_a_body_as_large_as_it_may_be_is_decoded_at_once(corpo: str) -> None:
    """The loop that all agents share stands still meanwhile."""
    inicio = datetime.now(UTC)
    _assert_e_decoded(pedido.codec.decode(corpo, _ORIGIN))

    assert (datetime.now(UTC) - inicio).total_seconds() < 1
