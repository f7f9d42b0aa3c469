"""When an event happened, as its message states it."""

from datetime import timedelta

from streamapp_codecs.codec import Origin
from streamapp_codecs.dominio.eventos import Instante
from streamapp_codecs.lenient.times import read_time

# A time that is ahead of its message's SentTimestamp by more than this is kept for the record only.
_ADIANTE = timedelta(minutes=5)


def instante(valor: object, origin: Origin) -> Instante | None:
    """Return the time that *valor* states, and whether it is ahead of its message."""
    em = read_time(valor, origin.zone)
    return None if em is None else Instante(em, em - origin.sent_at > _ADIANTE)
