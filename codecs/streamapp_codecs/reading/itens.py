"""The lines of an order, and what they come to: one entry a product."""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from streamapp_codecs.codec import DecodeError
from streamapp_codecs.dominio import campos
from streamapp_codecs.dominio.eventos import Item
from streamapp_codecs.lenient.fields import Campos
from streamapp_codecs.lenient.folding import dobrar, dobrar_nomes, is_vazio
from streamapp_codecs.lenient.values import (
    is_lista,
    is_objeto,
    ler_id,
    minutos,
    preco,
    quantidade,
    texto,
    tipo_json,
)

MAIS_ITENS = 1_000


def ler_linhas(valor: object) -> list[Item]:
    """Return the lines that *valor* lists; raises `DecodeError`, also where it lists none."""
    if not is_lista(valor):
        raise DecodeError("invalid_value", f"itens: {tipo_json(valor)}")
    if not 1 <= len(valor) <= MAIS_ITENS:
        raise DecodeError("invalid_value", f"itens: array of none or more than {MAIS_ITENS}")
    return [_ler_linha(linha, f"itens[{n}]") for n, linha in enumerate(valor)]


def juntar(linhas: Sequence[Item]) -> tuple[Item, ...]:
    """Return one entry a product, its quantities summed.

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
    """Return the sum of quantity times price over all lines; None where a price is unknown."""
    soma = Decimal("0.00")
    for linha in linhas:
        if linha.preco is None:
            return None
        soma += linha.preco * linha.quantidade
    return soma


def _ler_linha(linha: object, caminho: str) -> Item:
    if isinstance(linha, str) and not is_vazio(linha):
        return Item(nome=texto(linha))
    if not is_objeto(linha):
        raise DecodeError("invalid_value", f"{caminho}: {tipo_json(linha)}")
    campos_da_linha = Campos((dobrar_nomes(linha),))
    id_lido = campos_da_linha.identidade(campos.ID_PRODUTO, campos.ID, campos.CODIGO_PRODUTO)
    id_produto = ler_id(id_lido, f"{caminho}.id_produto")
    nome = texto(campos_da_linha.valor(campos.NOME))
    if id_produto is None and nome is None:
        raise DecodeError("missing_field", f"{caminho}.id_produto")
    return Item(
        id_produto=id_produto,
        nome=nome,
        categoria=texto(campos_da_linha.valor(campos.CATEGORIA)),
        quantidade=quantidade(campos_da_linha.valor(campos.QUANTIDADE), f"{caminho}.quantidade"),
        preco=preco(campos_da_linha.valor(campos.PRECO), f"{caminho}.preco"),
        tempo_preparo=minutos(campos_da_linha.valor(campos.TEMPO_PREPARO)),
    )


def _produto(linha: Item) -> tuple[str, str]:
    if linha.id_produto is not None:
        return "id", linha.id_produto
    nome = linha.nome or ""
    return "nome", dobrar(nome) or nome


def _unir(iguais: list[Item]) -> Item:
    precos = {linha.preco for linha in iguais if linha.preco is not None}
    return Item(
        id_produto=iguais[0].id_produto,
        nome=_primeiro(linha.nome for linha in iguais),
        categoria=_primeiro(linha.categoria for linha in iguais),
        quantidade=sum(linha.quantidade for linha in iguais),
        preco=precos.pop() if len(precos) == 1 else None,
        tempo_preparo=next((linha.tempo_preparo for linha in iguais if linha.tempo_preparo), None),
    )


def _primeiro(textos: Iterable[str | None]) -> str | None:
    return next((texto for texto in textos if texto is not None), None)
