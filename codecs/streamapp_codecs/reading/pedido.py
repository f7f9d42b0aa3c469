"""An order's event, read from the fields of a message."""

from streamapp_codecs.codec import DecodeError, Origin
from streamapp_codecs.dominio import campos
from streamapp_codecs.dominio.cpf import mascarar
from streamapp_codecs.dominio.eventos import Criacao, EventoPedido, Pagamento, Status
from streamapp_codecs.dominio.status import STATUS_PAGAMENTO, STATUS_PEDIDO, Dito, aprovacao
from streamapp_codecs.dominio.unknown import Ignorada, palavra_desconhecida
from streamapp_codecs.envelopes.kinds import Tipo
from streamapp_codecs.lenient.fields import Campos
from streamapp_codecs.lenient.values import exigir_id, preco
from streamapp_codecs.reading import event_time as quando
from streamapp_codecs.reading.event_time import ler_quando
from streamapp_codecs.reading.itens import juntar, ler_linhas, somar

# Only an order's creation tells of these.
_DE_CRIACAO = (campos.ITENS, campos.CLIENTE, campos.TOTAL, campos.CRIADO_EM)


def ler_pedido(de: Campos, tipo: Tipo, origin: Origin) -> EventoPedido | Ignorada:
    """Return the event of an order; raises `DecodeError`."""
    id_pedido = exigir_id(de.identidade(campos.ID_PEDIDO, campos.ID, campos.CODIGO_PEDIDO), "id_pedido")
    dito = STATUS_PEDIDO.ler(de.interno(campos.STATUS_PEDIDO), "status")
    status = dito.status or tipo.status
    pagamento = _pagamento(de)
    if tipo.acao == "criar" or (not tipo.is_completo and _is_criacao(de)):
        return EventoPedido(
            id_pedido=id_pedido,
            tipo="pedido_criado",
            enviado_em=origin.sent_at,
            quando=ler_quando(de, quando.CRIACAO, origin),
            criacao=_criacao(de),
            status=status,
            pagamento=pagamento,
        )
    if status is None and pagamento is None:
        return _sem_fato(dito, tipo)
    return EventoPedido(
        id_pedido=id_pedido,
        tipo="pedido_status_atualizado",
        enviado_em=origin.sent_at,
        quando=ler_quando(de, quando.ATUALIZACAO, origin),
        status=status,
        pagamento=pagamento,
    )


def _is_criacao(de: Campos) -> bool:
    return any(de.interno(campo) is not None for campo in _DE_CRIACAO)


def _criacao(de: Campos) -> Criacao:
    itens = de.interno(campos.ITENS)
    linhas = None if itens is None else ler_linhas(itens)
    return Criacao(
        cliente=next((cpf for valor in de.internos(campos.CLIENTE) if (cpf := mascarar(valor))), None),
        itens=None if linhas is None else juntar(linhas),
        soma=None if linhas is None else somar(linhas),
        total=preco(de.interno(campos.TOTAL), "total"),
    )


def _pagamento(de: Campos) -> Pagamento | None:
    """Return the payment that an order's event speaks of; it names no payment id."""
    dito = STATUS_PAGAMENTO.ler(de.valor(campos.STATUS_PAGAMENTO), "status_pagamento")
    status = dito.status or aprovacao(de.valor(campos.FOI_APROVADO))
    return None if status is None else Pagamento(status=status)


def _sem_fato(dito: Dito[Status], tipo: Tipo) -> Ignorada:
    if dito.palavra is not None:
        return palavra_desconhecida("pedido_status_atualizado", dito.palavra)
    if tipo.is_completo:
        raise DecodeError("missing_field", "status")
    raise DecodeError("undecidable", "neither a kind, nor a status, nor what a creation tells")
