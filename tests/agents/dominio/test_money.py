"""One amount has one text."""

from rigs.order_events import (
    criado,
    folded,
    item,
)
from streamapp_agents.dominio.acompanhamento import aplicar


def test_one_price_in_other_digits_is_the_same_fact():
    """A republished creation with 18.00 for 18 must not depend on which hash is larger."""
    antes = folded(criado(item(preco="18")))

    assert aplicar(antes, criado(item(preco="18.000"))) is antes


def test_a_price_has_at_least_two_places():
    """At least two places are shown; a third one that was charged is not rounded away."""
    estado = folded(criado(item("1", preco="18"), item("2", preco="0.125")))

    assert estado.itens is not None
    assert [str(linha.preco) for linha in estado.itens] == ["18.00", "0.125"]
