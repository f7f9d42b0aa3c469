"""The kind of an event: an entity and what happened to it, whatever its producer's spelling."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from streamapp_codecs.dominio.eventos import Status, StatusPagamento
from streamapp_codecs.dominio.status import STATUS_PAGAMENTO, STATUS_PEDIDO
from streamapp_codecs.dominio.vocabulario import ACOES, ENCHIMENTOS, ENTIDADES, Acao, Entidade
from streamapp_codecs.lenient.folding import dobrar

# A kind is a few words; a text longer than this names nothing that a table could know.
_MAIOR_TIPO = 100

_ENTIDADE_DE: dict[str, Entidade] = {
    nome: entidade for entidade, nomes in ENTIDADES.items() for nome in nomes
}
_ACAO_DE: dict[Entidade, dict[str, Acao]] = {
    entidade: {dobrar(palavra): acao for acao, palavras in acoes.items() for palavra in palavras}
    for entidade, acoes in ACOES.items()
}
_PALAVRA = re.compile(r"[A-Z]+(?![a-z])[0-9]*|[A-Z]?[a-z]+[0-9]*|[0-9]+")
# `pedidocriado`: written without any separator, an entity's name still stands out. `pedidostatus` has no plural.
_COLADA = re.compile(
    rf"((?:{'|'.join(nome for nome in _ENTIDADE_DE if nome[-1] != 's')})(?:s(?!tatus))?|status)"
)
_ENDERECO = re.compile(r"[.:/]")
_PARTES_DE_ENDERECO = 5
# Of two actions in one kind the first here counts: `novo_pedido_atualizado` makes an order.
_ACOES: tuple[Acao, ...] = ("criar", "remover", "atualizar")


class Tipo(NamedTuple):
    """A known kind: an entity, and what happened to it as an action, a status word, or both.

    *status* is an order's word, *pagamento* a payment's. Without any of them only the entity is named.
    """

    entidade: Entidade
    acao: Acao | None = None
    status: Status | None = None
    pagamento: StatusPagamento | None = None

    @property
    def is_completo(self) -> bool:
        """Whether it says what happened."""
        return self.acao is not None or self.status is not None or self.pagamento is not None


class Indicios(NamedTuple):
    """What the envelopes of one part say of its kind, innermost first.

    *explicitos* are (kind, whether its field can hold nothing but a kind); *indicios* count only where they
    are known kinds. *entidade* is that of a wrapper such as `{"pagamento": {}}`.
    """

    explicitos: tuple[tuple[str, bool], ...] = ()
    indicios: tuple[str, ...] = ()
    entidade: Entidade | None = None


def resolver(de: Indicios, propria: Entidade) -> Tipo | str:
    """Return the kind that *de* names, or the text of one that is unknown.

    *propria* is the queue's own entity: it counts where nothing else names one.
    """
    padrao = de.entidade or propria
    desconhecido: str | None = None
    parcial: Tipo | None = None
    for texto, certo in de.explicitos:
        tipo = classificar(texto, padrao)
        if tipo is None and certo:
            return texto
        if tipo is None:
            desconhecido = desconhecido or texto
        elif tipo.is_completo:
            return tipo
        else:
            parcial = parcial or tipo
    if desconhecido is not None and parcial is None:
        return desconhecido
    completo = next((t for texto in de.indicios if (t := classificar(texto, padrao)) and t.is_completo), None)
    if parcial is None:
        return completo or _primeiro_parcial(de, padrao)
    return completo if completo is not None and completo.entidade == parcial.entidade else parcial


def _primeiro_parcial(de: Indicios, padrao: Entidade) -> Tipo:
    if de.entidade is None:
        for texto in de.indicios:
            if (tipo := classificar(texto, padrao)) is not None:
                return tipo
    return Tipo(padrao)


def classificar(texto: str, padrao: Entidade) -> Tipo | None:
    """Return the kind that *texto* spells, None where it is unknown; *padrao* where it names no entity."""
    return _classificar(texto, padrao) if len(texto) <= _MAIOR_TIPO else None


@lru_cache(maxsize=1024)
def _classificar(texto: str, padrao: Entidade) -> Tipo | None:
    tipo = _ler(texto, padrao)
    if tipo is not None:
        return tipo
    # `br.com.lanchonete.pedido.criado.v1`: what stands before the entity is an address.
    partes = _ENDERECO.split(texto)[-_PARTES_DE_ENDERECO:]
    for comeco in range(1, len(partes)):
        tipo = _ler(" ".join(partes[comeco:]), None)
        if tipo is not None and tipo.is_completo:
            return tipo
    return None


def _ler(texto: str, padrao: Entidade | None) -> Tipo | None:
    for entidade, palavras in _leituras(_palavras(texto), padrao):
        tipo = _juntar(entidade, palavras)
        if tipo is not None:
            return tipo
    return None


def _palavras(texto: str) -> list[str]:
    simples = unicodedata.normalize("NFKD", texto).encode("ascii", "ignore").decode()
    palavras = [palavra.lower() for palavra in _PALAVRA.findall(simples)]
    return [parte for palavra in palavras for parte in _COLADA.sub(r" \1 ", palavra).split()]


def _leituras(palavras: list[str], padrao: Entidade | None) -> Iterator[tuple[Entidade, list[str]]]:
    """Return each entity that *palavras* may speak of, with the words that are then left.

    Two names may stand in one kind: `pedido_aguardando_pagamento` is an order's word,
    `pedido_pagamento_atualizado` speaks of a payment.
    """
    nomeadas = {_ENTIDADE_DE[palavra] for palavra in palavras if palavra in _ENTIDADE_DE}
    if not nomeadas and padrao is not None and _sem(palavras, ENCHIMENTOS):
        yield padrao, palavras
    if "pedido" in nomeadas:
        yield "pedido", _sem(palavras, ENTIDADES["pedido"])
    if "pagamento" in nomeadas:
        yield "pagamento", _sem(palavras, (*ENTIDADES["pagamento"], *ENTIDADES["pedido"]))
        yield "pagamento", palavras
        # `pagamento_falha_no_pagamento`: the word itself holds the name.
        primeira = next(n for n, palavra in enumerate(palavras) if palavra in ENTIDADES["pagamento"])
        yield "pagamento", palavras[:primeira] + palavras[primeira + 1 :]
    if "produto" in nomeadas:
        yield "produto", _sem(palavras, ENTIDADES["produto"])


def _juntar(entidade: Entidade, palavras: list[str]) -> Tipo | None:
    """Return the kind that the words make: every one of them must be known."""
    uteis = _sem(palavras, ENCHIMENTOS)
    if not uteis:
        return Tipo(entidade)
    inteira = "".join(uteis)
    if _acao(entidade, inteira) is not None:
        return Tipo(entidade, _acao(entidade, inteira))
    resto = [palavra for palavra in uteis if _acao(entidade, palavra) is None]
    acoes = [_acao(entidade, palavra) for palavra in uteis]
    acao: Acao | None = next((uma for uma in _ACOES if uma in acoes), None)
    if not resto:
        return Tipo(entidade, acao)
    return _com_status(entidade, None, inteira) or _com_status(entidade, acao, "".join(resto))


def _com_status(entidade: Entidade, acao: Acao | None, palavra: str) -> Tipo | None:
    if entidade == "pedido" and (status := STATUS_PEDIDO.significado(palavra)) is not None:
        return Tipo(entidade, acao, status=status)
    if entidade == "pagamento" and (pagamento := STATUS_PAGAMENTO.significado(palavra)) is not None:
        return Tipo(entidade, acao, pagamento=pagamento)
    return None


def _acao(entidade: Entidade, palavra: str) -> Acao | None:
    acoes = _ACAO_DE[entidade]
    return acoes.get(palavra) or (acoes.get(palavra[:-1] + "o") if palavra.endswith("a") else None)


def _sem(palavras: list[str], menos: Iterable[str]) -> list[str]:
    fora = frozenset(menos)
    return [palavra for palavra in palavras if palavra not in fora]
