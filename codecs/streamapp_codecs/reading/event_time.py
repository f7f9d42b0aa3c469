"""When an event happened: the innermost time that it or its envelopes carry."""

from streamapp_codecs.codec import Origin
from streamapp_codecs.dominio.campos import ATUALIZADO_EM, CRIADO_EM, OCORRIDO_EM, PAGO_EM
from streamapp_codecs.dominio.eventos import Instante
from streamapp_codecs.dominio.times import instante
from streamapp_codecs.lenient.fields import Campo, Campos, valores

# Which names to believe first. A field of another kind of event is better than an envelope's time.
CRIACAO = (CRIADO_EM, OCORRIDO_EM, ATUALIZADO_EM, PAGO_EM)
ATUALIZACAO = (ATUALIZADO_EM, OCORRIDO_EM, PAGO_EM, CRIADO_EM)
PAGAMENTO = (PAGO_EM, ATUALIZADO_EM, CRIADO_EM, OCORRIDO_EM)


def ler_quando(de: Campos, nomes: tuple[Campo, ...], origin: Origin) -> Instante | None:
    """Return the time of the event in *de*, None where there is none; *nomes* is one of the orders above."""
    for camada in de.camadas:
        for campo in nomes:
            for valor in valores(camada, campo):
                if (quando := instante(valor, origin)) is not None:
                    return quando
    return None
