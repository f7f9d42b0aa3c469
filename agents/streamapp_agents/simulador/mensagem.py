"""One message to send, and what must become of it."""

from dataclasses import dataclass
from typing import Literal

from streamapp_codecs.codec import Reason

Fila = Literal["pedido-events", "pagamento-events", "produto-events"]
"""A queue's default name."""


@dataclass(frozen=True, slots=True)
class Mensagem:
    """A *corpo* for the queue *fila*.

    *duplicada* repeats a message before it, *deslocada* was moved from its place in time. With a *motivo* it
    must be dead-lettered for that reason; *ignorada* must be acknowledged without effect.
    """

    fila: Fila
    corpo: str
    duplicada: bool = False
    deslocada: bool = False
    motivo: Reason | None = None
    ignorada: bool = False
