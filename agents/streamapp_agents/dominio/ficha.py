"""What an order needs of a product: name, category and preparation time, each with its event time."""

from collections.abc import Mapping

import msgspec

from streamapp_agents.dominio.registro import Registro, juntar, prevalecer


class Ficha(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The catalogue's registers of one product; None is unknown. *tempo_preparo* is in minutes, above 0."""

    nome: Registro[str] | None = None
    categoria: Registro[str] | None = None
    tempo_preparo: Registro[int] | None = None


def unir_ficha(uma: Ficha, outra: Ficha) -> Ficha:
    """Return both merged, register by register."""
    return Ficha(
        nome=juntar(prevalecer, uma.nome, outra.nome),
        categoria=juntar(prevalecer, uma.categoria, outra.categoria),
        tempo_preparo=juntar(prevalecer, uma.tempo_preparo, outra.tempo_preparo),
    )


def unir_fichas(umas: Mapping[str, Ficha], outras: Mapping[str, Ficha]) -> dict[str, Ficha]:
    """Return two views of the catalogue merged, product by product, sorted by id."""
    juntas = dict(umas)
    for id_produto, ficha in outras.items():
        conhecida = juntas.get(id_produto)
        juntas[id_produto] = ficha if conhecida is None else unir_ficha(conhecida, ficha)
    return dict(sorted(juntas.items()))
