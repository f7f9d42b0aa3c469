"""The canonical shapes, decoded in one step: what most messages are, and all that this project sends.

A body that is refused here is no bad one: the tolerant path decides. What both accept they answer alike.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import msgspec

from streamapp_codecs.codec import DecodeError, Origin
from streamapp_codecs.dominio.cpf import mascarar
from streamapp_codecs.dominio.eventos import (
    Criacao,
    Evento,
    EventoPedido,
    EventoProduto,
    Instante,
    Item,
    Pagamento,
)
from streamapp_codecs.dominio.status import STATUS_PAGAMENTO, STATUS_PEDIDO
from streamapp_codecs.dominio.times import instante
from streamapp_codecs.dominio.vocabulario import Entidade
from streamapp_codecs.lenient.reader import numero
from streamapp_codecs.lenient.values import exigir_id, ler_id, minutos, preco, quantidade, texto
from streamapp_codecs.reading.itens import MAIS_ITENS, juntar, somar

_Aberto: TypeAlias = Any  # a number of an open type keeps its text; a typed float would have lost it


class Dados(msgspec.Struct, forbid_unknown_fields=True):
    """The fields of one shape, not yet believed."""


class Linha(Dados):
    """One line of an order."""

    id: int | str | None = None
    id_produto: int | str | None = None
    nome: str | None = None
    categoria: str | None = None
    quantidade: _Aberto = None
    preco: _Aberto = None


class DadosPedidoCriado(Dados):
    """An order as it was made."""

    id_pedido: int | str
    cliente: int | str | None = None
    produtos: list[Linha] | None = None
    total: _Aberto = None
    status: str | None = None
    criado_em: str | None = None


class DadosPedidoStatus(Dados):
    """Where an order stands in the kitchen."""

    id_pedido: int | str
    status: str
    atualizado_em: str | None = None


class DadosPagamento(Dados):
    """What became of one payment of an order."""

    id_pedido: int | str
    status: str
    id_pagamento: int | str | None = None
    valor: _Aberto = None
    data_criacao: str | None = None


class DadosProduto(Dados):
    """One product of the catalogue."""

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


class PedidoCriado(_Forma, tag="pedido_criado"):
    """An order was made."""

    data: DadosPedidoCriado


class PedidoStatus(_Forma, tag="pedido_status_atualizado"):
    """The kitchen moved an order."""

    data: DadosPedidoStatus


class PagamentoCriado(_Forma, tag="pagamento_criado"):
    """A payment was asked for."""

    data: DadosPagamento


class PagamentoAtualizado(_Forma, tag="pagamento_atualizado"):
    """A payment changed."""

    data: DadosPagamento


class PagamentoConfirmado(_Forma, tag="pagamento_confirmado"):
    """A payment was confirmed."""

    data: DadosPagamento


class ProdutoCriado(_Forma, tag="produto_criado"):
    """A product is new."""

    data: DadosProduto


class ProdutoAtualizado(_Forma, tag="produto_atualizado"):
    """A product changed."""

    data: DadosProduto


class ProdutoRemovido(_Forma, tag="produto_removido"):
    """A product is sold no more."""

    data: DadosProduto


FORMAS: Mapping[Entidade, tuple[type[msgspec.Struct], ...]] = {
    "pedido": (PedidoCriado, PedidoStatus),
    "pagamento": (PagamentoCriado, PagamentoAtualizado, PagamentoConfirmado),
    "produto": (ProdutoCriado, ProdutoAtualizado, ProdutoRemovido),
}
"""The canonical shapes by what they speak of."""

_Canonica: TypeAlias = (
    PedidoCriado
    | PedidoStatus
    | PagamentoCriado
    | PagamentoAtualizado
    | PagamentoConfirmado
    | ProdutoCriado
    | ProdutoAtualizado
    | ProdutoRemovido
)
_DECODER: msgspec.json.Decoder[_Canonica] = msgspec.json.Decoder(_Canonica, float_hook=numero)


def decodificar(corpo: str, origin: Origin) -> Evento | None:
    """Return the event of a canonical *corpo*; None where it is not canonical, or not right."""
    try:
        forma = _DECODER.decode(corpo)
        return _LER[type(forma)](forma.data, origin)
    except (msgspec.DecodeError, DecodeError, UnicodeError, RecursionError):
        return None


def _pedido_criado(de: DadosPedidoCriado, origin: Origin) -> EventoPedido | None:
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


def _item(de: Linha) -> Item:
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


def _pedido_status(de: DadosPedidoStatus, origin: Origin) -> EventoPedido | None:
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


def _pagamento(tipo: str) -> Callable[[DadosPagamento, Origin], EventoPedido | None]:
    def ler(de: DadosPagamento, origin: Origin) -> EventoPedido | None:
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


def _produto(tipo: str) -> Callable[[DadosProduto, Origin], EventoProduto]:
    criado, removido = tipo == "produto_criado", tipo == "produto_removido"

    def ler(de: DadosProduto, origin: Origin) -> EventoProduto:
        primeiro, segundo = (de.criado_em, de.atualizado_em) if criado else (de.atualizado_em, de.criado_em)
        return EventoProduto(
            id_produto=exigir_id(de.id_produto, "id_produto"),
            tipo=tipo,
            enviado_em=origin.sent_at,
            quando=_quando(primeiro, origin) or _quando(segundo, origin),
            nome=texto(de.nome),
            categoria=texto(de.categoria),
            preco=None if removido else preco(de.preco, "preco"),
            tempo_preparo=minutos(de.tempo_preparo),
            ativo=criado or (not removido and de.ativo is not False),
        )

    return ler


def _quando(valor: str | None, origin: Origin) -> Instante | None:
    return None if valor is None else instante(valor, origin)


_LER: dict[type[_Canonica], Callable[[Any, Origin], Evento | None]] = {
    PedidoCriado: _pedido_criado,
    PedidoStatus: _pedido_status,
    PagamentoCriado: _pagamento("pagamento_criado"),
    PagamentoAtualizado: _pagamento("pagamento_atualizado"),
    PagamentoConfirmado: _pagamento("pagamento_atualizado"),
    ProdutoCriado: _produto("produto_criado"),
    ProdutoAtualizado: _produto("produto_atualizado"),
    ProdutoRemovido: _produto("produto_removido"),
}
