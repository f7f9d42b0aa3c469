"""The sample messages, each with the outcome that it must have."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from streamapp_codecs import pagamento, pedido, produto
from streamapp_codecs.codec import Decoded, Origin
from streamapp_codecs.dominio.eventos import Evento, EventoPedido, EventoProduto

_DATA = Path(__file__).parent.parent / "data"
_SAMPLES = [json.loads(line) for line in (_DATA / "messages.jsonl").read_text("utf-8").splitlines()]
_EXPECTED = json.loads((_DATA / "expected.json").read_text("utf-8"))
_CODECS = {
    "pedido-events": pedido.codec,
    "pagamento-events": pagamento.codec,
    "produto-events": produto.codec,
}


def _decode(sample: dict[str, str]) -> Decoded[Evento]:
    origin = Origin(queue=sample["queue"], message_id="m", sent_at=datetime(2025, 7, 28, 18, tzinfo=UTC))
    return _CODECS[sample["queue"]].decode(sample["body"], origin)


@pytest.mark.parametrize("sample", _SAMPLES, ids=range(len(_SAMPLES)))
def test_each_sample_has_its_outcome(sample: dict[str, str]) -> None:
    """These are the messages that the service has to live with."""
    decoded = _decode(sample)

    if decoded.error is not None:
        outcome = f"dead:{decoded.error.reason}"
    else:
        outcome = "applied" if decoded.events else "skipped"
    assert outcome == sample["outcome"]


def test_the_samples_are_about_the_expected_orders_and_products_only() -> None:
    """An id that is read wrong would make a second state, which nobody looks at."""
    pedidos, produtos = set(), set()
    for event in (event for sample in _SAMPLES for event in _decode(sample).events):
        if isinstance(event, EventoPedido):
            pedidos.add(event.id_pedido)
        elif isinstance(event, EventoProduto):
            produtos.add(event.id_produto)

    assert pedidos == set(_EXPECTED["acompanhamento"])
    assert produtos == set(_EXPECTED["produto"])


def test_the_samples_customers_are_masked_as_expected() -> None:
    """The codec masks, so that no clear CPF gets any further."""
    clientes: dict[str, str | None] = {}
    for event in (event for sample in _SAMPLES for event in _decode(sample).events):
        if isinstance(event, EventoPedido) and event.criacao is not None:
            clientes[event.id_pedido] = event.criacao.cliente

    expected = {k: v["cliente"] for k, v in _EXPECTED["acompanhamento"].items() if "cliente" in v}
    assert expected.items() <= clientes.items()
