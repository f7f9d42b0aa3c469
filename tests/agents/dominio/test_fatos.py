"""How the facts of one order are merged."""

from datetime import timedelta
from decimal import Decimal
from functools import reduce
from random import Random

import msgspec
import pytest

from rigs.order_events import (
    ENVIO,
    cozinha,
    criado,
    em,
    folded,
    item,
    pagamento,
    visible,
)
from streamapp_agents.dominio.acompanhamento import aplicar
from streamapp_agents.dominio.estimativa import ItemPedido
from streamapp_agents.dominio.fatos import MAIS_PAGAMENTOS, Fatos, unir
from streamapp_codecs.dominio.eventos import EventoPedido, Pagamento


def test_a_late_pendente_is_absorbed():
    """Both events of a payment carry one time, so only the rank of the word can decide."""
    antes = folded(criado(item()), pagamento("pago", quando=em(1)))

    assert aplicar(antes, pagamento("pendente", quando=em(1))) is antes


def test_a_repeated_status_changes_nothing():
    """Repetitions are usual with at-least-once delivery, and the same object lets the caller skip the write."""
    antes = folded(criado(item()), cozinha("Pronto", em(9)))

    assert aplicar(antes, cozinha("Pronto", em(9))) is antes


def test_a_lower_kitchen_word_is_absorbed():
    """A late message must not undo what the kitchen did."""
    estado = folded(criado(item()), cozinha("Finalizado"), cozinha("Em preparação"))

    assert estado.status == "Finalizado"


def test_an_anonymous_customer_stays_absent():
    """Half of the customers of a counter give no CPF."""
    assert folded(criado(item(), cliente=None)).cliente is None


def test_null_never_erases():
    """A second producer that sends less must not erase what the first one sent."""
    cheio = criado(item("1", 2, nome="X-Burger"), total="45", quando=em(0))
    vazio = criado(cliente=None, status=None, quando=em(5))

    estado = folded(cheio, vazio)

    assert (estado.cliente, estado.total) == ("***.982.247-**", Decimal("45.00"))
    assert estado.itens == (
        ItemPedido(id_produto="1", nome="X-Burger", quantidade=2, preco=Decimal("22.50")),
    )


def test_a_creation_without_a_time_has_the_time_it_was_sent():
    """Some producers send none, and a known order has to sort by something."""
    estado = folded(criado(item(), quando=None), cozinha("Pronto"))

    assert (estado.criado_em, estado.atualizado_em) == (ENVIO, ENVIO)


def test_a_status_without_a_time_moves_no_time():
    """SentTimestamp is no event time: it is used for a creation without one, and for nothing else."""
    estado = folded(criado(item(), quando=em(0)), cozinha("Pronto"), pagamento("pago"))

    assert estado.atualizado_em == em(0).em


def test_atualizado_em_is_the_newest_event_time():
    """An event that changes nothing else was applied too."""
    estado = folded(criado(item(), quando=em(0)), cozinha("Pronto", em(9)), cozinha("Em preparação", em(4)))

    assert estado.atualizado_em == em(9).em


def test_one_event_may_state_an_order_and_its_payment():
    """One producer sends both statuses in one message, without a payment id."""
    evento = EventoPedido(
        id_pedido="1001",
        tipo="pagamento_atualizado",
        enviado_em=ENVIO,
        status="Em preparação",
        pagamento=Pagamento(status="pago"),
    )

    estado = folded(evento)

    assert (estado.status, estado.status_pagamento) == ("Em preparação", "pago")
    assert estado.fatos.pagamentos == {"": "pago"}


def test_the_end_of_an_order_is_when_its_first_terminal_word_was_sent():
    """It decides how long changes of products reach an order, and must not depend on the order of arrival."""
    cedo, tarde = ENVIO, ENVIO + timedelta(hours=1)

    for envios in ((cedo, tarde), (tarde, cedo)):
        estado = folded(criado(item()), *(cozinha("Finalizado", em(9), envio) for envio in envios))

        assert estado.fatos.encerrado_em == cedo


def test_the_end_of_an_order_shows_nowhere():
    """SentTimestamp is no event time, so nothing that is shown may rest on it."""
    estados = [
        folded(criado(item()), cozinha("Finalizado", em(9), ENVIO + timedelta(hours=horas)))
        for horas in (0, 5)
    ]

    assert visible(estados[0]) == visible(estados[1])
    assert folded(criado(item()), cozinha("Pronto")).fatos.encerrado_em is None


def test_an_order_keeps_a_bounded_number_of_payments_in_any_order_of_arrival():
    """A producer that makes up an id for each message must not fill Redis, and the merge stays one."""
    falas = [
        Fatos(pagamentos={f"p{n}": palavra})
        for n in range(100)
        for palavra in ("pendente", "pago" if n == 7 else "falhou")
    ]
    sorte, juntos = Random(1), set[bytes]()
    for _ in range(20):
        sorte.shuffle(falas)
        fatos = Fatos()
        for fala in falas:
            fatos = unir(fatos, fala)
        meio = reduce(unir, falas[:90], Fatos()), reduce(unir, falas[70:], Fatos())
        assert unir(fatos, fatos) is fatos
        juntos |= {msgspec.json.encode(fatos), msgspec.json.encode(unir(*meio))}

    assert len(juntos) == 1
    assert len(fatos.pagamentos) == MAIS_PAGAMENTOS
    assert fatos.pagamentos["p7"] == "pago"


@pytest.mark.parametrize("semente", range(10))
def test_what_is_shown_of_hundreds_of_payments_is_what_all_of_them_say(semente: int, monkeypatch):
    """The bound drops what decides nothing: payments that failed, however many."""
    sorte = Random(semente)
    decisivos = sorte.randint(0, MAIS_PAGAMENTOS)
    eventos = [criado(item()), cozinha("Pronto")]
    for n in range(200):
        ultima = sorte.choice(("pago", "estornado") if n < decisivos else ("pendente", "falhou", "cancelado"))
        eventos += [pagamento("pendente", f"p{sorte.random()}-{n}"), pagamento(ultima, f"q{n}")]
    sorte.shuffle(eventos)

    vistos = folded(*eventos)
    monkeypatch.setattr("streamapp_agents.dominio.fatos.MAIS_PAGAMENTOS", 10_000)
    todos = folded(*eventos)

    assert len(vistos.fatos.pagamentos) == MAIS_PAGAMENTOS
    assert len(todos.fatos.pagamentos) == 400
    assert visible(vistos) == visible(todos)
