"""A field is looked up by its names."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from streamapp_codecs.lenient.folding import dobrar, dobrar_nomes, is_vazio
from streamapp_codecs.lenient.values import is_objeto

Camada = dict[str, object]
"""One JSON object under its folded names."""


@dataclass(frozen=True, slots=True)
class Campo:
    """A field: *nome* is what errors call it, *caminhos* are its folded names, the first one preferred.

    *objetos* are the names that are gone into: where such a name holds an object, the object is no value.
    *primeiros* are all names that a field of an object can have.
    """

    nome: str
    caminhos: tuple[tuple[str, tuple[str, ...]], ...]
    objetos: frozenset[str]
    primeiros: frozenset[str]


def campo(nome: str, *apelidos: str) -> Campo:
    """Make a field of the names *apelidos* as people spell them."""
    partidos = [tuple(dobrar(parte) for parte in apelido.split(".")) for apelido in apelidos]
    caminhos = tuple((partes[0], partes[1:]) for partes in partidos)
    return Campo(
        nome, caminhos, frozenset(p for p, resto in caminhos if resto), frozenset(p for p, _ in caminhos)
    )


class Campos(NamedTuple):
    """The objects that one event is made of, innermost first.

    Ids under names of their own and times may come from an envelope. What else there is to know stands in the
    innermost object: further out, a `status` or a `name` is the envelope's.
    """

    camadas: tuple[Camada, ...]

    def valor(self, campo: Campo) -> object:
        """Return what *campo* holds, in the innermost object that has it; None where it is null or blank."""
        for camada in self.camadas:
            valor = _valor(camada, campo)
            if valor is not None:
                return valor
        return None

    def interno(self, campo: Campo) -> object:
        """Return what *campo* holds in the innermost object."""
        return _valor(self.camadas[0], campo)

    def internos(self, campo: Campo) -> Iterator[object]:
        """Return all that *campo* holds in the innermost object, under any of its names."""
        return valores(self.camadas[0], campo)

    def identidade(self, proprio: Campo, simples: Campo, codigo: Campo) -> object:
        """Return the id under its own name, else a plain one, else a code."""
        for valor in (self.valor(proprio), self.interno(simples), self.interno(codigo)):
            if valor is not None:
                return valor
        return None


def _valor(camada: Camada, campo: Campo) -> object:
    # Most fields are absent from most objects, which have few names.
    return None if campo.primeiros.isdisjoint(camada) else next(valores(camada, campo), None)


def valores(camada: Camada, campo: Campo) -> Iterator[object]:
    """Return all that *campo* holds in *camada*, the preferred name first; nulls and blanks are nothing."""
    for nome, resto in campo.caminhos:
        valor = camada.get(nome)
        if valor is None or (not resto and nome in campo.objetos and is_objeto(valor)):
            continue
        for parte in resto:
            valor = dobrar_nomes(valor).get(parte) if is_objeto(valor) else None
        if not is_vazio(valor):
            yield valor
