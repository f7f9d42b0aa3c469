"""When an event happened: the innermost time that it or its envelopes carry."""

from streamapp_codecs.codec import Origin
from streamapp_codecs.dominio.campos import ATUALIZADO_EM, CRIADO_EM, OCORRIDO_EM, PAGO_EM
from streamapp_codecs.dominio.eventos import Instante
from streamapp_codecs.dominio.instante import instante
from streamapp_codecs.lenient.fields import Field, Fields, field_values

# Which fields count first, by the kind of event. A field of another kind of event is better than an envelope's time.
CRIACAO = (CRIADO_EM, OCORRIDO_EM, ATUALIZADO_EM, PAGO_EM)
ATUALIZACAO = (ATUALIZADO_EM, OCORRIDO_EM, PAGO_EM, CRIADO_EM)
PAGAMENTO = (PAGO_EM, ATUALIZADO_EM, CRIADO_EM, OCORRIDO_EM)


def read_event_time(fields: Fields, preferred: tuple[Field, ...], origin: Origin) -> Instante | None:
    """Return the time of the event, None if there is none; *preferred* is one of the orders above."""
    for layer in fields.layers:
        for field in preferred:
            for value in field_values(layer, field):
                if (quando := instante(value, origin)) is not None:
                    return quando
    return None
