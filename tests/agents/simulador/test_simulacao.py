"""A made-up rush can be repeated, and the real code leaves the states that its script expects."""

import json
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from rigs.order_events import visible
from rigs.rush import MEIO_DIA, almoco
from rigs.shop_in_memory import Loja, decode
from streamapp_agents.simulador import DURACAO, differences
from streamapp_agents.simulador.enredo import ENREDOS

DEPOIS = MEIO_DIA + DURACAO


def test_one_seed_makes_one_rush():
    """A bug that was seen once can be seen again."""
    assert almoco() == almoco()
    assert almoco().mensagens != almoco(semente=8).mensagens


def test_two_seeds_make_different_orders():
    """A second rush into one shop must not change the orders of the first."""
    assert not set(almoco().acompanhamento) & set(almoco(semente=8).acompanhamento)


def test_an_empty_rush_is_the_catalogue():
    """The catalogue is sent even without any order."""
    simulacao = almoco(pedidos=0)

    assert simulacao.pedidos == 0
    assert {mensagem.queue for mensagem in simulacao.mensagens} == {"produto-events"}


def test_a_rush_fits_into_its_time():
    """An event in the future would be an alert about a clock that is ahead."""
    for semente in range(20):
        fim = max(
            campos["atualizado_em"] or ""
            for campos in almoco(pedidos=100, semente=semente, duplicados=0).acompanhamento.values()
            if "atualizado_em" in campos
        )
        assert datetime.fromisoformat(fim) < DEPOIS


def test_every_story_is_told():
    """A rush of a few hundred orders shows every alert that a script can cause."""
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
    """Bad messages have their reason, skipped ones have no effect, and the rest have events."""
    for mensagem in almoco(pedidos=80, invalidos=0.3).mensagens:
        decodificada = decode(mensagem.queue, mensagem.body, DEPOIS)
        motivo = None if decodificada.error is None else decodificada.error.reason

        assert motivo == mensagem.reason, mensagem.body
        assert bool(decodificada.skipped) == mensagem.skipped, mensagem.body
        assert bool(decodificada.events) == (motivo is None and not mensagem.skipped), mensagem.body


@pytest.mark.parametrize("semente", range(5))
@pytest.mark.parametrize("inicio", ["automatico", "manual"])
@pytest.mark.parametrize("zona", ["UTC", "America/Sao_Paulo"])
def test_the_real_code_leaves_the_states_of_the_script(semente, inicio, zona):
    """The expected states are written by hand, and share nothing with the code that folds the events."""
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
    """The demo names the fields that are wrong."""
    esperado = {"status": "Pronto", "cliente": None, "total": "9.00"}

    assert differences(esperado, {"status": "Recebido", "cliente": "x"}) == ("status", "cliente", "total")
    assert differences(esperado, {"status": "Pronto", "total": "9.00", "versao": "3"}) == ()
