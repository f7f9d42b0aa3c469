"""The kind of an event: an entity and what happened to it, in whatever spelling its producer uses."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from streamapp_codecs.dominio.eventos import Status, StatusPagamento
from streamapp_codecs.dominio.status import STATUS_PAGAMENTO, STATUS_PEDIDO
from streamapp_codecs.dominio.vocabulario import ACTION_WORDS, ENTITY_NAMES, FILLERS, Action, Entity
from streamapp_codecs.lenient.folding import fold_name

# A kind is a few words; a text longer than this is in no table.
_MAX_KIND = 100

_ENTITY_OF: dict[str, Entity] = {name: entity for entity, names in ENTITY_NAMES.items() for name in names}
_ACTION_OF: dict[Entity, dict[str, Action]] = {
    entity: {fold_name(word): action for action, words in actions.items() for word in words}
    for entity, actions in ACTION_WORDS.items()
}
_WORD = re.compile(r"[A-Z]+(?![a-z])[0-9]*|[A-Z]?[a-z]+[0-9]*|[0-9]+")
# `pedidocriado`: written without any separator, an entity's name still stands out. `pedidostatus` has no plural.
_GLUED = re.compile(
    rf"((?:{'|'.join(name for name in _ENTITY_OF if name[-1] != 's')})(?:s(?!tatus))?|status)"
)
_ADDRESS = re.compile(r"[.:/]")
_PARTS_OF_ADDRESS = 5
# Of two actions in one kind the first here counts: `novo_pedido_atualizado` makes an order.
_ACTIONS: tuple[Action, ...] = ("criar", "remover", "atualizar")


class Kind(NamedTuple):
    """A known kind: an entity, and what happened to it as an action, a status word, or both.

    *status* is an order's word, *pagamento* a payment's. Without any of them only the entity is named.
    """

    entity: Entity
    action: Action | None = None
    status: Status | None = None
    pagamento: StatusPagamento | None = None

    @property
    def is_complete(self) -> bool:
        """Whether it states what happened."""
        return self.action is not None or self.status is not None or self.pagamento is not None


class Clues(NamedTuple):
    """What the envelopes of one part state of its kind, innermost first.

    *explicit* are (kind, whether its field can hold nothing but a kind); *hints* count only where they are known
    kinds. *entity* is that of a wrapper such as `{"pagamento": {}}`.
    """

    explicit: tuple[tuple[str, bool], ...] = ()
    hints: tuple[str, ...] = ()
    entity: Entity | None = None


def resolve(clues: Clues, own: Entity) -> Kind | str:
    """Return the kind that *clues* name, or the text of one that is unknown.

    *own* is the queue's own entity: it counts where nothing else names one.
    """
    default = clues.entity or own
    unknown: str | None = None
    partial: Kind | None = None
    for text, is_certain in clues.explicit:
        kind = classify(text, default)
        if kind is None and is_certain:
            return text
        if kind is None:
            unknown = unknown or text
        elif kind.is_complete:
            return kind
        else:
            partial = partial or kind
    if unknown is not None and partial is None:
        return unknown
    complete = next((it for text in clues.hints if (it := classify(text, default)) and it.is_complete), None)
    if partial is None:
        return complete or _first_partial(clues, default)
    return complete if complete is not None and complete.entity == partial.entity else partial


def _first_partial(clues: Clues, default: Entity) -> Kind:
    if clues.entity is None:
        for text in clues.hints:
            if (kind := classify(text, default)) is not None:
                return kind
    return Kind(default)


def classify(text: str, default: Entity) -> Kind | None:
    """Return the kind that *text* spells, None if it is unknown; *default* where it names no entity."""
    return _classify(text, default) if len(text) <= _MAX_KIND else None


@lru_cache(maxsize=1024)
def _classify(text: str, default: Entity) -> Kind | None:
    kind = _read(text, default)
    if kind is not None:
        return kind
    # `br.com.lanchonete.pedido.criado.v1`: what stands before the entity is an address.
    parts = _ADDRESS.split(text)[-_PARTS_OF_ADDRESS:]
    for start in range(1, len(parts)):
        kind = _read(" ".join(parts[start:]), None)
        if kind is not None and kind.is_complete:
            return kind
    return None


def _read(text: str, default: Entity | None) -> Kind | None:
    for entity, words in _readings(_words(text), default):
        kind = _assemble(entity, words)
        if kind is not None:
            return kind
    return None


def _words(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    words = [word.lower() for word in _WORD.findall(plain)]
    return [part for word in words for part in _GLUED.sub(r" \1 ", word).split()]


def _readings(words: list[str], default: Entity | None) -> Iterator[tuple[Entity, list[str]]]:
    """Return each entity that *words* may be about, with the words that are then left.

    Two names may stand in one kind: `pedido_aguardando_pagamento` is an order's word,
    `pedido_pagamento_atualizado` is about a payment.
    """
    named = {_ENTITY_OF[word] for word in words if word in _ENTITY_OF}
    if not named and default is not None and _without(words, FILLERS):
        yield default, words
    if "pedido" in named:
        yield "pedido", _without(words, ENTITY_NAMES["pedido"])
    if "pagamento" in named:
        yield "pagamento", _without(words, (*ENTITY_NAMES["pagamento"], *ENTITY_NAMES["pedido"]))
        yield "pagamento", words
        # `pagamento_falha_no_pagamento`: the word itself holds the name.
        first = next(n for n, word in enumerate(words) if word in ENTITY_NAMES["pagamento"])
        yield "pagamento", words[:first] + words[first + 1 :]
    if "produto" in named:
        yield "produto", _without(words, ENTITY_NAMES["produto"])


def _assemble(entity: Entity, words: list[str]) -> Kind | None:
    """Return the kind that the words make: every one of them must be known."""
    useful = _without(words, FILLERS)
    if not useful:
        return Kind(entity)
    whole = "".join(useful)
    if _action(entity, whole) is not None:
        return Kind(entity, _action(entity, whole))
    rest = [word for word in useful if _action(entity, word) is None]
    actions = [_action(entity, word) for word in useful]
    action: Action | None = next((it for it in _ACTIONS if it in actions), None)
    if not rest:
        return Kind(entity, action)
    return _with_status(entity, None, whole) or _with_status(entity, action, "".join(rest))


def _with_status(entity: Entity, action: Action | None, word: str) -> Kind | None:
    if entity == "pedido" and (status := STATUS_PEDIDO.meaning(word)) is not None:
        return Kind(entity, action, status=status)
    if entity == "pagamento" and (pagamento := STATUS_PAGAMENTO.meaning(word)) is not None:
        return Kind(entity, action, pagamento=pagamento)
    return None


def _action(entity: Entity, word: str) -> Action | None:
    actions = _ACTION_OF[entity]
    return actions.get(word) or (actions.get(word[:-1] + "o") if word.endswith("a") else None)


def _without(words: list[str], unwanted: Iterable[str]) -> list[str]:
    removed = frozenset(unwanted)
    return [word for word in words if word not in removed]
