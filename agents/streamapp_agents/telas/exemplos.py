"""One event of each kind as the core team's services send it, to be tried and changed."""

from collections.abc import Mapping
from datetime import UTC, datetime

from streamapp.declared.traffic import Example

PEDIDO = 1042


def _envelope(kind: str, **data: object) -> Mapping[str, object]:
    return {"event_type": kind, "data": data}


def _em(agora: datetime) -> str:
    return agora.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def pedido_criado(agora: datetime) -> Mapping[str, object]:
    """An order as it is made; the CPF is nobody's."""
    return _envelope(
        "pedido_criado",
        id_pedido=PEDIDO,
        cliente="00000000191",
        produtos=[
            {"id": 1, "nome": "X-Burger", "categoria": "LANCHE", "quantidade": 2, "preco": 25.9},
            {"id": 7, "nome": "Suco", "categoria": "BEBIDA", "quantidade": 1, "preco": 9.5},
        ],
        status="Recebido",
        criado_em=_em(agora),
    )


def pedido_status_atualizado(agora: datetime) -> Mapping[str, object]:
    """The kitchen's word."""
    return _envelope("pedido_status_atualizado", id_pedido=PEDIDO, status="Pronto", atualizado_em=_em(agora))


def pagamento_criado(agora: datetime) -> Mapping[str, object]:
    """A payment as it is asked for."""
    return _envelope(
        "pagamento_criado",
        id_pagamento=310_042,
        id_pedido=str(PEDIDO),
        valor="61.3",
        status="Pendente",
        data_criacao=_em(agora),
    )


def pagamento_atualizado(agora: datetime) -> Mapping[str, object]:
    """A payment that was made: `Recebido` is the money."""
    return _envelope(
        "pagamento_atualizado",
        id_pagamento=310_042,
        id_pedido=str(PEDIDO),
        valor="61.3",
        status="Recebido",
        data_criacao=_em(agora),
    )


def produto_criado(agora: datetime) -> Mapping[str, object]:
    """A product of the catalogue."""
    return _envelope(
        "produto_criado",
        id_produto=1,
        nome="X-Burger",
        categoria="LANCHE",
        preco="25.90",
        tempo_preparo=6,
        atualizado_em=_em(agora),
    )


def produto_atualizado(agora: datetime) -> Mapping[str, object]:
    """A product that takes longer now."""
    return _envelope("produto_atualizado", id_produto=1, tempo_preparo=9, atualizado_em=_em(agora))


def produto_removido(agora: datetime) -> Mapping[str, object]:
    """A product that left the catalogue."""
    return _envelope("produto_removido", id_produto=1, atualizado_em=_em(agora))


exemplos = (
    *(Example("pedido-events", it.__name__, it) for it in (pedido_criado, pedido_status_atualizado)),
    *(Example("pagamento-events", it.__name__, it) for it in (pagamento_criado, pagamento_atualizado)),
    *(
        Example("produto-events", it.__name__, it)
        for it in (produto_criado, produto_atualizado, produto_removido)
    ),
)
