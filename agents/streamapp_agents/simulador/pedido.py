"""The life of one order as a script: its messages, and what must be shown of it in the end."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from random import Random

from streamapp_agents.dominio.situacao import Inicio
from streamapp_agents.simulador.cardapio import CARDAPIO, Prato
from streamapp_agents.simulador.compra import FORMAS, Compra, Forma
from streamapp_agents.simulador.corpos import Cobranca, corpo_da_cozinha, corpo_do_pagamento
from streamapp_agents.simulador.enredo import ENREDOS, Enredo
from streamapp_agents.simulador.ids import cpf, uuid
from streamapp_agents.simulador.message import Queue
from streamapp_agents.simulador.texts import to_compact_json, to_decimal, to_rfc3339

_MINUTOS_NA_FILA = 15
_DESCONTO = 0.05


@dataclass(frozen=True, slots=True)
class Fala:
    """A *corpo* that is sent *quando* and states the event time *em*, None if it states none."""

    fila: Queue
    corpo: str
    quando: datetime
    em: datetime | None


@dataclass(frozen=True, slots=True)
class Roteiro:
    """What was ordered, how the producer spells it, how the order goes on, and all its messages."""

    compra: Compra
    forma: Forma
    enredo: Enredo
    falas: tuple[Fala, ...]


def escrever(sorte: Random, id_pedido: str, em: datetime, fuso: tzinfo) -> Roteiro:
    """Make up the order *id_pedido*, which is made at *em*; times without a zone are in *fuso*."""
    (forma,) = sorte.choices(FORMAS, [forma.peso for forma in FORMAS])
    (enredo,) = sorte.choices(ENREDOS, [enredo.peso for enredo in ENREDOS])
    linhas = [
        (prato, sorte.choice((1, 1, 1, 2, 2, 3))) for prato in sorte.sample(CARDAPIO, sorte.randint(1, 4))
    ]
    compra = Compra(
        id_pedido=id_pedido if forma.tem_ids else f"A-{id_pedido}",
        cpf=cpf(sorte) if sorte.random() < 0.5 else None,  # noqa: PLR2004 - half of the customers give theirs
        linhas=linhas,
        declarado=_soma(linhas) - (100 if sorte.random() < _DESCONTO else 0),
        em=em,
    )
    return Roteiro(compra, forma, enredo, tuple(_falar(sorte, compra, forma, enredo, fuso)))


def pedido_esperado(roteiro: Roteiro, inicio: Inicio) -> dict[str, str | None]:
    """Return the fields that the hash of the order must hold in the end; None must be absent.

    A field that depends on when SQS received a message is left out.
    """
    compra, forma, desfecho = roteiro.compra, roteiro.forma, roteiro.enredo.desfecho(inicio)
    diverge = forma.tem_total and forma.tem_precos and compra.declarado != _soma(compra.linhas)
    alertas = sorted((*desfecho.alertas, *(["total_divergente"] if diverge else [])))
    esperado: dict[str, str | None] = {
        "id_pedido": compra.id_pedido,
        "status": desfecho.status,
        "status_pagamento": desfecho.pagamento,
        "conhecido": "1",
        "cliente": _mascarado(compra.cpf) if forma.tem_cliente and compra.cpf else None,
        "itens": to_compact_json([_item(prato, unidades, forma) for prato, unidades in compra.linhas]),
        "total": to_decimal(compra.declarado if forma.tem_total else _soma(compra.linhas)),
        "tempo_estimado": _estimado(compra, forma),
        "alertas": to_compact_json(alertas),
    }
    if forma.tem_hora:
        esperado["criado_em"] = to_rfc3339(compra.em)
        esperado["atualizado_em"] = to_rfc3339(max(fala.em for fala in roteiro.falas if fala.em is not None))
    return esperado


def _falar(sorte: Random, compra: Compra, forma: Forma, enredo: Enredo, fuso: tzinfo) -> Iterator[Fala]:
    pagamentos = tuple(_pagar(sorte, compra, enredo, fuso))
    chegada = compra.em
    if enredo.pedido_atrasado:
        chegada = pagamentos[-1].quando + timedelta(seconds=1)
    em = compra.em if forma.tem_hora else None
    yield Fala("pedido-events", forma.corpo(compra, uuid(sorte)), chegada, em)
    yield from pagamentos
    agora = max((fala.quando for fala in pagamentos), default=compra.em)
    for palavra in enredo.cozinha:
        agora += timedelta(milliseconds=sorte.randrange(60_000, 400_000))
        corpo, hora = corpo_da_cozinha(compra.id_pedido, palavra, agora, sorte.randrange(4))
        yield Fala("pedido-events", corpo, agora, hora)


def _pagar(sorte: Random, compra: Compra, enredo: Enredo, fuso: tzinfo) -> Iterator[Fala]:
    agora = compra.em
    ids = sorte.sample(range(100_000, 1_000_000), len(enredo.pagamentos))
    for id_pagamento, palavras in zip(ids, enredo.pagamentos, strict=True):
        agora += timedelta(microseconds=sorte.randrange(5_000_000, 30_000_000))
        cobranca = Cobranca(
            id_pedido=compra.id_pedido,
            id_pagamento=id_pagamento,
            centavos=compra.declarado,
            em=agora,
            fuso=fuso,
        )
        for palavra in palavras:
            corpo, hora = corpo_do_pagamento(cobranca, palavra, sorte.randrange(6))
            yield Fala("pagamento-events", corpo, agora, hora)
            agora += timedelta(microseconds=sorte.randrange(5_000_000, 60_000_000))


def _soma(linhas: Sequence[tuple[Prato, int]]) -> int:
    return sum(prato.centavos * unidades for prato, unidades in linhas)


def _mascarado(numero: str) -> str:
    return f"***.{numero[3:6]}.{numero[6:9]}-**"


def _item(prato: Prato, unidades: int, forma: Forma) -> dict[str, object]:
    item: dict[str, object] = {}
    if forma.tem_ids:
        item["id_produto"] = prato.id_produto
    if forma.tem_nomes or prato.no_cardapio:
        item |= {"nome": prato.nome, "categoria": prato.categoria}
    item["quantidade"] = unidades
    if forma.tem_precos:
        item["preco"] = to_decimal(prato.centavos)
    return item


def _estimado(compra: Compra, forma: Forma) -> str:
    minutos = _MINUTOS_NA_FILA + sum(
        unidades * (prato.minutos if forma.tem_ids else prato.minutos_da_categoria)
        for prato, unidades in compra.linhas
    )
    return f"{minutos // 60:02}:{minutos % 60:02}:00"
