"""The shop's boards: one for the kitchen, and one for customers."""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from streamapp.declared.boards import Board, Card, Website, Words
from streamapp_agents.dominio.estimativa import ItemPedido
from streamapp_agents.dominio.fatos import TERMINAIS

PALAVRAS = Words(
    live="ao vivo", stale="sem conexão há", new="novo", warn="atrasando", late="ATRASADO", more="mais"
)

_PAGO = frozenset({"pago", "estornado"})
_LEITOR_ITENS = msgspec.json.Decoder(tuple[ItemPedido, ...])


def coluna(pedido: Mapping[str, str]) -> str | None:
    """Return the status under which an order is shown; None for one that is not known yet, or unpaid in Recebido.

    An order that was paid once counts as paid, even after a refund. For one that has ended no board has a column.
    """
    if pedido.get("conhecido") != "1":
        return None
    if pedido.get("status") == "Recebido" and pedido.get("status_pagamento") not in _PAGO:
        return None
    return pedido.get("status")


def encerrado(pedido: Mapping[str, str]) -> bool:
    """Return whether an order has ended."""
    return pedido.get("status") in TERMINAIS


def cartao_da_cozinha(id_pedido: str, pedido: Mapping[str, str]) -> Card:
    """Return what the kitchen sees of an order: its items, and how long the customer has waited."""
    pronto = pedido.get("status") == "Pronto"
    return Card(
        pedido.get("id_pedido", id_pedido),
        text=", ".join(_item(item) for item in _itens(pedido)),
        since=_time(pedido.get("atualizado_em" if pronto else "criado_em")),
        due=_seconds(pedido.get("tempo_estimado")),
        notes=("pagamento pendente",) if "nao_pago" in pedido.get("alertas", "") else (),
    )


def cartao_do_cliente(id_pedido: str, pedido: Mapping[str, str]) -> Card:
    """Return what everybody may see of an order: its number."""
    return Card(pedido.get("id_pedido", id_pedido), since=_time(pedido.get("atualizado_em")))


cozinha = Board(
    name="cozinha",
    title="LANCHONETE · cozinha",
    table="acompanhamento",
    columns=("Recebido", "Em preparação", "Pronto"),
    column_of=coluna,
    card=cartao_da_cozinha,
    is_over=encerrado,
    ageing=("Recebido", "Em preparação"),
    words=PALAVRAS,
)
cliente = Board(
    name="cliente",
    title="LANCHONETE",
    table="acompanhamento",
    columns=("Em preparação", "Pronto"),
    column_of=coluna,
    card=cartao_do_cliente,
    is_over=encerrado,
    shows_age=False,
    words=PALAVRAS,
)

paginas = Website(
    pages={"/": cliente, "/cozinha": cozinha},
    queue="/api/fila",
    one="/api/pedidos",
    hidden=("cliente",),
)


# If somebody else wrote into a hash, it is shown as far as it can be read: one bad card must not end the board.
def _itens(pedido: Mapping[str, str]) -> tuple[ItemPedido, ...]:
    try:
        return _LEITOR_ITENS.decode(pedido.get("itens", "[]"))
    except (msgspec.MsgspecError, UnicodeError):
        return ()


def _item(item: ItemPedido) -> str:
    return f"{item.quantidade}× {item.nome or item.id_produto or '?'}"  # noqa: RUF001 - a times sign


def _time(text: str | None) -> datetime | None:
    try:
        time = None if text is None else datetime.fromisoformat(text)
    except ValueError:
        return None
    return time if time is not None and time.tzinfo is not None else None


def _seconds(duration: str | None) -> float | None:
    try:
        hours, minutes, seconds = (int(part) for part in (duration or "").split(":"))
    except ValueError:
        return None
    return hours * 3600.0 + minutes * 60 + seconds
