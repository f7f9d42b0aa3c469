"""A field is looked up by its names, in the innermost object first, then in each envelope around it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from streamapp_codecs.dobra import dobrar, dobrar_nomes, is_vazio
from streamapp_codecs.valores import is_objeto

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
    """The objects that one event is made of, innermost first."""

    camadas: tuple[Camada, ...]

    def valor(self, campo: Campo) -> object:
        """Answer what *campo* holds; None where it is absent, null or blank."""
        for camada in self.camadas:
            # Most fields are absent from most objects, which have few names.
            if not campo.primeiros.isdisjoint(camada):
                for valor in _valores(camada, campo):
                    return valor
        return None

    def valores(self, campo: Campo) -> Iterator[object]:
        """Answer all that *campo* holds under any of its names."""
        for camada in self.camadas:
            yield from _valores(camada, campo)

    def interno(self, campo: Campo) -> object:
        """Answer what *campo* holds in the innermost object."""
        return Campos(self.camadas[:1]).valor(campo)

    def identidade(self, proprio: Campo, simples: Campo, codigo: Campo) -> object:
        """Answer the id under its own name, else a plain one in the innermost object, else a code."""
        for valor in (self.valor(proprio), self.interno(simples), self.valor(codigo)):
            if valor is not None:
                return valor
        return None


def _valores(camada: Camada, campo: Campo) -> Iterator[object]:
    for nome, resto in campo.caminhos:
        valor = camada.get(nome)
        if valor is None or (not resto and nome in campo.objetos and is_objeto(valor)):
            continue
        for parte in resto:
            valor = dobrar_nomes(valor).get(parte) if is_objeto(valor) else None
        if not is_vazio(valor):
            yield valor
