"""An order's event, read from the fields of a message."""

from streamapp_codecs.codec import DecodeError, Origin
from streamapp_codecs.dominio import campos
from streamapp_codecs.dominio.eventos import Criacao, EventoPedido, Pagamento, Status
from streamapp_codecs.dominio.status import STATUS_PAGAMENTO, STATUS_PEDIDO, aprovacao
from streamapp_codecs.envelopes.kinds import Kind
from streamapp_codecs.lenient.cpf import mask_cpf
from streamapp_codecs.lenient.fields import Fields
from streamapp_codecs.lenient.ids import require_id
from streamapp_codecs.lenient.money import read_price
from streamapp_codecs.lenient.skipped import Skipped, unknown_word
from streamapp_codecs.lenient.vocabulary import Stated
from streamapp_codecs.reading.event_time import ATUALIZACAO, CRIACAO, read_event_time
from streamapp_codecs.reading.itens import juntar, ler_linhas, somar

# Only an order's creation has these.
_DE_CRIACAO = (campos.ITENS, campos.CLIENTE, campos.TOTAL, campos.CRIADO_EM)


def ler_pedido(fields: Fields, kind: Kind, origin: Origin) -> EventoPedido | Skipped:
    """Return the event of an order; raises `DecodeError`."""
    id_pedido = require_id(fields.identity(campos.ID_PEDIDO, campos.ID, campos.CODIGO_PEDIDO), "id_pedido")
    dito = STATUS_PEDIDO.read(fields.inner(campos.STATUS_PEDIDO), "status")
    status = dito.meaning or kind.status
    pagamento = _pagamento(fields)
    if kind.action == "criar" or (not kind.is_complete and _parece_criacao(fields)):
        return EventoPedido(
            id_pedido=id_pedido,
            tipo="pedido_criado",
            enviado_em=origin.sent_at,
            quando=read_event_time(fields, CRIACAO, origin),
            criacao=_criacao(fields),
            status=status,
            pagamento=pagamento,
        )
    if status is None and pagamento is None:
        return _sem_fato(dito, kind)
    return EventoPedido(
        id_pedido=id_pedido,
        tipo="pedido_status_atualizado",
        enviado_em=origin.sent_at,
        quando=read_event_time(fields, ATUALIZACAO, origin),
        status=status,
        pagamento=pagamento,
    )


def _parece_criacao(fields: Fields) -> bool:
    return any(fields.inner(field) is not None for field in _DE_CRIACAO)


def _criacao(fields: Fields) -> Criacao:
    itens = fields.inner(campos.ITENS)
    linhas = None if itens is None else ler_linhas(itens)
    return Criacao(
        cliente=next(
            (cpf for value in fields.inner_values(campos.CLIENTE) if (cpf := mask_cpf(value))), None
        ),
        itens=None if linhas is None else juntar(linhas),
        soma=None if linhas is None else somar(linhas),
        total=read_price(fields.inner(campos.TOTAL), "total"),
    )


def _pagamento(fields: Fields) -> Pagamento | None:
    """Return the payment status that an order's event states; it names no payment id."""
    dito = STATUS_PAGAMENTO.read(fields.value(campos.STATUS_PAGAMENTO), "status_pagamento")
    status = dito.meaning or aprovacao(fields.value(campos.FOI_APROVADO))
    return None if status is None else Pagamento(status=status)


def _sem_fato(dito: Stated[Status], kind: Kind) -> Skipped:
    if dito.word is not None:
        return unknown_word("pedido_status_atualizado", dito.word)
    if kind.is_complete:
        raise DecodeError("missing_field", "status")
    raise DecodeError("undecidable", "neither a kind, nor a status, nor what a creation tells")
