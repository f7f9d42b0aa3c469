"""The lines of an order as one entry for each product, and their sum."""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from streamapp_codecs.codec import DecodeError
from streamapp_codecs.dominio import campos
from streamapp_codecs.dominio.eventos import Item
from streamapp_codecs.dominio.medidas import ler_preparo, ler_quantidade
from streamapp_codecs.lenient.fields import Fields
from streamapp_codecs.lenient.folding import fold_keys, fold_name, is_blank
from streamapp_codecs.lenient.ids import read_id
from streamapp_codecs.lenient.money import read_price
from streamapp_codecs.lenient.values import is_array, is_object, json_type, read_text

MAIOR_PEDIDO = 1_000
"""The most lines of one order."""


def ler_linhas(valor: object) -> list[Item]:
    """Return the lines that *valor* lists; raises `DecodeError`, also where it lists none."""
    if not is_array(valor):
        raise DecodeError("invalid_value", f"itens: {json_type(valor)}")
    if not 1 <= len(valor) <= MAIOR_PEDIDO:
        raise DecodeError("invalid_value", f"itens: array of none or more than {MAIOR_PEDIDO}")
    return [_ler_linha(linha, f"itens[{n}]") for n, linha in enumerate(valor)]


def juntar(linhas: Sequence[Item]) -> tuple[Item, ...]:
    """Return one entry for each product, its quantities summed.

    A product without an id is known by its folded name. A price that differs between lines is unknown.
    """
    produtos = [_produto(linha) for linha in linhas]
    if len(set(produtos)) == len(produtos):
        return tuple(linhas)
    por_produto: dict[tuple[str, str], list[Item]] = {}
    for produto, linha in zip(produtos, linhas, strict=True):
        por_produto.setdefault(produto, []).append(linha)
    return tuple(iguais[0] if len(iguais) == 1 else _unir(iguais) for iguais in por_produto.values())


def somar(linhas: Iterable[Item]) -> Decimal | None:
    """Return the sum of quantity times price over all lines; None if a price is unknown."""
    soma = Decimal("0.00")
    for linha in linhas:
        if linha.preco is None:
            return None
        soma += linha.preco * linha.quantidade
    return soma


def _ler_linha(linha: object, path: str) -> Item:
    if isinstance(linha, str) and not is_blank(linha):
        return Item(nome=read_text(linha))
    if not is_object(linha):
        raise DecodeError("invalid_value", f"{path}: {json_type(linha)}")
    fields = Fields((fold_keys(linha),))
    identity = fields.identity(campos.ID_PRODUTO, campos.ID, campos.CODIGO_PRODUTO)
    id_produto = read_id(identity, f"{path}.id_produto")
    nome = read_text(fields.value(campos.NOME))
    if id_produto is None and nome is None:
        raise DecodeError("missing_field", f"{path}.id_produto")
    return Item(
        id_produto=id_produto,
        nome=nome,
        categoria=read_text(fields.value(campos.CATEGORIA)),
        quantidade=ler_quantidade(fields.value(campos.QUANTIDADE), f"{path}.quantidade"),
        preco=read_price(fields.value(campos.PRECO), f"{path}.preco"),
        tempo_preparo=ler_preparo(fields.value(campos.TEMPO_PREPARO)),
    )


def _produto(linha: Item) -> tuple[str, str]:
    if linha.id_produto is not None:
        return "id", linha.id_produto
    nome = linha.nome or ""
    return "nome", fold_name(nome) or nome


def _unir(iguais: list[Item]) -> Item:
    precos = {linha.preco for linha in iguais if linha.preco is not None}
    return Item(
        id_produto=iguais[0].id_produto,
        nome=_first(linha.nome for linha in iguais),
        categoria=_first(linha.categoria for linha in iguais),
        quantidade=sum(linha.quantidade for linha in iguais),
        preco=precos.pop() if len(precos) == 1 else None,
        tempo_preparo=next((linha.tempo_preparo for linha in iguais if linha.tempo_preparo), None),
    )


def _first(texts: Iterable[str | None]) -> str | None:
    return next((text for text in texts if text is not None), None)
