"""Where an order stands in the kitchen and with its payments, and its alerts."""

from collections.abc import Iterator
from typing import Literal

from streamapp_agents.dominio.fatos import COZINHA, POSTO_PAGAMENTO, Fatos
from streamapp_codecs.dominio.eventos import Status, StatusPagamento

Inicio = Literal["automatico", "manual"]
"""Whether a paid order goes to the kitchen by itself, or stays in Recebido until the kitchen starts it."""

_COZINHADO: tuple[Status, ...] = ("Em preparação", "Pronto", "Finalizado")


def palavras_presentes(fatos: Fatos, inicio: Inicio) -> tuple[Status, ...]:
    """Return the kitchen's words of the order, lowest first: those seen and those that other facts imply."""
    iniciado = inicio == "automatico" and _foi_pago(fatos)
    return tuple(
        palavra
        for palavra in COZINHA
        if palavra in fatos.cozinha or palavra == "Recebido" or (iniciado and palavra == "Em preparação")
    )


def status_pagamento(fatos: Fatos) -> StatusPagamento:
    """Return `pago` if any payment is, else the highest word of any."""
    palavras = fatos.pagamentos.values()
    if "pago" in palavras:
        return "pago"
    return max(palavras, key=POSTO_PAGAMENTO.__getitem__) if palavras else "pendente"


def alertas(fatos: Fatos, presentes: tuple[Status, ...], pagamento: StatusPagamento) -> tuple[str, ...]:
    """Return the alerts of the order, sorted; each is there only while the facts imply it."""
    return tuple(_alertas(fatos, presentes, pagamento))


def _alertas(fatos: Fatos, presentes: tuple[Status, ...], pagamento: StatusPagamento) -> Iterator[str]:
    cozinhado = any(palavra in presentes for palavra in _COZINHADO)
    if "Finalizado" in presentes and "Cancelado" in presentes:
        yield "apos_terminal"
    if pagamento == "estornado" and cozinhado:
        yield "estornado_apos_preparo"
    if cozinhado and not _foi_pago(
        fatos
    ):  # In an unpaid order nothing is implied: the kitchen itself sent these words.
        yield "nao_pago"
    if fatos.adiantado:
        yield "relogio_adiantado"
    if _saltou(presentes):
        yield "salto"
    if _diverge(fatos):
        yield "total_divergente"


def _foi_pago(fatos: Fatos) -> bool:
    # A refund does not undo the cooking: what is refunded was paid before.
    palavras = fatos.pagamentos.values()
    return "pago" in palavras or "estornado" in palavras


def _saltou(presentes: tuple[Status, ...]) -> bool:
    # A cancelled order may stop anywhere, so only the words below Cancelado count.
    caminho = [palavra for palavra in presentes if palavra != "Cancelado"]
    return len(caminho) <= COZINHA.index(caminho[-1])


def _diverge(fatos: Fatos) -> bool:
    if fatos.total is None or fatos.carrinho is None or fatos.carrinho.valor.soma is None:
        return False
    return fatos.total.valor != fatos.carrinho.valor.soma
