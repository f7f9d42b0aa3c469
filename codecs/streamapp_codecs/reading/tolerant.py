"""The way of a body that is not spelled canonically: opened, its fields looked up, its words translated."""

from streamapp_codecs.codec import Decoded, DecodeError, Origin
from streamapp_codecs.dominio.eventos import Evento
from streamapp_codecs.dominio.unknown import Ignorada, tipo_desconhecido
from streamapp_codecs.dominio.vocabulario import Entidade
from streamapp_codecs.envelopes.kinds import resolver
from streamapp_codecs.envelopes.parts import Parte, partes
from streamapp_codecs.reading.pagamento import ler_pagamento
from streamapp_codecs.reading.pedido import ler_pedido
from streamapp_codecs.reading.produto import ler_produto


def decodificar(corpo: str, propria: Entidade, origin: Origin) -> Decoded[Evento]:
    """Return all that *corpo* holds; *propria* is the entity of the queue that it came from."""
    eventos: list[Evento] = []
    ignoradas: list[str] = []
    erro: DecodeError | None = None
    for parte in partes(corpo, propria, origin):
        lida = _ler(parte, propria, origin) if isinstance(parte, Parte) else parte
        if isinstance(lida, DecodeError):
            erro = erro or lida
        elif isinstance(lida, Ignorada):
            ignoradas.append(lida.nome)
        else:
            eventos.append(lida)
    return Decoded(tuple(eventos), tuple(ignoradas), erro)


def _ler(parte: Parte, propria: Entidade, origin: Origin) -> Evento | Ignorada | DecodeError:
    tipo = resolver(parte.indicios, propria)
    if isinstance(tipo, str):
        return tipo_desconhecido(tipo)
    try:
        if tipo.entidade == "pedido":
            return ler_pedido(parte.campos, tipo, origin)
        if tipo.entidade == "pagamento":
            return ler_pagamento(parte.campos, tipo, origin)
        return ler_produto(parte.campos, tipo, origin)
    except DecodeError as error:
        return error
