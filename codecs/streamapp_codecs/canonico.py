"""The canonical shapes, decoded in one step: what most messages are, and all that this project sends.

A body that is refused here is no bad one: the tolerant path decides. What both accept they answer alike.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

import msgspec

from streamapp_codecs.codec import DecodeError, Origin
from streamapp_codecs.cpf import mascarar
from streamapp_codecs.eventos import Criacao, Evento, EventoPedido, EventoProduto, Instante, Item, Pagamento
from streamapp_codecs.itens import MAIS_ITENS, juntar, somar
from streamapp_codecs.leitura import numero
from streamapp_codecs.palavras import STATUS_PAGAMENTO, STATUS_PEDIDO
from streamapp_codecs.tempos import instante
from streamapp_codecs.valores import exigir_id, ler_id, minutos, preco, quantidade, texto

_Aberto: TypeAlias = Any  # a number of an open type keeps its text; a typed float would have lost it


class _Dados(msgspec.Struct, forbid_unknown_fields=True):
    """The fields of one shape, not yet believed."""


class _Linha(_Dados):
    id: int | str | None = None
    id_produto: int | str | None = None
    nome: str | None = None
    categoria: str | None = None
    quantidade: _Aberto = None
    preco: _Aberto = None


class _DadosPedidoCriado(_Dados):
    id_pedido: int | str
    cliente: int | str | None = None
    produtos: list[_Linha] | None = None
    total: _Aberto = None
    status: str | None = None
    criado_em: str | None = None


class _DadosPedidoStatus(_Dados):
    id_pedido: int | str
    status: str
    atualizado_em: str | None = None


class _DadosPagamento(_Dados):
    id_pedido: int | str
    status: str
    id_pagamento: int | str | None = None
    valor: _Aberto = None
    data_criacao: str | None = None


class _DadosProduto(_Dados):
    id_produto: int | str
    nome: str | None = None
    categoria: str | None = None
    preco: _Aberto = None
    tempo_preparo: _Aberto = None
    ativo: bool | None = None
    criado_em: str | None = None
    atualizado_em: str | None = None


class _Forma(msgspec.Struct, tag_field="event_type", forbid_unknown_fields=True):
    """The canonical envelope."""


class _PedidoCriado(_Forma, tag="pedido_criado"):
    data: _DadosPedidoCriado


class _PedidoStatus(_Forma, tag="pedido_status_atualizado"):
    data: _DadosPedidoStatus


class _PagamentoCriado(_Forma, tag="pagamento_criado"):
    data: _DadosPagamento


class _PagamentoAtualizado(_Forma, tag="pagamento_atualizado"):
    data: _DadosPagamento


class _PagamentoConfirmado(_Forma, tag="pagamento_confirmado"):
    data: _DadosPagamento


class _ProdutoCriado(_Forma, tag="produto_criado"):
    data: _DadosProduto


class _ProdutoAtualizado(_Forma, tag="produto_atualizado"):
    data: _DadosProduto


class _ProdutoRemovido(_Forma, tag="produto_removido"):
    data: _DadosProduto


_Canonica: TypeAlias = (
    _PedidoCriado
    | _PedidoStatus
    | _PagamentoCriado
    | _PagamentoAtualizado
    | _PagamentoConfirmado
    | _ProdutoCriado
    | _ProdutoAtualizado
    | _ProdutoRemovido
)
_DECODER: msgspec.json.Decoder[_Canonica] = msgspec.json.Decoder(_Canonica, float_hook=numero)


def decodificar(corpo: str, origin: Origin) -> Evento | None:
    """Answer the event of a canonical *corpo*; None where it is not canonical, or not right."""
    try:
        forma = _DECODER.decode(corpo)
        return _LER[type(forma)](forma.data, origin)
    except (msgspec.DecodeError, DecodeError, UnicodeError, RecursionError):
        return None


def _pedido_criado(de: _DadosPedidoCriado, origin: Origin) -> EventoPedido | None:
    status = None if de.status is None else STATUS_PEDIDO.significado(de.status)
    if de.status is not None and status is None:
        return None
    linhas = de.produtos
    if linhas is not None and not 1 <= len(linhas) <= MAIS_ITENS:
        return None
    itens = None if linhas is None else [_item(linha) for linha in linhas]
    return EventoPedido(
        id_pedido=exigir_id(de.id_pedido, "id_pedido"),
        tipo="pedido_criado",
        enviado_em=origin.sent_at,
        quando=_quando(de.criado_em, origin),
        criacao=Criacao(
            cliente=mascarar(de.cliente),
            itens=None if itens is None else juntar(itens),
            soma=None if itens is None else somar(itens),
            total=preco(de.total, "total"),
        ),
        status=status,
    )


def _item(de: _Linha) -> Item:
    id_produto = ler_id(de.id_produto, "id_produto")
    nome = texto(de.nome)
    if id_produto is None:
        id_produto = ler_id(de.id, "id")
        if id_produto is None and nome is None:
            raise DecodeError("missing_field", "id_produto")
    return Item(
        id_produto=id_produto,
        nome=nome,
        categoria=texto(de.categoria),
        quantidade=quantidade(de.quantidade, "quantidade"),
        preco=preco(de.preco, "preco"),
    )


def _pedido_status(de: _DadosPedidoStatus, origin: Origin) -> EventoPedido | None:
    status = STATUS_PEDIDO.significado(de.status)
    if status is None:
        return None
    return EventoPedido(
        id_pedido=exigir_id(de.id_pedido, "id_pedido"),
        tipo="pedido_status_atualizado",
        enviado_em=origin.sent_at,
        quando=_quando(de.atualizado_em, origin),
        status=status,
    )


def _pagamento(tipo: str) -> Callable[[_DadosPagamento, Origin], EventoPedido | None]:
    def ler(de: _DadosPagamento, origin: Origin) -> EventoPedido | None:
        status = STATUS_PAGAMENTO.significado(de.status)
        if status is None:
            return None
        return EventoPedido(
            id_pedido=exigir_id(de.id_pedido, "id_pedido"),
            tipo=tipo,
            enviado_em=origin.sent_at,
            quando=_quando(de.data_criacao, origin),
            pagamento=Pagamento(status=status, id_pagamento=ler_id(de.id_pagamento, "id_pagamento")),
        )

    return ler


def _produto(tipo: str) -> Callable[[_DadosProduto, Origin], EventoProduto]:
    criado, removido = tipo == "produto_criado", tipo == "produto_removido"

    def ler(de: _DadosProduto, origin: Origin) -> EventoProduto:
        primeiro, segundo = (de.criado_em, de.atualizado_em) if criado else (de.atualizado_em, de.criado_em)
        return EventoProduto(
            id_produto=exigir_id(de.id_produto, "id_produto"),
            tipo=tipo,
            enviado_em=origin.sent_at,
            quando=_quando(primeiro, origin) or _quando(segundo, origin),
            nome=texto(de.nome),
            categoria=texto(de.categoria),
            preco=preco(de.preco, "preco"),
            tempo_preparo=minutos(de.tempo_preparo),
            ativo=criado or (not removido and de.ativo is not False),
        )

    return ler


def _quando(valor: str | None, origin: Origin) -> Instante | None:
    return None if valor is None else instante(valor, origin)


_LER: dict[type[_Canonica], Callable[[Any, Origin], Evento | None]] = {
    _PedidoCriado: _pedido_criado,
    _PedidoStatus: _pedido_status,
    _PagamentoCriado: _pagamento("pagamento_criado"),
    _PagamentoAtualizado: _pagamento("pagamento_atualizado"),
    _PagamentoConfirmado: _pagamento("pagamento_atualizado"),
    _ProdutoCriado: _produto("produto_criado"),
    _ProdutoAtualizado: _produto("produto_atualizado"),
    _ProdutoRemovido: _produto("produto_removido"),
}
