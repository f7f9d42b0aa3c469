"""Of two registers the newer one wins, unless its time is ahead."""

from decimal import Decimal
from itertools import permutations

import msgspec

from rigs.order_events import (
    cozinha,
    criado,
    em,
    folded,
    item,
    pagamento,
)
from streamapp_agents.dominio.fatos import Fatos, fatos_do_evento, unir
from streamapp_codecs.dominio.eventos import Instante


def test_a_clock_ahead_is_kept_flagged_and_outranks_nothing():
    """A wrong clock must not win forever."""
    adiantada = criado(item("2", preco="6"), cliente="***.000.000-**", quando=em(600, adiantado=True))

    for eventos in ([criado(item()), adiantada], [adiantada, criado(item())]):
        estado = folded(*eventos)

        assert (estado.cliente, estado.total) == ("***.982.247-**", Decimal("22.50"))
        assert (estado.criado_em, estado.atualizado_em) == (em(0).em, em(0).em)
        assert estado.alertas == ("relogio_adiantado",)


def test_a_clock_ahead_counts_until_another_event_comes():
    """It is kept for the record."""
    estado = folded(criado(item(), quando=em(600, adiantado=True)))

    assert (estado.criado_em, estado.atualizado_em) == (em(600).em, em(600).em)


def test_a_status_of_a_clock_ahead_is_a_fact():
    """Only its time is doubted, not its status."""
    estado = folded(criado(item()), pagamento("pago"), cozinha("Pronto", em(600, adiantado=True)))

    assert (estado.status, estado.atualizado_em) == ("Pronto", em(0).em)
    assert estado.alertas == ("relogio_adiantado",)


def test_a_tie_of_time_is_broken_by_content():
    """Two tills wrote at the same time: any rule is good enough if all workers follow it."""
    um, outro = criado(cliente="a"), criado(cliente="b")

    assert folded(um, outro).cliente == folded(outro, um).cliente


def test_two_texts_of_one_amount_do_not_break_a_tie_apart():
    """If 1 and 1.00 had two hashes, a third amount between the two would make the merge circular."""
    for centavos in range(101, 121):
        precos_empatados = ("1", "1.00", f"{centavos / 100}")
        for eventos_empatados in (
            [criado(total=preco) for preco in precos_empatados],
            [criado(item(preco=preco)) for preco in precos_empatados],
        ):
            assert len({folded(*ordem).total for ordem in permutations(eventos_empatados)}) == 1


def test_an_instant_of_one_event_is_kept_whole():
    """A time that is ahead is replaced as a whole: its mark does not go to the other time."""
    adiantado = fatos_do_evento(cozinha("Pronto", em(9, adiantado=True)))
    certo = fatos_do_evento(cozinha("Pronto", em(1)))

    assert unir(adiantado, certo).atualizado_em == Instante(em(1).em)
    assert msgspec.json.decode(msgspec.json.encode(adiantado), type=Fatos) == adiantado
