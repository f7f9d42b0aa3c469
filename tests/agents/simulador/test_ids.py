"""Made-up ids."""

from random import Random

from streamapp_agents.simulador.ids import cpf


def test_made_up_cpfs_are_well_formed():
    """A codec that checks the digits must accept them."""
    for semente in range(50):
        numero = cpf(Random(semente))
        for posicao in (9, 10):
            soma = sum(int(numero[i]) * (posicao + 1 - i) for i in range(posicao))
            assert int(numero[posicao]) == soma * 10 % 11 % 10
