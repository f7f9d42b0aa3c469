"""Real messages, decoded and folded, leave the state that they must leave."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rigs.order_events import visible
from rigs.shop_in_memory import Loja, decode
from streamapp_codecs.dominio.eventos import Evento

DATA = Path(__file__).parent.parent / "data"
CHEGADA = datetime(2025, 11, 23, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def decodificados() -> list[tuple[Evento, ...]]:
    """Return the events of each real message; a redelivery has the SentTimestamp of the first delivery."""
    linhas = map(json.loads, (DATA / "messages.jsonl").read_text(encoding="utf-8").splitlines())
    return [
        decode(linha["queue"], linha["body"], CHEGADA + timedelta(seconds=segundo)).events
        for segundo, linha in enumerate(linhas)
    ]


@pytest.fixture(scope="module")
def esperado():
    """Return what the real messages must leave."""
    return json.loads((DATA / "expected.json").read_text(encoding="utf-8"))


def campos(loja: Loja) -> dict[str, dict[str, str]]:
    """Return all that *loja* shows."""
    estados = {f"pedido {id_}": visible(estado) for id_, estado in loja.pedidos.items()}
    return estados | {f"produto {id_}": visible(estado) for id_, estado in loja.produtos.items()}


def conferir(loja: Loja, esperado) -> None:
    """Compare *loja* with *esperado*: null is absent, and an order that is not listed has no state."""
    achados = {id_: visible(estado) for id_, estado in loja.pedidos.items()}
    assert not set(esperado["absent"]) & set(achados)
    for id_pedido, texto in esperado["acompanhamento"].items():
        achado = achados[id_pedido]
        assert {nome: achado.get(nome) for nome in texto} == texto, id_pedido
    for id_produto, texto in esperado["produto"].items():
        achado = visible(loja.produtos[id_produto])
        assert {nome: achado.get(nome) for nome in texto} == texto, id_produto


def test_the_real_messages_leave_what_they_must(decodificados, esperado):
    """These bodies were read in the repositories of the services that send them."""
    loja = Loja()

    for eventos in decodificados:
        loja.receber(eventos)

    conferir(loja, esperado)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_any_order_and_any_repetition_leave_the_same(decodificados, esperado, data: st.DataObject):
    """Standard queues promise neither, and three queues promise nothing of each other."""
    em_ordem, misturada = Loja(), Loja()
    repetidos = data.draw(
        st.lists(st.sampled_from(decodificados), min_size=len(decodificados) // 3, max_size=20)
    )

    for eventos in decodificados:
        em_ordem.receber(eventos)
    for eventos in data.draw(st.permutations(decodificados + repetidos)):
        misturada.receber(eventos)

    conferir(misturada, esperado)
    assert campos(misturada) == campos(em_ordem)
