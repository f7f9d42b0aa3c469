"""What the variants put in the place of the order-tracking application's own parts."""

from typing import Any

from streamapp_agents.dominio.acompanhamento import Acompanhamento, aplicar
from streamapp_codecs.dominio.eventos import EventoPedido


def drop_the_unknown(estado: Acompanhamento | None, evento: Any, **opcoes: Any) -> Acompanhamento | None:
    """An event of an order that is not there yet is dropped."""
    if estado is None and isinstance(evento, EventoPedido) and evento.criacao is None:
        return None
    return aplicar(estado, evento, **opcoes)


def last_arrival(um: Any, outro: Any) -> Any:
    """Whoever comes last is right."""
    del um
    return outro
