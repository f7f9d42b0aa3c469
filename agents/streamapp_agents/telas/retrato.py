"""One order in a few lines."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from streamapp.declared.boards import Portrait
from streamapp_agents.telas.quadro import cartao_da_cozinha


def linhas(id_pedido: str, pedido: Mapping[str, str]) -> Sequence[str]:
    """Return where an order stands, its items, its times and its alerts."""
    return list(_linhas(id_pedido, pedido))


def _linhas(id_pedido: str, pedido: Mapping[str, str]) -> Iterator[str]:
    partes = [pedido.get("status", "?").upper(), f"pagamento {pedido.get('status_pagamento', '?')}"]
    if "cliente" in pedido:
        partes.append(pedido["cliente"])
    if "total" in pedido:
        partes.append(f"R$ {pedido['total'].replace('.', ',')}")
    yield "  ".join(partes)
    if pedido.get("conhecido") != "1":
        yield "ainda sem pedido_criado: não aparece em nenhum quadro"
    itens = cartao_da_cozinha(id_pedido, pedido).text
    if itens:
        yield itens
    quando = [
        f"{nome} {pedido[nome]}"
        for nome in ("tempo_estimado", "criado_em", "atualizado_em")
        if nome in pedido
    ]
    yield "  ".join([*quando, f"versao {pedido.get('versao', '0')}"])
    alertas = _alertas(pedido)
    if alertas:
        yield f"alertas: {', '.join(alertas)}"


def _alertas(pedido: Mapping[str, str]) -> list[str]:
    try:
        return msgspec.json.decode(pedido.get("alertas", "[]"), type=list[str])
    except (msgspec.MsgspecError, UnicodeError):
        return [pedido["alertas"]]


retrato = Portrait(table="acompanhamento", word="pedido", lines=linhas, quiet=("versao", "atualizado_em"))
