"""What is announced of an order: `acompanhamento_atualizado`, and its codec."""

import hashlib
from datetime import UTC, datetime

import msgspec

from streamapp_codecs.codec import Json
from streamapp_codecs.dominio.eventos import Status, StatusPagamento

_ENCODER = msgspec.json.Encoder()


class DadosAcompanhamento(msgspec.Struct, frozen=True, kw_only=True):
    """One order as it is now. The order of the fields is the order of the keys on the wire.

    *status_anterior* is None in an order's first announcement. Times are aware, in UTC. The highest *versao*
    of an order is its newest.
    """

    id_acompanhamento: str
    id_pedido: str
    status: Status
    status_anterior: Status | None
    status_pagamento: StatusPagamento
    tempo_estimado: str | None
    atualizado_em: datetime
    data_atualizacao: datetime
    versao: int


class AcompanhamentoAtualizado(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="event_type", tag="acompanhamento_atualizado"
):
    """One change of an order; *event_id* is a hash of *data*, so two of them are equal only for equal content."""

    event_id: str
    data: DadosAcompanhamento

    @classmethod
    def de(
        cls,
        *,
        id_pedido: str,
        status: Status,
        status_anterior: Status | None,
        status_pagamento: StatusPagamento,
        tempo_estimado: str | None,
        atualizado_em: datetime,
        versao: int,
    ) -> "AcompanhamentoAtualizado":
        """Return the announcement of the order *id_pedido*, whose id is that of its tracking too; *atualizado_em* is aware."""
        em = atualizado_em.astimezone(UTC)
        data = DadosAcompanhamento(
            id_acompanhamento=id_pedido,
            id_pedido=id_pedido,
            status=status,
            status_anterior=status_anterior,
            status_pagamento=status_pagamento,
            tempo_estimado=tempo_estimado,
            atualizado_em=em,
            data_atualizacao=em,
            versao=versao,
        )
        return cls(event_id=hashlib.sha256(_ENCODER.encode(data)).hexdigest(), data=data)


codec = Json(AcompanhamentoAtualizado)
