"""What the kitchen, the payment service and the catalogue send, as real producers spell it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo

from streamapp_agents.simulador.cardapio import Prato, Versao
from streamapp_agents.simulador.texts import to_decimal, to_json, to_rfc3339
from streamapp_codecs.dominio.eventos import Status, StatusPagamento

_ESTADOS: Mapping[Status, tuple[str, ...]] = {
    "Recebido": ("Recebido", "RECEBIDO", "received", "KITCHEN_WAITING"),
    "Em preparação": ("Em preparação", "Em Preparação", "em_preparacao", "KITCHEN_PREPARATION"),
    "Pronto": ("Pronto", "PRONTO", "ready", "KITCHEN_READY"),
    "Finalizado": ("Finalizado", "finalizado", "ENTREGUE", "completed"),
    "Cancelado": ("Cancelado", "CANCELADO", "canceled", "KITCHEN_CANCELED"),
}


def corpo_da_cozinha(
    id_pedido: str, palavra: Status, em: datetime, forma: int
) -> tuple[str, datetime | None]:
    """Return a kitchen's word in one of four spellings, and the time that the body states."""
    estado = _ESTADOS[palavra][forma % 4]
    if forma % 4 == 1:
        evento = {"tipo": "PEDIDO_STATUS_ATUALIZADO", "pedido_id": id_pedido, "status": estado}
        return to_json({**evento, "timestamp": to_rfc3339(em)}), em
    if forma % 4 == 2:  # noqa: PLR2004 - the third of four
        detalhe = {"orderId": id_pedido, "status": estado}
        evento = {"version": "0", "detail-type": "PedidoStatusAtualizado", "source": "cozinha"}
        return to_json({**evento, "time": to_rfc3339(em), "detail": detalhe}), em
    if forma % 4 == 3:  # noqa: PLR2004 - the last of four
        return to_json({"orderId": id_pedido, "status": estado}), None
    dados = {"id_pedido": id_pedido, "status": estado, "atualizado_em": to_rfc3339(em)}
    return to_json({"event_type": "pedido_status_atualizado", "data": dados}), em


_PALAVRAS: Mapping[StatusPagamento, tuple[str, str]] = {
    "pendente": ("Pendente", "PENDENTE"),
    "falhou": ("Negado", "RECUSADO"),
    "cancelado": ("Cancelado", "EXPIRADO"),
    "pago": ("Recebido", "APROVADO"),
    "estornado": ("Estornado", "ESTORNADO"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cobranca:
    """One attempt to pay, begun at *em*; the payment service writes that time without its zone *fuso*."""

    id_pedido: str
    id_pagamento: int
    centavos: int
    em: datetime
    fuso: tzinfo


def corpo_do_pagamento(
    cobranca: Cobranca, palavra: StatusPagamento, forma: int
) -> tuple[str, datetime | None]:
    """Return a payment's word in one of two spellings, and the time that the body states.

    In each event of a payment, the payment service states when the payment was created.
    """
    if forma % 2 and palavra != "pendente":
        corpo = {
            "pagamentoId": cobranca.id_pagamento,
            "pedidoId": cobranca.id_pedido,
            "total": cobranca.centavos / 100,
        }
        return to_json({**corpo, "status": _PALAVRAS[palavra][1]}), None
    dados = {
        "id_pagamento": cobranca.id_pagamento,
        "id_pedido": cobranca.id_pedido,
        "valor": str(cobranca.centavos / 100),
        "status": _PALAVRAS[palavra][0],
        "data_criacao": cobranca.em.astimezone(cobranca.fuso).replace(tzinfo=None).isoformat(),
    }
    tipo = "pagamento_criado" if palavra == "pendente" else "pagamento_atualizado"
    return to_json({"event_type": tipo, "data": dados}), cobranca.em


def corpo_do_produto(prato: Prato, versao: Versao, em: datetime, uuid: str) -> str:
    """Return an event of the catalogue: even ids as the one real publisher spells them, odd ones as we define."""
    novo = versao is prato.versoes[0]
    if int(prato.id_produto) % 2 == 0:
        palavra = "DELETED" if versao.removido else "CREATED" if novo else "UPDATED"
        return to_json(
            {
                "messageId": uuid,
                "eventType": f"PRODUCT_{palavra}",
                "timestamp": em.timestamp(),
                "productId": prato.id_produto,
                "name": versao.nome,
                "category": versao.categoria,
                "description": None,
                "price": versao.centavos and versao.centavos / 100,
                "cookingTime": versao.tempo_preparo,
            }
        )
    palavra = "removido" if versao.removido else "criado" if novo else "atualizado"
    dados: dict[str, object] = {"id_produto": prato.id_produto, "atualizado_em": to_rfc3339(em)}
    if not versao.removido:
        dados |= {"nome": versao.nome, "categoria": versao.categoria, "tempo_preparo": versao.tempo_preparo}
        dados |= {"preco": versao.centavos and to_decimal(versao.centavos)}
    return to_json({"event_type": f"produto_{palavra}", "data": dados})
