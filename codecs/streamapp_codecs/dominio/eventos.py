"""What the codecs make of a body: facts about one order or one product."""

from datetime import datetime
from decimal import Decimal
from typing import Literal, TypeAlias

import msgspec

Status = Literal["Recebido", "Em preparação", "Pronto", "Finalizado", "Cancelado"]
"""The kitchen's words, lowest first."""

StatusPagamento = Literal["pendente", "falhou", "cancelado", "pago", "estornado"]
"""The words of one payment, lowest first."""


class Instante(msgspec.Struct, frozen=True):
    """An event's time: *em* is aware and in UTC.

    *adiantado* is whether it lies more than 5 minutes ahead of the SentTimestamp of its message: then it is kept
    for the record, but no fact is newer because of it.
    """

    em: datetime
    adiantado: bool = False


class Item(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One product of an order; None is unknown. *preco* is the price of one unit, *tempo_preparo* minutes."""

    id_produto: str | None = None
    nome: str | None = None
    categoria: str | None = None
    quantidade: int = 1
    preco: Decimal | None = None
    tempo_preparo: int | None = None


class Criacao(msgspec.Struct, frozen=True, kw_only=True):
    """What only an order's creation states. None is unknown and never erases what is known.

    *cliente* is a CPF, already masked (`***.456.789-**`). *itens* has one entry for each product; a price that differs
    between its lines is None. *soma* is the sum of quantity times price over all lines, None when a price is
    unknown. *total* is what the event states.
    """

    cliente: str | None = None
    itens: tuple[Item, ...] | None = None
    soma: Decimal | None = None
    total: Decimal | None = None


class Pagamento(msgspec.Struct, frozen=True, kw_only=True):
    """The status of one payment; *id_pagamento* is None if the event names no payment id."""

    status: StatusPagamento
    id_pagamento: str | None = None


class EventoPedido(msgspec.Struct, frozen=True, kw_only=True):
    """The facts that one event states about one order: each is optional, and at least one is there.

    *tipo* is the canonical kind (`pedido_criado`, `pedido_status_atualizado`, `pagamento_criado`,
    `pagamento_atualizado`), for people. *quando* is the event's own time, None if it carries none;
    *enviado_em* is the SentTimestamp of its message, aware, in UTC.
    """

    id_pedido: str
    tipo: str
    enviado_em: datetime
    quando: Instante | None = None
    criacao: Criacao | None = None
    status: Status | None = None
    pagamento: Pagamento | None = None


class EventoProduto(msgspec.Struct, frozen=True, kw_only=True):
    """The facts that one event states about one product; None is unknown. *tempo_preparo* is in minutes.

    *ativo* is False in a removal, True in a creation, and in an update unless the event states otherwise.
    """

    id_produto: str
    tipo: str
    enviado_em: datetime
    quando: Instante | None = None
    nome: str | None = None
    categoria: str | None = None
    preco: Decimal | None = None
    tempo_preparo: int | None = None
    ativo: bool = True


Evento: TypeAlias = EventoPedido | EventoProduto
