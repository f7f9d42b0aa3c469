"""Broken parts of the order-tracking application, one for each variant."""

from typing import Any

from streamapp_agents.dominio.acompanhamento import Acompanhamento, aplicar
from streamapp_codecs.dominio.eventos import EventoPedido


def drop_the_unknown(estado: Acompanhamento | None, evento: Any, **opcoes: Any) -> Acompanhamento | None:
    """Drop an event of an order that is not known yet."""
    if estado is None and isinstance(evento, EventoPedido) and evento.criacao is None:
        return None
    return aplicar(estado, evento, **opcoes)


def last_arrival(um: Any, outro: Any) -> Any:
    """The event that arrives last wins."""
    del um
    return outro
