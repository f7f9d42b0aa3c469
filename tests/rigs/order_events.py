"""Events of one order for tests, short enough to read, and the state that they fold to."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec

from streamapp.state.hash_codec import HashCodec
from streamapp_agents.dominio.acompanhamento import Acompanhamento, ComCatalogo, anunciar, aplicar
from streamapp_agents.dominio.ficha import Ficha
from streamapp_agents.dominio.produto import Produto, aplicar_produto
from streamapp_agents.dominio.situacao import Inicio
from streamapp_codecs.acompanhamento import AcompanhamentoAtualizado
from streamapp_codecs.dominio.eventos import (
    Criacao,
    EventoPedido,
    EventoProduto,
    Instante,
    Item,
    Pagamento,
    Status,
    StatusPagamento,
)

MEIO_DIA = datetime(2025, 7, 28, 12, tzinfo=UTC)
ENVIO = MEIO_DIA + timedelta(hours=3)


def em(minuto: float, *, adiantado: bool = False) -> Instante:
    """Return the time *minuto* minutes after noon."""
    return Instante(MEIO_DIA + timedelta(minutes=minuto), adiantado)


_PEDIDO = HashCodec(Acompanhamento)
_PRODUTO = HashCodec(Produto)

_MEIO_DIA = em(0)
_ANTES = em(-60)


def item(
    id_produto: str | None = "1", quantidade: int = 1, preco: str | None = "22.5", **outros: object
) -> Item:
    """Return one line of an order."""
    valor = None if preco is None else Decimal(preco)
    return msgspec.structs.replace(Item(id_produto=id_produto, quantidade=quantidade, preco=valor), **outros)


def soma_de(itens: Iterable[Item]) -> Decimal | None:
    """Return the sum that a codec computes: None where a price is unknown."""
    linhas = list(itens)
    if any(linha.preco is None for linha in linhas):
        return None
    return sum((linha.quantidade * linha.preco for linha in linhas if linha.preco is not None), Decimal(0))


def criado(
    *itens: Item,
    quando: Instante | None = _MEIO_DIA,
    cliente: str | None = "***.982.247-**",
    total: str | None = None,
    status: Status | None = "Recebido",
    enviado_em: datetime = ENVIO,
) -> EventoPedido:
    """Return the creation of the order."""
    return EventoPedido(
        id_pedido="1001",
        tipo="pedido_criado",
        enviado_em=enviado_em,
        quando=quando,
        status=status,
        criacao=Criacao(
            cliente=cliente,
            itens=itens or None,
            soma=soma_de(itens) if itens else None,
            total=None if total is None else Decimal(total),
        ),
    )


def cozinha(palavra: Status, quando: Instante | None = None, enviado_em: datetime = ENVIO) -> EventoPedido:
    """Return a status of the kitchen."""
    return EventoPedido(
        id_pedido="1001",
        tipo="pedido_status_atualizado",
        enviado_em=enviado_em,
        quando=quando,
        status=palavra,
    )


def pagamento(
    palavra: StatusPagamento, id_pagamento: str | None = "7", quando: Instante | None = None
) -> EventoPedido:
    """Return a status of one payment."""
    return EventoPedido(
        id_pedido="1001",
        tipo="pagamento_atualizado",
        enviado_em=ENVIO,
        quando=quando,
        pagamento=Pagamento(status=palavra, id_pagamento=id_pagamento),
    )


def produto(
    id_produto: str = "1", quando: Instante | None = _ANTES, tipo: str = "produto_criado", **campos: object
) -> EventoProduto:
    """Return an event of the catalogue."""
    return msgspec.convert(
        {
            "id_produto": id_produto,
            "tipo": tipo,
            "enviado_em": ENVIO,
            "quando": quando,
            "ativo": tipo != "produto_removido",
            **campos,
        },
        EventoProduto,
    )


def catalogo(*eventos: EventoProduto) -> dict[str, Ficha]:
    """Return what the catalogue has after *eventos*."""
    produtos: dict[str, Produto] = {}
    for evento in eventos:
        produtos[evento.id_produto] = aplicar_produto(produtos.get(evento.id_produto), evento)
    return {id_produto: conhecido.ficha for id_produto, conhecido in produtos.items()}


def folded(*eventos: EventoPedido | ComCatalogo, inicio: Inicio = "automatico") -> Acompanhamento:
    """Return the state that *eventos* leave, in this order."""
    estado = None
    for evento in eventos:
        estado = aplicar(estado, evento, inicio=inicio)
    assert estado is not None
    return estado


def anunciados(*eventos: EventoPedido | ComCatalogo) -> list[AcompanhamentoAtualizado]:
    """Return what is announced of *eventos*, in this order."""
    estado, ditos = None, []
    for evento in eventos:
        antes, estado = estado, aplicar(estado, evento)
        dito = anunciar(antes, estado)
        if dito is not None:
            ditos.append(dito)
    return ditos


def as_texts(estado: Acompanhamento | Produto) -> dict[str, str]:
    """Return *estado* as the text fields of a hash."""
    return _PEDIDO.write(estado) if isinstance(estado, Acompanhamento) else _PRODUTO.write(estado)


def visible(estado: Acompanhamento | Produto) -> dict[str, str]:
    """Return what must not depend on the order of arrival: the shown fields but *versao*."""
    return {
        nome: texto
        for nome, texto in as_texts(estado).items()
        if nome != "versao" and not nome.startswith("_")
    }
