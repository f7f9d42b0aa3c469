"""The shop's monitors: the kitchen's, and the one that customers watch."""

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
    """Return where an order stands on the board: one unpaid, one that has left, and one unknown stand nowhere.

    One that was paid once is paid, whatever became of the money.
    """
    if pedido.get("conhecido") != "1":
        return None
    if pedido.get("status") == "Recebido" and pedido.get("status_pagamento") not in _PAGO:
        return None
    return pedido.get("status")


def encerrado(pedido: Mapping[str, str]) -> bool:
    """Return whether an order has left for good."""
    return pedido.get("status") in TERMINAIS


def cartao_da_cozinha(id_pedido: str, pedido: Mapping[str, str]) -> Card:
    """Return what the kitchen sees of an order: its items, and how long the customer has waited."""
    pronto = pedido.get("status") == "Pronto"
    return Card(
        pedido.get("id_pedido", id_pedido),
        text=", ".join(_item(item) for item in _itens(pedido)),
        since=_em(pedido.get("atualizado_em" if pronto else "criado_em")),
        due=_segundos(pedido.get("tempo_estimado")),
        notes=("pagamento pendente",) if "nao_pago" in pedido.get("alertas", "") else (),
    )


def cartao_do_cliente(id_pedido: str, pedido: Mapping[str, str]) -> Card:
    """Return what everybody may see of an order: its number."""
    return Card(pedido.get("id_pedido", id_pedido), since=_em(pedido.get("atualizado_em")))


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


# A hash that somebody else has written into is shown as far as it can be read: one bad card must not end the board.
def _itens(pedido: Mapping[str, str]) -> tuple[ItemPedido, ...]:
    try:
        return _LEITOR_ITENS.decode(pedido.get("itens", "[]"))
    except (msgspec.MsgspecError, UnicodeError):
        return ()


def _item(item: ItemPedido) -> str:
    return f"{item.quantidade}× {item.nome or item.id_produto or '?'}"  # noqa: RUF001 - a times sign


def _em(texto: str | None) -> datetime | None:
    try:
        quando = None if texto is None else datetime.fromisoformat(texto)
    except ValueError:
        return None
    return quando if quando is not None and quando.tzinfo is not None else None


def _segundos(duracao: str | None) -> float | None:
    try:
        horas, minutos, segundos = (int(parte) for parte in (duracao or "").split(":"))
    except ValueError:
        return None
    return horas * 3600.0 + minutos * 60 + segundos
