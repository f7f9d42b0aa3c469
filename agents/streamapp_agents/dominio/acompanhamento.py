"""The state of one order after its events, and the announcement of a change."""

from datetime import datetime
from decimal import Decimal

import msgspec

from streamapp_agents.dominio.estimativa import ItemPedido, itens_pedidos, tempo_estimado, total
from streamapp_agents.dominio.fatos import Fatos, fatos_do_evento, unir
from streamapp_agents.dominio.ficha import Ficha
from streamapp_agents.dominio.registro import valor_de
from streamapp_agents.dominio.situacao import Inicio, alertas, palavras_presentes, status_pagamento
from streamapp_codecs.acompanhamento import AcompanhamentoAtualizado
from streamapp_codecs.dominio.eventos import EventoPedido, Instante, Status, StatusPagamento


class Acompanhamento(msgspec.Struct, frozen=True, kw_only=True):
    """The state of one order; every field but the facts and *versao* is a projection of the facts.

    *conhecido* is False in a placeholder: the order's own creation was not seen yet. *versao* counts the
    announcements. None is unknown.
    """

    id_pedido: str
    status: Status
    status_pagamento: StatusPagamento
    conhecido: bool
    versao: int
    cliente: str | None
    itens: tuple[ItemPedido, ...] | None
    total: Decimal | None
    tempo_estimado: str | None
    criado_em: datetime | None
    atualizado_em: datetime | None
    alertas: tuple[str, ...]
    fatos: Fatos = msgspec.field(name="_fatos")


class ComCatalogo(msgspec.Struct, frozen=True, kw_only=True):
    """What the catalogue has about an order's products, alone or together with an event of the order."""

    id_pedido: str
    evento: EventoPedido | None = None
    fichas: dict[str, Ficha] = {}


def aplicar(
    estado: Acompanhamento | None, evento: EventoPedido | ComCatalogo, *, inicio: Inicio = "automatico"
) -> Acompanhamento | None:
    """Return *estado* with *evento* merged in; *estado* itself when *evento* adds nothing.

    The catalogue alone makes no order: without a state it returns None.
    """
    if estado is None:
        if isinstance(evento, ComCatalogo) and evento.evento is None:
            return None
        return _contar(None, _projetar(evento.id_pedido, _fatos(evento), 0, inicio))
    fatos = unir(estado.fatos, _fatos(evento))
    if fatos is estado.fatos:
        return estado
    return _contar(estado, _projetar(estado.id_pedido, fatos, estado.versao, inicio))


def anunciar(antes: Acompanhamento | None, depois: Acompanhamento | None) -> AcompanhamentoAtualizado | None:
    """Return the announcement of the change from *antes* to *depois*; None when nothing is to be announced."""
    if depois is None or depois.atualizado_em is None or not _e_noticia(antes, depois):
        return None
    return AcompanhamentoAtualizado.de(
        id_pedido=depois.id_pedido,
        status=depois.status,
        status_anterior=antes.status if antes is not None and antes.conhecido else None,
        status_pagamento=depois.status_pagamento,
        tempo_estimado=depois.tempo_estimado,
        atualizado_em=depois.atualizado_em,
        versao=depois.versao,
    )


def _e_noticia(antes: Acompanhamento | None, depois: Acompanhamento) -> bool:
    # A placeholder is not announced. An order is when it becomes known, once, with all that came before.
    if not depois.conhecido:
        return False
    if antes is None or not antes.conhecido:
        return True
    return (
        antes.status != depois.status
        or antes.status_pagamento != depois.status_pagamento
        or antes.tempo_estimado != depois.tempo_estimado
    )


def _contar(antes: Acompanhamento | None, depois: Acompanhamento) -> Acompanhamento:
    if not _e_noticia(antes, depois):
        return depois
    return msgspec.structs.replace(depois, versao=depois.versao + 1)


def _fatos(evento: EventoPedido | ComCatalogo) -> Fatos:
    if isinstance(evento, EventoPedido):
        return fatos_do_evento(evento)
    catalogo = Fatos(catalogo=evento.fichas)
    return catalogo if evento.evento is None else unir(fatos_do_evento(evento.evento), catalogo)


def _projetar(id_pedido: str, fatos: Fatos, versao: int, inicio: Inicio) -> Acompanhamento:
    presentes = palavras_presentes(fatos, inicio)
    pagamento = status_pagamento(fatos)
    return Acompanhamento(
        id_pedido=id_pedido,
        status=presentes[-1],
        status_pagamento=pagamento,
        conhecido=fatos.conhecido,
        versao=versao,
        cliente=valor_de(fatos.cliente),
        itens=itens_pedidos(fatos),
        total=total(fatos),
        tempo_estimado=tempo_estimado(fatos),
        criado_em=_em(fatos.criado_em),
        atualizado_em=_em(fatos.atualizado_em),
        alertas=alertas(fatos, presentes, pagamento),
        fatos=fatos,
    )


def _em(quando: Instante | None) -> datetime | None:
    return None if quando is None else quando.em
