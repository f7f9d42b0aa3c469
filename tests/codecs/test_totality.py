"""Any body at all: the codecs raise nothing, and nothing personal leaves them."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamapp_codecs import REASONS, Decoded, Origin, pagamento, pedido, produto
from streamapp_codecs.dominio import campos
from streamapp_codecs.dominio.eventos import Evento, EventoPedido, EventoProduto
from streamapp_codecs.dominio.vocabulario import ACTION_WORDS, ENTITY_NAMES, PAGAMENTO, PEDIDO
from streamapp_codecs.lenient.fields import Field

_CODECS = (pedido.codec, pagamento.codec, produto.codec)
_ORIGIN = Origin(queue="q", message_id="m", sent_at=datetime(2025, 7, 28, 18, tzinfo=UTC))
_SAMPLES = [
    json.loads(line)["body"]
    for line in (Path(__file__).parent.parent / "data" / "messages.jsonl").read_text("utf-8").splitlines()
]
_SETTINGS = settings(max_examples=250, deadline=None, database=None)


def _names(*de: Field) -> list[str]:
    return sorted({".".join((name, *rest)).split(".")[0] for field in de for name, rest in field.paths})


_FIELDS = [value for value in vars(campos).values() if isinstance(value, Field)]
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
_WORDS = [
    *(word for table in (PEDIDO, PAGAMENTO) for words in table.values() for word in words),
    *(
        f"{name}_{w}"
        for e, names in ENTITY_NAMES.items()
        for name in names
        for ws in ACTION_WORDS[e].values()
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
_leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=10**300, max_value=10**310)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.sampled_from(_WORDS)
)
_keys = st.sampled_from([*_names(*_FIELDS), *_ENVELOPES]) | st.text(max_size=5)
_json = st.recursive(
    _leaves,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(_keys, inner, max_size=6) | inner.map(json.dumps)
    ),
    max_leaves=20,
)


def _assert_decoded(decoded: Decoded[Evento]) -> None:
    assert isinstance(decoded, Decoded)
    assert decoded.events or decoded.skipped or decoded.error is not None
    assert all(isinstance(event, EventoPedido | EventoProduto) for event in decoded.events)
    assert all(name and name.isprintable() for name in decoded.skipped)
    assert decoded.error is None or decoded.error.reason in REASONS


_CPF, _EMAIL, _NAME, _PASSWORD = "52998224725", "maria@exemplo.com", "Maria da Silva", "s3nh4-s3creta"


_CANARIES = (_CPF, "529.982.247-25", _EMAIL, _NAME, _PASSWORD)


_canary = st.sampled_from([*_CANARIES, int(_CPF), f"{_CPF} - {_NAME}", float(_CPF)])


_KEPT = {"id", "codigo", "externalreference", "transactionnumber", "data"} | set(
    _names(
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


_OTHERS = [
    "nomeCliente",
    "emailCliente",
    "senha",
    "numeroCartaoCredito",
    "observacao",
    "endereco",
    "descricao",
]


_personal = st.dictionaries(
    st.sampled_from([name for name in _names(*_FIELDS) if name not in _KEPT] + _OTHERS),
    _canary | st.fixed_dictionaries({"cpf": _canary, "nome": _canary, "email": _canary, "senha": _canary}),
    max_size=8,
)


@_SETTINGS
@given(_json)
def test_any_json_is_decoded(value: object) -> None:
    """One body that raises would end the agent."""
    for codec in _CODECS:
        _assert_decoded(codec.decode(json.dumps(value), _ORIGIN))


@_SETTINGS
@given(st.dictionaries(_keys, _json, max_size=10), st.sampled_from(["pedido", "pagamento", "produto", ""]))
def test_any_fields_are_decoded(value: dict[str, object], entity: str) -> None:
    """As the above, but deeper: the event is found, and only its values are strange."""
    body = json.dumps({"event_type": f"{entity}_atualizado", "data": {"id": 7, **value}})

    for codec in _CODECS:
        _assert_decoded(codec.decode(body, _ORIGIN))


@_SETTINGS
@given(st.text() | st.text(alphabet='{}[]",:\\u0d8e1.-+ntf\ufeff\ud800', max_size=60))
def test_any_text_is_decoded(body: str) -> None:
    """A queue takes anything that somebody sends."""
    for codec in _CODECS:
        _assert_decoded(codec.decode(body, _ORIGIN))


@_SETTINGS
@given(st.sampled_from(_SAMPLES), st.data())
def test_a_damaged_sample_is_decoded(body: str, data: st.DataObject) -> None:
    """Most bad messages are good ones that were damaged."""
    start = data.draw(st.integers(0, len(body)))
    end = data.draw(st.integers(start, min(len(body), start + 12)))
    damage = data.draw(
        st.sampled_from(["", "null", "true", "-1", "1e999", '"', "{}", "[]", "\\", "\x00", "é", "9" * 400])
    )

    for codec in _CODECS:
        _assert_decoded(codec.decode(body[:start] + damage + body[end:], _ORIGIN))


@pytest.mark.parametrize("source", ["event_type", "Event-Type", "x"])
@given(value=st.text(max_size=120))
@_SETTINGS
def test_any_attribute_is_decoded(source: str, value: str) -> None:
    """Attributes come from the sender too."""
    origin = Origin(queue="q", message_id="m", sent_at=_ORIGIN.sent_at, attributes={source: value})

    for codec in _CODECS:
        _assert_decoded(codec.decode('{"id_pedido":7,"status":"Pronto"}', origin))


# What is kept as it came: ids, names and categories of products, and the words of kinds.
# (`data` is an envelope where it holds an object, and its `nome` would be a product's.)


@_SETTINGS
@given(
    _personal,
    st.fixed_dictionaries(
        {"id": st.integers(), "quantidade": _canary | st.just(1), "preco": _canary | st.just(1)}
    ),
    st.sampled_from(["pedido_criado", "pedido_atualizado", "pagamento_aprovado", "produto_criado", None]),
)
def test_nothing_personal_leaves(
    personal: dict[str, object], item: dict[str, object], kind: str | None
) -> None:
    """Logs, boards and dead letters are read by people who need no personal data."""
    body = {"id_pedido": 7, "id_produto": 8, "itens": [{**personal, **item}], **personal}
    if kind is not None:
        body = {"event_type": kind, "data": body}

    for codec in _CODECS:
        decoded = codec.decode(json.dumps(body), _ORIGIN)
        said = repr(decoded.events) + repr(decoded.error)
        assert not any(canary in said for canary in _CANARIES)
        assert not any(canary in repr(decoded.skipped) for canary in (_CPF, "529.982.247-25", _EMAIL))


QUADRATIC = pytest.mark.timeout(20)
"""These bodies take less than half a second; what looks at each part once for each other part takes minutes."""


@QUADRATIC
def test_a_body_of_many_names_is_decoded_at_once() -> None:
    """Each name is folded once, and the cache of names has an end."""
    body = json.dumps({f"campo_{n}": n for n in range(12_000)} | {"id_pedido": 7, "status": "Pronto"})

    _assert_decoded(pedido.codec.decode(body, _ORIGIN))


@QUADRATIC
@pytest.mark.parametrize(
    "body",
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
def test_a_body_as_large_as_it_may_be_is_decoded_at_once(body: str) -> None:
    """All agents share one event loop, and it waits meanwhile."""
    _assert_decoded(pedido.codec.decode(body, _ORIGIN))
