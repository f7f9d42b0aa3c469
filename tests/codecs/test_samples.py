"""The sample messages, each with the outcome that it must have."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from streamapp_codecs import pagamento, pedido, produto
from streamapp_codecs.codec import Decoded, Origin
from streamapp_codecs.dominio.eventos import Evento, EventoPedido, EventoProduto

_DADOS = Path(__file__).parent.parent / "data"
_AMOSTRAS = [json.loads(linha) for linha in (_DADOS / "messages.jsonl").read_text("utf-8").splitlines()]
_ESPERADO = json.loads((_DADOS / "expected.json").read_text("utf-8"))
_CODECS = {
    "pedido-events": pedido.codec,
    "pagamento-events": pagamento.codec,
    "produto-events": produto.codec,
}


def _decodificar(amostra: dict[str, str]) -> Decoded[Evento]:
    origin = Origin(queue=amostra["queue"], message_id="m", sent_at=datetime(2025, 7, 28, 18, tzinfo=UTC))
    return _CODECS[amostra["queue"]].decode(amostra["body"], origin)


@pytest.mark.parametrize("amostra", _AMOSTRAS, ids=range(len(_AMOSTRAS)))
def test_each_sample_has_its_outcome(amostra: dict[str, str]) -> None:
    """These are the messages that the service has to live with."""
    decoded = _decodificar(amostra)

    if decoded.error is not None:
        outcome = f"dead:{decoded.error.reason}"
    else:
        outcome = "applied" if decoded.events else "skipped"
    assert outcome == amostra["outcome"]


def test_the_samples_speak_of_the_expected_orders_and_products_only() -> None:
    """An id that is read wrong would make a state that nobody looks at."""
    pedidos, produtos = set(), set()
    for evento in (evento for amostra in _AMOSTRAS for evento in _decodificar(amostra).events):
        if isinstance(evento, EventoPedido):
            pedidos.add(evento.id_pedido)
        elif isinstance(evento, EventoProduto):
            produtos.add(evento.id_produto)

    assert pedidos == set(_ESPERADO["acompanhamento"])
    assert produtos == set(_ESPERADO["produto"])


def test_the_samples_customers_are_masked_as_expected() -> None:
    """The mask is made here, so that no clear CPF ever gets further."""
    clientes: dict[str, str | None] = {}
    for evento in (evento for amostra in _AMOSTRAS for evento in _decodificar(amostra).events):
        if isinstance(evento, EventoPedido) and evento.criacao is not None:
            clientes[evento.id_pedido] = evento.criacao.cliente

    esperados = {k: v["cliente"] for k, v in _ESPERADO["acompanhamento"].items() if "cliente" in v}
    assert esperados.items() <= clientes.items()
