"""One event of each kind in its canonical shape, to be sent, or changed first."""

from collections.abc import Mapping
from datetime import UTC, datetime

from streamapp.declared.traffic import Example

PEDIDO = 1042


def _envelope(kind: str, **data: object) -> Mapping[str, object]:
    return {"event_type": kind, "data": data}


def _rfc3339(now: datetime) -> str:
    return now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def pedido_criado(now: datetime) -> Mapping[str, object]:
    """An order is made; the CPF belongs to nobody."""
    return _envelope(
        "pedido_criado",
        id_pedido=PEDIDO,
        cliente="00000000191",
        produtos=[
            {"id": 1, "nome": "X-Burger", "categoria": "LANCHE", "quantidade": 2, "preco": 25.9},
            {"id": 7, "nome": "Suco", "categoria": "BEBIDA", "quantidade": 1, "preco": 9.5},
        ],
        status="Recebido",
        criado_em=_rfc3339(now),
    )


def pedido_status_atualizado(now: datetime) -> Mapping[str, object]:
    """The kitchen changes the status of an order."""
    return _envelope(
        "pedido_status_atualizado", id_pedido=PEDIDO, status="Pronto", atualizado_em=_rfc3339(now)
    )


def pagamento_criado(now: datetime) -> Mapping[str, object]:
    """A payment is asked for."""
    return _envelope(
        "pagamento_criado",
        id_pagamento=310_042,
        id_pedido=str(PEDIDO),
        valor="61.3",
        status="Pendente",
        data_criacao=_rfc3339(now),
    )


def pagamento_atualizado(now: datetime) -> Mapping[str, object]:
    """A payment is made: `Recebido` means that the money was received."""
    return _envelope(
        "pagamento_atualizado",
        id_pagamento=310_042,
        id_pedido=str(PEDIDO),
        valor="61.3",
        status="Recebido",
        data_criacao=_rfc3339(now),
    )


def produto_criado(now: datetime) -> Mapping[str, object]:
    """A product comes to the catalogue."""
    return _envelope(
        "produto_criado",
        id_produto=1,
        nome="X-Burger",
        categoria="LANCHE",
        preco="25.90",
        tempo_preparo=6,
        atualizado_em=_rfc3339(now),
    )


def produto_atualizado(now: datetime) -> Mapping[str, object]:
    """A product takes longer now."""
    return _envelope("produto_atualizado", id_produto=1, tempo_preparo=9, atualizado_em=_rfc3339(now))


def produto_removido(now: datetime) -> Mapping[str, object]:
    """A product leaves the catalogue."""
    return _envelope("produto_removido", id_produto=1, atualizado_em=_rfc3339(now))


exemplos = (
    *(Example("pedido-events", it.__name__, it) for it in (pedido_criado, pedido_status_atualizado)),
    *(Example("pagamento-events", it.__name__, it) for it in (pagamento_criado, pagamento_atualizado)),
    *(
        Example("produto-events", it.__name__, it)
        for it in (produto_criado, produto_atualizado, produto_removido)
    ),
)
