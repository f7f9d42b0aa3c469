"""A lunch rush: its messages in the order in which they are sent, and the states that must come of them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import partial
from random import Random

from streamapp_agents.dominio.situacao import Inicio
from streamapp_agents.simulador.cardapio import CARDAPIO, falas_do_catalogo, produto_esperado
from streamapp_agents.simulador.corpos import corpo_do_produto
from streamapp_agents.simulador.damage import Damage, damaged
from streamapp_agents.simulador.ids import uuid
from streamapp_agents.simulador.invalidos import invalidos as mensagens_invalidas
from streamapp_agents.simulador.message import Message
from streamapp_agents.simulador.pedido import Fala, escrever, pedido_esperado
from streamapp_agents.simulador.texts import to_rfc3339

DURACAO = timedelta(hours=2)
"""No event of a rush is later than this after its start, so a rush that ends now begins that long ago."""

# After the catalogue's first messages, and early enough for the slowest story to end within DURACAO.
_PRIMEIRO_PEDIDO = timedelta(minutes=5)
_CHEGADAS = timedelta(minutes=75)


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulacao:
    """What `simular` returns; *acompanhamento* and *produto* hold what each hash must have in the end.

    In these, a field that is None must be absent, and one that is left out depends on the time of sending.
    """

    mensagens: tuple[Message, ...]
    acompanhamento: Mapping[str, Mapping[str, str | None]]
    produto: Mapping[str, Mapping[str, str | None]]

    @property
    def pedidos(self) -> int:
        """How many orders there are."""
        return len(self.acompanhamento)

    @property
    def eventos(self) -> int:
        """How many messages must have an effect, repetitions not counted."""
        return len(self.mensagens) - self.duplicados - self.invalidos - self.ignorados

    @property
    def duplicados(self) -> int:
        """How many messages repeat another."""
        return sum(mensagem.repeated for mensagem in self.mensagens)

    @property
    def fora_de_ordem(self) -> int:
        """How many messages were moved from their place in time."""
        return sum(mensagem.moved for mensagem in self.mensagens)

    @property
    def invalidos(self) -> int:
        """How many messages must be dead-lettered."""
        return sum(mensagem.reason is not None for mensagem in self.mensagens)

    @property
    def ignorados(self) -> int:
        """How many messages must be acknowledged without effect."""
        return sum(mensagem.skipped for mensagem in self.mensagens)


def simular(
    pedidos: int,
    semente: int,
    *,
    duplicados: float,
    fora_de_ordem: float,
    invalidos: float,
    inicio_em: datetime,
    inicio: Inicio = "automatico",
    fuso: tzinfo = UTC,
) -> Simulacao:
    """Make up a rush of *pedidos* orders; the same arguments always make the same rush.

    *duplicados*, *fora_de_ordem* and *invalidos* are fractions of the number of events. *inicio_em* is aware;
    all event times lie within `DURACAO` after it. *inicio* and *fuso* are settings of the application: whether a
    paid order starts by itself, and the zone of times that carry none.
    """
    sorte = Random(semente)
    comeco = inicio_em.astimezone(UTC).replace(microsecond=0)
    roteiros = [
        escrever(sorte, str(_primeiro_id(semente) + n), chegada, fuso)
        for n, chegada in enumerate(_chegadas(sorte, pedidos, comeco))
    ]
    falas = [*_catalogo(sorte, comeco), *(fala for roteiro in roteiros for fala in roteiro.falas)]
    mensagens = [Message(fala.fila, fala.corpo) for fala in sorted(falas, key=lambda fala: fala.quando)]
    ids = [roteiro.compra.id_pedido for roteiro in roteiros]
    damage = Damage(duplicates=duplicados, reorder=fora_de_ordem, invalid=invalidos)
    return Simulacao(
        mensagens=tuple(damaged(sorte, mensagens, partial(mensagens_invalidas, sorte, ids), damage)),
        acompanhamento={roteiro.compra.id_pedido: pedido_esperado(roteiro, inicio) for roteiro in roteiros},
        produto={
            prato.id_produto: produto_esperado(prato, to_rfc3339(_at(comeco, prato.versoes[-1].minuto)))
            for prato in CARDAPIO
            if prato.no_cardapio
        },
    )


def differences(expected: Mapping[str, str | None], found: Mapping[str, str]) -> tuple[str, ...]:
    """Return the names of the fields in which a hash is not what it must be."""
    return tuple(name for name, text in expected.items() if found.get(name) != text)


def _primeiro_id(semente: int) -> int:
    # Two rushes into one shop must not be about the same orders.
    return 10_000 * (1 + semente % 1000)


def _chegadas(sorte: Random, pedidos: int, comeco: datetime) -> list[datetime]:
    janela = _CHEGADAS // timedelta(milliseconds=1)
    return sorted(
        comeco + _PRIMEIRO_PEDIDO + timedelta(milliseconds=sorte.randrange(janela)) for _ in range(pedidos)
    )


def _catalogo(sorte: Random, comeco: datetime) -> Iterator[Fala]:
    for prato, versao in falas_do_catalogo():
        em = _at(comeco, versao.minuto)
        yield Fala("produto-events", corpo_do_produto(prato, versao, em, uuid(sorte)), em, em)


def _at(start: datetime, minute: int) -> datetime:
    return start + timedelta(minutes=minute)
