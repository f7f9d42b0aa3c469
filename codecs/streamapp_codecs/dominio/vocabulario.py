"""The words that producers use, one vocabulary per entity: a new word is one more entry here.

Case, accents and separators do not matter (`Em Preparação` is `em_preparacao`), nor does a feminine ending
(`criada` is `criado`). A word in no table changes nothing, and its message is shown as skipped.
"""

from collections.abc import Mapping
from typing import Literal, TypeAlias

from streamapp_codecs.dominio.eventos import Status, StatusPagamento

Entity: TypeAlias = Literal["pedido", "pagamento", "produto"]
Action: TypeAlias = Literal["criar", "atualizar", "remover"]

ENTITY_NAMES: Mapping[Entity, tuple[str, ...]] = {
    "pedido": ("pedido", "pedidos", "order", "orders"),
    "pagamento": ("pagamento", "pagamentos", "payment", "payments"),
    "produto": ("produto", "produtos", "product", "products"),
}

# "Recebido" is here the first word of the kitchen. On payments it means approved.
PEDIDO: Mapping[Status, tuple[str, ...]] = {
    "Recebido": (
        "recebido",
        "received",
        "kitchen_waiting",
        "awaiting_production",
        # The words before payment: an order that waits for its payment is Recebido, but on no kitchen list.
        "pendente",
        "pending",
        "criado",
        "created",
        "novo",
        "aberto",
        "checkout",
        "aguardando_pagamento",
        "pagamento_pendente",
        "pendente_pagamento",
    ),
    "Em preparação": (
        "em_preparacao",
        "em_preparo",
        "preparando",
        "preparing",
        "in_preparation",
        "doing",
        "in_production",
        "in_progress",
        "kitchen_preparation",
    ),
    "Pronto": (
        "pronto",
        "ready",
        "kitchen_ready",
        "preparado",
    ),
    "Finalizado": (
        "finalizado",
        "finalized",
        "finished",
        "completed",
        "done",
        "entregue",
        "delivered",
        "retirado",
    ),
    "Cancelado": (
        "cancelado",
        "canceled",
        "cancelled",
        "kitchen_canceled",
        "kitchen_cancelled",
        "recusado",
        "failed",
    ),
}

PAGAMENTO: Mapping[StatusPagamento, tuple[str, ...]] = {
    "pendente": (
        "pendente",
        "pending",
        "aguardando",
        "aguardando_pagamento",
        "waiting",
        "criado",
        "created",
        "em_processamento",
        "in_process",
        "authorized",
        "verificando_pagamento",
    ),
    "falhou": (
        "falhou",
        "negado",
        "recusado",
        "refused",
        "rejeitado",
        "rejected",
        "reprovado",
        "denied",
        "failed",
        "error",
        "falha_no_pagamento",
        "fechado_sem_credito",
    ),
    "cancelado": (
        "cancelado",
        "cancelled",
        "canceled",
        "expirado",
        "expired",
    ),
    "pago": (
        "pago",
        "paid",
        "recebido",
        "aprovado",
        "approved",
        "confirmado",
        "confirmed",
        "efetuado",
        "pagamento_efetuado",
        "ok",
        "accredited",
    ),
    "estornado": (
        "estornado",
        "refunded",
        "charged_back",
        "devolvido",
    ),
}

# What a word in a kind means for its entity; looked up before the entity's status words.
ACTION_WORDS: Mapping[Entity, Mapping[Action, tuple[str, ...]]] = {
    "pedido": {
        "criar": (
            *("criado", "created", "criar", "create", "criacao", "creation"),
            *("novo", "new", "registrado", "registered", "realizado", "placed"),
            *("validado", "recebido", "received", "aberto"),
        ),
        "atualizar": (
            *("atualizado", "updated", "atualizar", "update", "atualizacao"),
            *("alterado", "changed", "alterar", "change", "alteracao", "modificado", "modified"),
        ),
    },
    "pagamento": {
        "criar": (
            *("criado", "created", "criar", "create", "criacao", "creation"),
            *("novo", "new", "registrado", "registered", "gerado", "iniciado", "solicitado", "requested"),
        ),
        "atualizar": (
            *("atualizado", "updated", "atualizar", "update", "atualizacao"),
            *("alterado", "changed", "alterar", "change", "alteracao", "modificado", "modified"),
            *("processado", "processed"),
        ),
    },
    "produto": {
        "criar": (
            *("criado", "created", "criar", "create", "criacao", "creation"),
            *("novo", "new", "registrado", "registered", "cadastrado", "adicionado", "added"),
        ),
        "atualizar": (
            *("atualizado", "updated", "atualizar", "update", "atualizacao"),
            *("alterado", "changed", "alterar", "change", "alteracao", "modificado", "modified"),
        ),
        "remover": (
            *("removido", "removed", "remover", "remove", "remocao"),
            *("deletado", "deleted", "deletar", "delete", "excluido", "excluir", "exclusao", "apagado"),
        ),
    },
}

# Words of a kind without a meaning of their own: `pedido_status_atualizado` is an update of a pedido.
FILLERS = frozenset(
    (
        *("status", "evento", "eventos", "event", "events"),
        *("mensagem", "message", "notificacao", "notification"),
        *("topico", "topic", "fila", "queue", "sns", "sqs", "fifo"),
        *("foi", "de", "do", "da", "para", "to", "was", "has", "been", "v1", "v2"),
    )
)
