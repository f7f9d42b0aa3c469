"""What the envelopes around an event say of it: an id, a time, its kind."""

from collections.abc import Mapping
from typing import Final, NamedTuple, TypeAlias

from streamapp_codecs.codec import DecodeError
from streamapp_codecs.dominio.campos import TIPO, TIPO_INDICIO, TIPO_TALVEZ
from streamapp_codecs.dominio.vocabulario import Entidade
from streamapp_codecs.envelopes.kinds import Indicios
from streamapp_codecs.lenient.fields import Camada
from streamapp_codecs.lenient.folding import dobrar, is_vazio
from streamapp_codecs.lenient.reader import ler_json
from streamapp_codecs.lenient.values import is_lista, is_numero, is_objeto

MAIS_FUNDO: Final = 5

_CERTOS = frozenset(dobrar(nome) for nome in TIPO)
_EXPLICITOS = tuple(dobrar(nome) for nome in (*TIPO, *TIPO_TALVEZ))
_INDICIOS = tuple(dobrar(nome) for nome in TIPO_INDICIO)
_NOMES = frozenset((*_EXPLICITOS, *_INDICIOS))

_SEM_INDICIOS = Indicios()


class Envelope(NamedTuple):
    """What the envelopes opened so far say: their objects and kinds, innermost first; *fundo* is how many.

    *propria* is the entity of the queue.
    """

    propria: Entidade
    camadas: tuple[Camada, ...] = ()
    indicios: Indicios = _SEM_INDICIOS
    fundo: int = 0

    def dentro(self, *camadas: Camada) -> "Envelope":
        """Go one envelope deeper, past *camadas*; raises `DecodeError` where that is too deep."""
        if self.fundo == MAIS_FUNDO:
            raise DecodeError("too_deep", f"more than {MAIS_FUNDO} envelopes")
        return Envelope(self.propria, camadas + self.camadas, self.indicios, self.fundo + 1)

    def com_tipos(self, objeto: Camada) -> "Envelope":
        """Add the kinds that *objeto* names."""
        if _NOMES.isdisjoint(objeto):
            return self
        explicitos = [(nome, valor) for nome in _EXPLICITOS if _is_tipo(nome, valor := objeto.get(nome))]
        indicios = [valor for nome in _INDICIOS if isinstance(valor := objeto.get(nome), str)]
        return self._com(
            tuple(
                (valor if isinstance(valor, str) else "(number)", nome in _CERTOS)
                for nome, valor in explicitos
            ),
            tuple(indicios),
        )

    def com_atributos(self, atributos: Mapping[str, object]) -> "Envelope":
        """Add the kind that a message's attributes name."""
        tipos = (valor for nome, valor in atributos.items() if dobrar(nome) in _CERTOS)
        explicitos = tuple((valor, True) for valor in tipos if isinstance(valor, str) and valor.strip())
        return self._com(explicitos, ()) if explicitos else self

    def com_indicio(self, indicio: str) -> "Envelope":
        """Add a kind that counts only if it is known."""
        return self._com((), (indicio,))

    def com_entidade(self, entidade: Entidade) -> "Envelope":
        """Add the entity that a wrapper names."""
        return self._replace(indicios=self.indicios._replace(entidade=entidade))

    def _com(self, explicitos: tuple[tuple[str, bool], ...], indicios: tuple[str, ...]) -> "Envelope":
        de = self.indicios
        novos = Indicios(explicitos + de.explicitos, indicios + de.indicios, de.entidade)
        return Envelope(self.propria, self.camadas, novos, self.fundo)


Conteudo: TypeAlias = "tuple[object, Envelope] | DecodeError"
"""One thing that lay in an envelope, and what is known of it; or why it cannot be read."""


def conteudo(valor: object) -> dict[str, object] | list[object] | None:
    """Return the object, or the array of objects, that *valor* is or spells; None where it is no content."""
    if isinstance(valor, str):
        return conteudo(_de_texto(valor)) if valor.lstrip()[:1] in {"{", "[", '"'} else None
    if is_objeto(valor):
        return valor
    if is_lista(valor) and any(isinstance(parte, dict) for parte in valor):
        return valor
    return None


def _de_texto(texto: str) -> object:
    try:
        return ler_json(texto)
    except DecodeError as error:
        if error.reason == "not_json":
            return None
        raise


def _is_tipo(nome: str, valor: object) -> bool:
    # An object under `evento` is an envelope, an array says nothing; a number is a kind that nobody can know.
    if isinstance(valor, str):
        return not is_vazio(valor)
    return nome in _CERTOS and is_numero(valor)
