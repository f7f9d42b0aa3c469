"""The made-up rush is repeatable, its faults are counted, and the real code comes to what its script says."""

import json
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from rigs.order_events import visible
from rigs.shop_in_memory import Loja, decode
from streamapp_agents.simulador import DURACAO, Simulacao, differences, simular
from streamapp_agents.simulador.enredo import ENREDOS

MEIO_DIA = datetime(2025, 7, 28, 12, tzinfo=UTC)
DEPOIS = MEIO_DIA + DURACAO


def almoco(pedidos: int = 40, semente: int = 7, duplicados: float = 0.3, **outros) -> Simulacao:
    """Make a rush in which much goes wrong."""
    opcoes = {"fora_de_ordem": 0.3, "invalidos": 0.1, "inicio_em": MEIO_DIA} | outros
    return simular(pedidos, semente, duplicados=duplicados, **opcoes)


def test_one_seed_makes_one_rush():
    """A bug that was seen once can be seen again."""
    assert almoco() == almoco()
    assert almoco().mensagens != almoco(semente=8).mensagens


def test_two_seeds_speak_of_different_orders():
    """A second rush into one shop must not change the orders of the first."""
    assert not set(almoco().acompanhamento) & set(almoco(semente=8).acompanhamento)


def test_an_empty_rush_is_the_catalogue():
    """Nothing else is needed to fill a menu."""
    simulacao = almoco(pedidos=0)

    assert simulacao.pedidos == 0
    assert {mensagem.queue for mensagem in simulacao.mensagens} == {"produto-events"}


def test_a_rush_fits_into_its_time():
    """An event of the future would be flagged as a clock ahead."""
    for semente in range(20):
        fim = max(
            campos["atualizado_em"] or ""
            for campos in almoco(pedidos=100, semente=semente, duplicados=0).acompanhamento.values()
            if "atualizado_em" in campos
        )
        assert datetime.fromisoformat(fim) < DEPOIS


def test_every_story_is_told():
    """A rush of a few hundred orders shows every alert that a script can bring about."""
    estados = almoco(pedidos=400, duplicados=0).acompanhamento.values()

    assert {campos["status"] for campos in estados} == {enredo.automatico.status for enredo in ENREDOS}
    assert {alerta for campos in estados for alerta in json.loads(campos["alertas"] or "[]")} == {
        "apos_terminal",
        "estornado_apos_preparo",
        "nao_pago",
        "salto",
        "total_divergente",
    }


def test_each_body_comes_to_its_outcome():
    """What must be dead-lettered has its reason, what must be skipped has no effect, the rest is told."""
    for mensagem in almoco(pedidos=80, invalidos=0.3).mensagens:
        decodificada = decode(mensagem.queue, mensagem.body, DEPOIS)
        motivo = None if decodificada.error is None else decodificada.error.reason

        assert motivo == mensagem.reason, mensagem.body
        assert bool(decodificada.skipped) == mensagem.skipped, mensagem.body
        assert bool(decodificada.events) == (motivo is None and not mensagem.skipped), mensagem.body


@pytest.mark.parametrize("semente", range(5))
@pytest.mark.parametrize("inicio", ["automatico", "manual"])
@pytest.mark.parametrize("zona", ["UTC", "America/Sao_Paulo"])
def test_the_real_code_comes_to_what_the_script_says(semente, inicio, zona):
    """The script was written before the events were, and shares nothing with the code that folds them."""
    fuso = ZoneInfo(zona)
    simulacao = almoco(pedidos=60, semente=semente, inicio=inicio, fuso=fuso)
    loja = Loja(inicio)

    for segundo, mensagem in enumerate(simulacao.mensagens):
        envio = DEPOIS + timedelta(seconds=segundo)
        loja.receber(decode(mensagem.queue, mensagem.body, envio, fuso).events)

    assert set(loja.pedidos) == set(simulacao.acompanhamento)
    assert set(loja.produtos) == set(simulacao.produto)
    for id_pedido, campos in simulacao.acompanhamento.items():
        achado = visible(loja.pedidos[id_pedido])
        assert {nome: achado.get(nome) for nome in campos} == dict(campos)
        assert differences(campos, achado) == ()
    for id_produto, campos in simulacao.produto.items():
        assert visible(loja.produtos[id_produto]) == {
            n: texto for n, texto in campos.items() if texto is not None
        }


def test_divergences_are_named():
    """The demo says which field of which order is not what it must be."""
    esperado = {"status": "Pronto", "cliente": None, "total": "9.00"}

    assert differences(esperado, {"status": "Recebido", "cliente": "x"}) == ("status", "cliente", "total")
    assert differences(esperado, {"status": "Pronto", "total": "9.00", "versao": "3"}) == ()
