"""The items of an order, its total and its preparation time, completed from the catalogue."""

from collections.abc import Mapping
from decimal import Decimal

import msgspec

from streamapp_agents.dominio.fatos import Fatos
from streamapp_agents.dominio.ficha import Ficha
from streamapp_agents.dominio.money import to_cents
from streamapp_agents.dominio.registro import valor_de
from streamapp_codecs.dominio.eventos import Item
from streamapp_codecs.lenient.folding import fold_name

_MINUTOS_DO_PEDIDO = 15
_MINUTOS_DA_CATEGORIA = {"lanche": 5, "acompanhamento": 2, "sobremesa": 3, "bebida": 1}
_MINUTOS_DE_OUTRA = 3

_DESCONHECIDO = Ficha()


class ItemPedido(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One product of an order as it is shown; unknown members are left out."""

    id_produto: str | None = None
    nome: str | None = None
    categoria: str | None = None
    quantidade: int
    preco: Decimal | None = None


def itens_pedidos(fatos: Fatos) -> tuple[ItemPedido, ...] | None:
    """Return the items, with names and categories filled in from the catalogue, but never prices."""
    if fatos.carrinho is None:
        return None
    return tuple(_completar(item, _ficha(item, fatos.catalogo)) for item in fatos.carrinho.valor.itens)


def total(fatos: Fatos) -> Decimal | None:
    """Return the stated total, else the sum, with two places; None while neither is known."""
    if fatos.total is not None:
        return to_cents(fatos.total.valor)
    if fatos.carrinho is None or fatos.carrinho.valor.soma is None:
        return None
    return to_cents(fatos.carrinho.valor.soma)


def tempo_estimado(fatos: Fatos) -> str | None:
    """Return `HH:MM:SS`; None until the order's own creation was seen. There may be more than 24 hours."""
    if not fatos.conhecido:
        return None
    itens = () if fatos.carrinho is None else fatos.carrinho.valor.itens
    minutos = _MINUTOS_DO_PEDIDO + sum(
        item.quantidade * _minutos(item, _ficha(item, fatos.catalogo)) for item in itens
    )
    return f"{minutos // 60:02}:{minutos % 60:02}:00"


def _ficha(item: Item, catalogo: Mapping[str, Ficha]) -> Ficha:
    return _DESCONHECIDO if item.id_produto is None else catalogo.get(item.id_produto, _DESCONHECIDO)


def _completar(item: Item, ficha: Ficha) -> ItemPedido:
    return ItemPedido(
        id_produto=item.id_produto,
        nome=item.nome or valor_de(ficha.nome),
        categoria=item.categoria or valor_de(ficha.categoria),
        quantidade=item.quantidade,
        preco=item.preco,
    )


def _minutos(item: Item, ficha: Ficha) -> int:
    # A known preparation time replaces the category's minutes; 0 is unknown.
    if item.tempo_preparo:
        return item.tempo_preparo
    if ficha.tempo_preparo is not None:
        return ficha.tempo_preparo.valor
    categoria = item.categoria or valor_de(ficha.categoria)
    return _MINUTOS_DA_CATEGORIA.get(fold_name(categoria or ""), _MINUTOS_DE_OUTRA)
