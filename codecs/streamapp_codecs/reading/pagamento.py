"""A payment's event, read from the fields of a message."""

from streamapp_codecs.codec import DecodeError, Origin
from streamapp_codecs.dominio import campos
from streamapp_codecs.dominio.eventos import EventoPedido, Pagamento, Status, StatusPagamento
from streamapp_codecs.dominio.status import STATUS_PAGAMENTO, STATUS_PEDIDO, aprovacao
from streamapp_codecs.envelopes.kinds import Kind
from streamapp_codecs.lenient.fields import Fields, field
from streamapp_codecs.lenient.folding import fold_name
from streamapp_codecs.lenient.ids import read_id, require_id
from streamapp_codecs.lenient.skipped import Skipped, unknown_word
from streamapp_codecs.lenient.vocabulary import Stated
from streamapp_codecs.reading.event_time import PAGAMENTO, read_event_time

_STATUS_AO_LADO = field("status_pagamento", "status_pagamento")


def ler_pagamento(fields: Fields, kind: Kind, origin: Origin) -> EventoPedido | Skipped:
    """Return the new status of a payment, as an event of its order; raises `DecodeError`."""
    id_pedido, id_pagamento = _ids(fields)
    proprio = STATUS_PAGAMENTO.read(fields.value(campos.STATUS_PAGAMENTO), "status_pagamento")
    dito = STATUS_PAGAMENTO.read(fields.inner(campos.STATUS), "status")
    aprovado = aprovacao(fields.value(campos.FOI_APROVADO))
    cozinha = _cozinha(proprio, dito)
    # A word of the kitchen is not one of the payment as well.
    status = proprio.meaning or (dito.meaning if cozinha is None else None)
    status = status or aprovado or kind.pagamento or _inicial(kind)
    if status is None and cozinha is None:
        return _sem_fato(proprio, dito, kind)
    return EventoPedido(
        id_pedido=id_pedido,
        tipo="pagamento_criado" if kind.action == "criar" else "pagamento_atualizado",
        enviado_em=origin.sent_at,
        quando=read_event_time(fields, PAGAMENTO, origin),
        status=cozinha,
        pagamento=None if status is None else Pagamento(status=status, id_pagamento=id_pagamento),
    )


def _ids(fields: Fields) -> tuple[str, str | None]:
    """Return the order's id and the payment's.

    A plain id is the payment's, except where `statusPagamento` stands beside it and no other id does: then it is
    the order's.
    """
    simples = fields.inner(campos.ID)
    pedido = fields.value(campos.ID_PEDIDO)
    pedido = fields.inner(campos.CODIGO_PEDIDO) if pedido is None else pedido
    pagamento = fields.value(campos.ID_PAGAMENTO)
    if pedido is None and pagamento is None and fields.inner(_STATUS_AO_LADO) is not None:
        pedido, simples = simples, None
    return require_id(pedido, "id_pedido"), read_id(
        simples if pagamento is None else pagamento, "id_pagamento"
    )


def _inicial(kind: Kind) -> StatusPagamento | None:
    return "pendente" if kind.action == "criar" else None


def _cozinha(proprio: Stated[StatusPagamento], dito: Stated[StatusPagamento]) -> Status | None:
    """Return the kitchen's word in `status`: there is one only beside another word in `status_pagamento`."""
    if proprio.word is None or dito.word is None or fold_name(proprio.word) == fold_name(dito.word):
        return None
    # A payment that failed is not an order that was cancelled, though orders use these words too.
    return None if dito.meaning == "falhou" else STATUS_PEDIDO.meaning(dito.word)


def _sem_fato(proprio: Stated[StatusPagamento], dito: Stated[StatusPagamento], kind: Kind) -> Skipped:
    word = proprio.word or dito.word
    if word is not None:
        return unknown_word("pagamento_atualizado", word)
    if kind.is_complete:
        raise DecodeError("missing_field", "status")
    raise DecodeError("undecidable", "neither a kind nor a status")
