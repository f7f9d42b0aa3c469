"""A payment's event, read from the fields of a message."""

from streamapp_codecs.codec import DecodeError, Origin
from streamapp_codecs.dominio import campos
from streamapp_codecs.dominio.eventos import EventoPedido, Pagamento, Status, StatusPagamento
from streamapp_codecs.dominio.status import STATUS_PAGAMENTO, STATUS_PEDIDO, Dito, aprovacao
from streamapp_codecs.dominio.unknown import Ignorada, palavra_desconhecida
from streamapp_codecs.envelopes.kinds import Tipo
from streamapp_codecs.lenient.fields import Campos, campo
from streamapp_codecs.lenient.folding import dobrar
from streamapp_codecs.lenient.values import exigir_id, ler_id
from streamapp_codecs.reading import event_time as quando
from streamapp_codecs.reading.event_time import ler_quando

_STATUS_AO_LADO = campo("status_pagamento", "status_pagamento")


def ler_pagamento(de: Campos, tipo: Tipo, origin: Origin) -> EventoPedido | Ignorada:
    """Return what became of a payment, as an event of its order; raises `DecodeError`."""
    id_pedido, id_pagamento = _ids(de)
    proprio = STATUS_PAGAMENTO.ler(de.valor(campos.STATUS_PAGAMENTO), "status_pagamento")
    dito = STATUS_PAGAMENTO.ler(de.interno(campos.STATUS), "status")
    aprovado = aprovacao(de.valor(campos.FOI_APROVADO))
    cozinha = _cozinha(proprio, dito)
    # One word is one fact.
    status = proprio.status or (dito.status if cozinha is None else None)
    status = status or aprovado or tipo.pagamento or _do_inicio(tipo)
    if status is None and cozinha is None:
        return _sem_fato(proprio, dito, tipo)
    return EventoPedido(
        id_pedido=id_pedido,
        tipo="pagamento_criado" if tipo.acao == "criar" else "pagamento_atualizado",
        enviado_em=origin.sent_at,
        quando=ler_quando(de, quando.PAGAMENTO, origin),
        status=cozinha,
        pagamento=None if status is None else Pagamento(status=status, id_pagamento=id_pagamento),
    )


def _ids(de: Campos) -> tuple[str, str | None]:
    """Return the order's id and the payment's.

    A plain id is the payment's, except where `statusPagamento` stands beside it and no other id does: then it is
    the order's.
    """
    simples = de.interno(campos.ID)
    pedido = de.valor(campos.ID_PEDIDO)
    pedido = de.interno(campos.CODIGO_PEDIDO) if pedido is None else pedido
    pagamento = de.valor(campos.ID_PAGAMENTO)
    if pedido is None and pagamento is None and de.interno(_STATUS_AO_LADO) is not None:
        pedido, simples = simples, None
    return exigir_id(pedido, "id_pedido"), ler_id(simples if pagamento is None else pagamento, "id_pagamento")


def _do_inicio(tipo: Tipo) -> StatusPagamento | None:
    return "pendente" if tipo.acao == "criar" else None


def _cozinha(proprio: Dito[StatusPagamento], dito: Dito[StatusPagamento]) -> Status | None:
    """Return the kitchen's word in `status`: it can be one only beside a payment status of its own name."""
    if proprio.palavra is None or dito.palavra is None or dobrar(proprio.palavra) == dobrar(dito.palavra):
        return None
    # A payment that failed is no order that was cancelled, though orders use these words too.
    return None if dito.status == "falhou" else STATUS_PEDIDO.significado(dito.palavra)


def _sem_fato(proprio: Dito[StatusPagamento], dito: Dito[StatusPagamento], tipo: Tipo) -> Ignorada:
    palavra = proprio.palavra or dito.palavra
    if palavra is not None:
        return palavra_desconhecida("pagamento_atualizado", palavra)
    if tipo.is_completo:
        raise DecodeError("missing_field", "status")
    raise DecodeError("undecidable", "neither a kind nor a status")
