"""The facts of one order, merged so that neither the order of arrival nor a repetition changes the result."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import get_args

import msgspec

from streamapp_agents.dominio.ficha import Ficha, unir_fichas
from streamapp_agents.dominio.money import canonical_price
from streamapp_agents.dominio.registro import Registro, juntar, mais_novo, prevalecer, registrar
from streamapp_codecs.dominio.eventos import Criacao, EventoPedido, Instante, Item, Status, StatusPagamento

COZINHA: tuple[Status, ...] = get_args(Status)
"""The kitchen's words, lowest first."""

TERMINAIS: tuple[Status, ...] = ("Finalizado", "Cancelado")

_PAGAMENTO: tuple[StatusPagamento, ...] = get_args(StatusPagamento)
POSTO_PAGAMENTO: dict[StatusPagamento, int] = {palavra: posto for posto, palavra in enumerate(_PAGAMENTO)}
"""The rank of a payment's word."""

MAIS_PAGAMENTOS = 32
"""Payments that an order keeps, the highest by word and id: a producer that makes up an id for each message would fill Redis.

What is shown depends on the words alone: on the highest, and on whether one is `pago` or `estornado`. So what is dropped
shows only where this many payments are refunded and another is not. It is dropped without a word: to fold is to compute, and to
reject its message would lose more, its status and its time.
"""


class Carrinho(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was ordered; *soma* is the sum of the creation's own lines, None if a price is unknown."""

    itens: tuple[Item, ...]
    soma: Decimal | None = None


class Fatos(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The merged facts of one order (a join-semilattice under `unir`); all that is shown is computed from them.

    *cozinha* are the kitchen words seen, lowest first. *pagamentos* is the highest word of each payment id,
    "" stands for a payment without an id. *adiantado* is whether any event's time was ahead.
    *encerrado_em* is the earliest SentTimestamp of a terminal word: it decides how long changes of products reach
    the order, and is never shown.
    """

    conhecido: bool = False
    cozinha: tuple[Status, ...] = ()
    pagamentos: Mapping[str, StatusPagamento] = {}
    cliente: Registro[str] | None = None
    carrinho: Registro[Carrinho] | None = None
    total: Registro[Decimal] | None = None
    catalogo: Mapping[str, Ficha] = {}
    criado_em: Instante | None = None
    atualizado_em: Instante | None = None
    adiantado: bool = False
    encerrado_em: datetime | None = None


def unir(uns: Fatos, outros: Fatos) -> Fatos:
    """Return the merged facts; *uns* itself when *outros* adds nothing.

    Commutative, associative and idempotent, to the byte.
    """
    juntos = Fatos(
        conhecido=uns.conhecido or outros.conhecido,
        cozinha=_unir_cozinha(uns.cozinha, outros.cozinha),
        pagamentos=_unir_pagamentos(uns.pagamentos, outros.pagamentos),
        cliente=juntar(prevalecer, uns.cliente, outros.cliente),
        carrinho=juntar(prevalecer, uns.carrinho, outros.carrinho),
        total=juntar(prevalecer, uns.total, outros.total),
        catalogo=unir_fichas(uns.catalogo, outros.catalogo) if outros.catalogo else uns.catalogo,
        criado_em=juntar(mais_novo, uns.criado_em, outros.criado_em),
        atualizado_em=juntar(mais_novo, uns.atualizado_em, outros.atualizado_em),
        adiantado=uns.adiantado or outros.adiantado,
        encerrado_em=juntar(min, uns.encerrado_em, outros.encerrado_em),
    )
    return uns if juntos == uns else juntos


def fatos_do_evento(evento: EventoPedido) -> Fatos:
    """Return what *evento* alone states.

    A creation without a time has the SentTimestamp as its time; no other event has.
    """
    quando = evento.quando
    if evento.criacao is not None and quando is None:
        quando = Instante(evento.enviado_em)
    fatos = Fatos(
        cozinha=() if evento.status is None else (evento.status,),
        pagamentos={}
        if evento.pagamento is None
        else {evento.pagamento.id_pagamento or "": evento.pagamento.status},
        atualizado_em=quando,
        adiantado=quando is not None and quando.adiantado,
        encerrado_em=evento.enviado_em if evento.status in TERMINAIS else None,
    )
    if evento.criacao is None or quando is None:
        return fatos
    return _com_criacao(fatos, evento.criacao, quando)


def _com_criacao(fatos: Fatos, criacao: Criacao, quando: Instante) -> Fatos:
    return msgspec.structs.replace(
        fatos,
        conhecido=True,
        cliente=registrar(criacao.cliente, quando),
        carrinho=registrar(_carrinho(criacao), quando),
        total=registrar(canonical_price(criacao.total), quando),
        criado_em=quando,
    )


def _carrinho(criacao: Criacao) -> Carrinho | None:
    if criacao.itens is None:
        return None
    itens = (msgspec.structs.replace(item, preco=canonical_price(item.preco)) for item in criacao.itens)
    return Carrinho(tuple(itens), canonical_price(criacao.soma))


def _unir_cozinha(umas: tuple[Status, ...], outras: tuple[Status, ...]) -> tuple[Status, ...]:
    if set(umas).issuperset(outras):
        return umas
    return tuple(palavra for palavra in COZINHA if palavra in umas or palavra in outras)


def _unir_pagamentos(
    uns: Mapping[str, StatusPagamento], outros: Mapping[str, StatusPagamento]
) -> Mapping[str, StatusPagamento]:
    if not outros:
        return uns
    juntos: dict[str, StatusPagamento] = dict(uns)
    for id_pagamento, palavra in outros.items():
        atual = juntos.get(id_pagamento)
        if atual is None or POSTO_PAGAMENTO[palavra] > POSTO_PAGAMENTO[atual]:
            juntos[id_pagamento] = palavra
    if len(juntos) > MAIS_PAGAMENTOS:
        # The highest of a union are the highest of the highest, since a payment's word never falls: still a merge.
        maiores = sorted(
            juntos, key=lambda id_pagamento: (POSTO_PAGAMENTO[juntos[id_pagamento]], id_pagamento)
        )
        juntos = {id_pagamento: juntos[id_pagamento] for id_pagamento in maiores[-MAIS_PAGAMENTOS:]}
    return dict(sorted(juntos.items()))
