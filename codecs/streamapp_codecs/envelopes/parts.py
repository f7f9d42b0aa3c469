"""A body opened down to its parts, each an event of its own."""

from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple, TypeAlias

from streamapp_codecs.codec import DecodeError, Origin
from streamapp_codecs.dominio.unknown import Ignorada
from streamapp_codecs.dominio.vocabulario import Entidade
from streamapp_codecs.envelopes.aws import abrir_registros, abrir_sns, controle_sns, recusar_s3
from streamapp_codecs.envelopes.envelope import Conteudo, Envelope
from streamapp_codecs.envelopes.kinds import Indicios
from streamapp_codecs.envelopes.wrappers import abrir_objeto
from streamapp_codecs.lenient.fields import Camada, Campos
from streamapp_codecs.lenient.folding import dobrar_nomes
from streamapp_codecs.lenient.reader import ler_json
from streamapp_codecs.lenient.values import is_lista, is_objeto, tipo_json

MAIS_PARTES = 1_000


class Parte(NamedTuple):
    """One event, its envelopes opened."""

    campos: Campos
    indicios: Indicios


Achado: TypeAlias = Parte | Ignorada | DecodeError


def partes(corpo: str, propria: Entidade, origin: Origin) -> Iterator[Achado]:
    """Return the parts of *corpo* in their order, bad ones included; *propria* is the queue's own entity."""
    try:
        valor = ler_json(corpo)
    except DecodeError as error:
        yield error
        return
    achados = _abrir(valor, Envelope(propria).com_atributos(origin.attributes))
    yield from islice(achados, MAIS_PARTES)
    if next(achados, None) is not None:
        yield DecodeError("invalid_value", f"more than {MAIS_PARTES} parts")


def _abrir(valor: object, fora: Envelope) -> Iterator[Achado]:
    try:
        recusar_s3(valor)
        if is_objeto(valor):
            yield from _abrir_objeto(dobrar_nomes(valor), fora)
        else:
            yield from _abrir_cada(_abrir_outro(valor, fora))
    except DecodeError as error:
        yield error


def _abrir_objeto(objeto: Camada, fora: Envelope) -> Iterator[Achado]:
    if (controle := controle_sns(objeto)) is not None:
        yield Ignorada(controle)
        return
    dentro = abrir_sns(objeto, fora) or abrir_registros(objeto, fora) or abrir_objeto(objeto, fora)
    if dentro is None:
        yield Parte(Campos((objeto, *fora.camadas)), fora.com_tipos(objeto).indicios)
    else:
        yield from _abrir_cada(dentro)


def _abrir_cada(conteudos: Iterator[Conteudo]) -> Iterator[Achado]:
    for conteudo in conteudos:
        if isinstance(conteudo, DecodeError):
            yield conteudo
        else:
            yield from _abrir(*conteudo)


def _abrir_outro(valor: object, fora: Envelope) -> Iterator[Conteudo]:
    """Return the parts of an array, or the JSON that a string holds."""
    if isinstance(valor, str):
        yield _de_texto(valor), fora.dentro()
    elif is_lista(valor) and valor:
        dentro = fora.dentro()
        for parte in valor:
            yield parte, dentro
    else:
        raise DecodeError("unknown_envelope", tipo_json(valor))


def _de_texto(texto: str) -> object:
    try:
        return ler_json(texto)
    except DecodeError as error:
        if error.reason == "not_json":
            raise DecodeError("unknown_envelope", "string that is not JSON") from error
        raise
