"""Where an order is shown on the shop's boards."""

import pytest

from streamapp_agents.telas.quadro import coluna


@pytest.mark.parametrize(
    ("status", "pagamento", "onde"),
    [
        ("Recebido", "pendente", None),
        ("Recebido", "falhou", None),
        ("Recebido", "pago", "Recebido"),
        ("Recebido", "estornado", "Recebido"),
        ("Pronto", "pendente", "Pronto"),
        ("Finalizado", "pago", "Finalizado"),
    ],
)
def test_the_kitchen_gets_what_was_ever_paid(status: str, pagamento: str, onde: str | None) -> None:
    """A refund does not undo the cooking; an order that is already cooked is shown, paid or not."""
    assert coluna({"conhecido": "1", "status": status, "status_pagamento": pagamento}) == onde


def test_an_order_that_nobody_made_yet_stands_nowhere() -> None:
    """Its payment came first."""
    assert coluna({"conhecido": "0", "status": "Recebido", "status_pagamento": "pago"}) is None
