"""A rush is damaged as much as was asked for, and no more."""

from collections import Counter

import pytest

from rigs.rush import almoco


def test_faults_are_as_many_as_asked_for():
    """The summary counts them, and is compared with the worker's own counts."""
    inteira = almoco(duplicados=0, fora_de_ordem=0, invalidos=0)
    estragada = almoco(duplicados=0.5, fora_de_ordem=0.25, invalidos=0.1)
    eventos = len(inteira.mensagens)

    assert (inteira.pedidos, inteira.eventos) == (40, eventos)
    assert (inteira.duplicados, inteira.fora_de_ordem, inteira.invalidos, inteira.ignorados) == (0, 0, 0, 0)
    assert estragada.eventos == eventos
    assert estragada.duplicados == pytest.approx(eventos * 0.5, abs=1)
    assert estragada.fora_de_ordem == pytest.approx(eventos * 0.25, abs=1)
    assert estragada.invalidos == pytest.approx(eventos * 0.1, abs=1)
    assert estragada.ignorados > 0


def test_a_duplicate_repeats_a_message_that_is_there():
    """SQS delivers the same bytes again."""
    mensagens = almoco().mensagens
    vezes = Counter((mensagem.queue, mensagem.body) for mensagem in mensagens)

    assert all(vezes[mensagem.queue, mensagem.body] > 1 for mensagem in mensagens if mensagem.repeated)


def test_what_is_not_moved_stays_in_its_order():
    """Only the share that was asked for is out of order."""
    inteira = [m.body for m in almoco(duplicados=0, fora_de_ordem=0, invalidos=0).mensagens]
    movida = almoco(duplicados=0, fora_de_ordem=0.3, invalidos=0).mensagens

    assert sorted(m.body for m in movida) == sorted(inteira)
    assert [m.body for m in movida] != inteira
    lugares = [inteira.index(m.body) for m in movida if not m.moved]
    assert lugares == sorted(lugares)
