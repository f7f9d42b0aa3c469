"""The canonical shapes, decoded in one step: what most messages are, and all that this project sends.

A body that is refused here is not a bad one: the tolerant path decides. Where both accept a body, they return the
same event.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import msgspec

from streamapp_codecs.codec import DecodeError, Origin
from streamapp_codecs.dominio.eventos import (
    Criacao,
    Evento,
    EventoPedido,
    EventoProduto,
    Instante,
    Item,
    Pagamento,
)
from streamapp_codecs.dominio.instante import instante
from streamapp_codecs.dominio.medidas import ler_preparo, ler_quantidade
from streamapp_codecs.dominio.status import STATUS_PAGAMENTO, STATUS_PEDIDO
from streamapp_codecs.dominio.vocabulario import Entity
from streamapp_codecs.lenient.cpf import mask_cpf
from streamapp_codecs.lenient.ids import read_id, require_id
from streamapp_codecs.lenient.json_text import parse_number
from streamapp_codecs.lenient.money import read_price
from streamapp_codecs.lenient.values import read_text
from streamapp_codecs.reading.itens import MAIOR_PEDIDO, juntar, somar

_Open: TypeAlias = Any  # a number without a type keeps its text; a float would lose it


class Dados(msgspec.Struct, forbid_unknown_fields=True):
    """The fields of one shape, not yet checked."""


class Linha(Dados):
    """One line of an order."""

    id: int | str | None = None
    id_produto: int | str | None = None
    nome: str | None = None
    categoria: str | None = None
    quantidade: _Open = None
    preco: _Open = None


class DadosPedidoCriado(Dados):
    """An order as it was made."""

    id_pedido: int | str
    cliente: int | str | None = None
    produtos: list[Linha] | None = None
    total: _Open = None
    status: str | None = None
    criado_em: str | None = None


class DadosPedidoStatus(Dados):
    """Where an order stands in the kitchen."""

    id_pedido: int | str
    status: str
    atualizado_em: str | None = None


class DadosPagamento(Dados):
    """The status of one payment of an order."""

    id_pedido: int | str
    status: str
    id_pagamento: int | str | None = None
    valor: _Open = None
    data_criacao: str | None = None


class DadosProduto(Dados):
    """One product of the catalogue."""

    id_produto: int | str
    nome: str | None = None
    categoria: str | None = None
    preco: _Open = None
    tempo_preparo: _Open = None
    ativo: bool | None = None
    criado_em: str | None = None
    atualizado_em: str | None = None


class _Shape(msgspec.Struct, tag_field="event_type", forbid_unknown_fields=True):
    """The canonical envelope."""


class PedidoCriado(_Shape, tag="pedido_criado"):
    """An order was made."""

    data: DadosPedidoCriado


class PedidoStatus(_Shape, tag="pedido_status_atualizado"):
    """The kitchen moved an order."""

    data: DadosPedidoStatus


class PagamentoCriado(_Shape, tag="pagamento_criado"):
    """A payment was asked for."""

    data: DadosPagamento


class PagamentoAtualizado(_Shape, tag="pagamento_atualizado"):
    """A payment changed."""

    data: DadosPagamento


class PagamentoConfirmado(_Shape, tag="pagamento_confirmado"):
    """A payment was confirmed."""

    data: DadosPagamento


class ProdutoCriado(_Shape, tag="produto_criado"):
    """A product is new."""

    data: DadosProduto


class ProdutoAtualizado(_Shape, tag="produto_atualizado"):
    """A product changed."""

    data: DadosProduto


class ProdutoRemovido(_Shape, tag="produto_removido"):
    """A product is no longer sold."""

    data: DadosProduto


SHAPES: Mapping[Entity, tuple[type[msgspec.Struct], ...]] = {
    "pedido": (PedidoCriado, PedidoStatus),
    "pagamento": (PagamentoCriado, PagamentoAtualizado, PagamentoConfirmado),
    "produto": (ProdutoCriado, ProdutoAtualizado, ProdutoRemovido),
}
"""The canonical shapes of each entity."""

_Canonical: TypeAlias = (
    PedidoCriado
    | PedidoStatus
    | PagamentoCriado
    | PagamentoAtualizado
    | PagamentoConfirmado
    | ProdutoCriado
    | ProdutoAtualizado
    | ProdutoRemovido
)
_DECODER: msgspec.json.Decoder[_Canonical] = msgspec.json.Decoder(_Canonical, float_hook=parse_number)


def decode(body: str, origin: Origin) -> Evento | None:
    """Return the event of a canonical *body*; None if it is not canonical, or not right."""
    try:
        shape = _DECODER.decode(body)
        return _READERS[type(shape)](shape.data, origin)
    except (msgspec.DecodeError, DecodeError, UnicodeError, RecursionError):
        return None


def _pedido_criado(dados: DadosPedidoCriado, origin: Origin) -> EventoPedido | None:
    status = None if dados.status is None else STATUS_PEDIDO.meaning(dados.status)
    if dados.status is not None and status is None:
        return None
    linhas = dados.produtos
    if linhas is not None and not 1 <= len(linhas) <= MAIOR_PEDIDO:
        return None
    itens = None if linhas is None else [_item(linha) for linha in linhas]
    return EventoPedido(
        id_pedido=require_id(dados.id_pedido, "id_pedido"),
        tipo="pedido_criado",
        enviado_em=origin.sent_at,
        quando=_quando(dados.criado_em, origin),
        criacao=Criacao(
            cliente=mask_cpf(dados.cliente),
            itens=None if itens is None else juntar(itens),
            soma=None if itens is None else somar(itens),
            total=read_price(dados.total, "total"),
        ),
        status=status,
    )


def _item(dados: Linha) -> Item:
    id_produto = read_id(dados.id_produto, "id_produto")
    nome = read_text(dados.nome)
    if id_produto is None:
        id_produto = read_id(dados.id, "id")
        if id_produto is None and nome is None:
            raise DecodeError("missing_field", "id_produto")
    return Item(
        id_produto=id_produto,
        nome=nome,
        categoria=read_text(dados.categoria),
        quantidade=ler_quantidade(dados.quantidade, "quantidade"),
        preco=read_price(dados.preco, "preco"),
    )


def _pedido_status(dados: DadosPedidoStatus, origin: Origin) -> EventoPedido | None:
    status = STATUS_PEDIDO.meaning(dados.status)
    if status is None:
        return None
    return EventoPedido(
        id_pedido=require_id(dados.id_pedido, "id_pedido"),
        tipo="pedido_status_atualizado",
        enviado_em=origin.sent_at,
        quando=_quando(dados.atualizado_em, origin),
        status=status,
    )


def _pagamento(tipo: str) -> Callable[[DadosPagamento, Origin], EventoPedido | None]:
    def ler(dados: DadosPagamento, origin: Origin) -> EventoPedido | None:
        status = STATUS_PAGAMENTO.meaning(dados.status)
        if status is None:
            return None
        return EventoPedido(
            id_pedido=require_id(dados.id_pedido, "id_pedido"),
            tipo=tipo,
            enviado_em=origin.sent_at,
            quando=_quando(dados.data_criacao, origin),
            pagamento=Pagamento(status=status, id_pagamento=read_id(dados.id_pagamento, "id_pagamento")),
        )

    return ler


def _produto(tipo: str) -> Callable[[DadosProduto, Origin], EventoProduto]:
    criado, removido = tipo == "produto_criado", tipo == "produto_removido"

    def ler(dados: DadosProduto, origin: Origin) -> EventoProduto:
        primeiro, segundo = (
            (dados.criado_em, dados.atualizado_em) if criado else (dados.atualizado_em, dados.criado_em)
        )
        return EventoProduto(
            id_produto=require_id(dados.id_produto, "id_produto"),
            tipo=tipo,
            enviado_em=origin.sent_at,
            quando=_quando(primeiro, origin) or _quando(segundo, origin),
            nome=read_text(dados.nome),
            categoria=read_text(dados.categoria),
            preco=None if removido else read_price(dados.preco, "preco"),
            tempo_preparo=ler_preparo(dados.tempo_preparo),
            ativo=criado or (not removido and dados.ativo is not False),
        )

    return ler


def _quando(valor: str | None, origin: Origin) -> Instante | None:
    return None if valor is None else instante(valor, origin)


_READERS: dict[type[_Canonical], Callable[[Any, Origin], Evento | None]] = {
    PedidoCriado: _pedido_criado,
    PedidoStatus: _pedido_status,
    PagamentoCriado: _pagamento("pagamento_criado"),
    PagamentoAtualizado: _pagamento("pagamento_atualizado"),
    PagamentoConfirmado: _pagamento("pagamento_atualizado"),
    ProdutoCriado: _produto("produto_criado"),
    ProdutoAtualizado: _produto("produto_atualizado"),
    ProdutoRemovido: _produto("produto_removido"),
}
