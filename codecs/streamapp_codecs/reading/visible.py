"""What viewers may see under each name: ids, status words, times, amounts, and the names of products."""

import re
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache, partial
from typing import NamedTuple

from streamapp_codecs.codec import HIDDEN
from streamapp_codecs.dominio import campos
from streamapp_codecs.lenient.cpf import mask_cpf
from streamapp_codecs.lenient.fields import Field
from streamapp_codecs.lenient.folding import fold_name
from streamapp_codecs.lenient.skipped import visible_word

_ID = re.compile(r"[\w.:/+-]{1,64}", re.ASCII)
_TIME = re.compile(r"[0-9T:.,Z+/ -]{1,40}")
_NUMBER = re.compile(r"(?:R\$\s*)?[0-9.,-]{1,20}")
_ELEVEN_DIGITS = re.compile(r"\s*[0-9]{3}\.?[0-9]{3}\.?[0-9]{3}-?[0-9]{2}(?:\.0)?\s*")
_LENGTHS_OF_CPF = range(10, 15)
_SMALLEST_CPF, _ABOVE_CPF = 10**9, 10**11

Show = Callable[[object], object]


class Rule(NamedTuple):
    """What is shown under a name.

    *name* is the name as it is shown. *show* returns what is shown of a value; None hides it. *in_product* is used
    instead inside a product, where a name is the product's and not a customer's. *opens* is whether a product lies
    under this name, *keeps* whether a name inside a product still has one under it.
    """

    name: str
    show: Show | None
    in_product: Show | None
    opens: bool
    keeps: bool


# -- values ---------------------------------------------------------------------------------------------------


def _id(value: object) -> object:
    if isinstance(value, str):
        if not _ID.fullmatch(value):
            return HIDDEN
        return value if len(value) not in _LENGTHS_OF_CPF else mask_cpf(value) or value
    # A range would be searched number by number for one with a fraction.
    may_be_cpf = isinstance(value, int | float | Decimal) and _SMALLEST_CPF <= value < _ABOVE_CPF
    return mask_cpf(value) or HIDDEN if may_be_cpf else value


def _word(value: object) -> object:
    return (visible_word(value) or HIDDEN) if isinstance(value, str) else _id(value)


def _matching(pattern: re.Pattern[str], value: object) -> object:
    if isinstance(value, str) and not pattern.fullmatch(value):
        return HIDDEN
    # Eleven digits are neither a price nor a time.
    return HIDDEN if _ELEVEN_DIGITS.fullmatch(str(value)) else value


def _cpf(value: object) -> object:
    return mask_cpf(value) or HIDDEN


def _name(value: object) -> object:
    if not isinstance(value, str):
        return _id(value)
    return value if "@" not in value and sum(map(str.isdigit, value)) <= 8 else HIDDEN


_time = partial(_matching, _TIME)
_number = partial(_matching, _NUMBER)

# -- names ----------------------------------------------------------------------------------------------------


def _names(*fields: Field) -> frozenset[str]:
    """Return all names of *fields*; of `cliente.cpf` the last one."""
    return frozenset((first, *rest)[-1] for field in fields for first, rest in field.paths)


_PRODUTO = frozenset({*_names(campos.ITENS), "produto", "product"})
_ENVELOPE = frozenset(
    fold_name(name)
    for name in (
        *("detail", "data", "dados", "payload", "body", "content", "conteudo", "message", "mensagem"),
        *("evento", "event", "categoria", "category"),
    )
)
# The first entry that has a name decides what is shown under it.
_EVERYWHERE: tuple[tuple[frozenset[str], Show], ...] = (
    (_names(campos.CLIENTE), _cpf),
    (frozenset(map(fold_name, (*campos.KIND, *campos.PERHAPS_KIND, *campos.KIND_HINT))), _word),
    (_names(campos.STATUS_PEDIDO, campos.STATUS_PAGAMENTO, campos.STATUS, campos.ATIVO), _word),
    (
        _names(campos.CRIADO_EM, campos.ATUALIZADO_EM, campos.PAGO_EM, campos.OCORRIDO_EM)
        | frozenset({"tempoestimado", "tempoespera"}),
        _time,
    ),
    (_names(campos.TOTAL, campos.QUANTIDADE, campos.PRECO, campos.TEMPO_PREPARO), _number),
    (frozenset({"versao", "version"}), _number),
    (_names(campos.FOI_APROVADO), _word),
)
_IDS = frozenset({"id", "eventid", "idacompanhamento"}) | _names(
    *(campos.ID_PEDIDO, campos.ID_PAGAMENTO, campos.ID_PRODUTO, campos.ID),
    *(campos.CODIGO_PEDIDO, campos.CODIGO_PRODUTO),
)
_IN_PRODUCTS = ((_names(campos.NOME, campos.CATEGORIA), _name),)
_LONGEST_NAME = 64


def rule_of(name: str) -> Rule:
    """Return what is shown under *name*; a longer name than any that is known is hidden itself."""
    return _remembered(name) if len(name) <= _LONGEST_NAME else _HIDDEN


@lru_cache(maxsize=4096)
def _remembered(name: str) -> Rule:
    folded = fold_name(name)
    everywhere = next((show for names, show in _EVERYWHERE if folded in names), None)
    if everywhere is None and folded in _IDS:
        everywhere = _id
    in_product = next((show for names, show in _IN_PRODUCTS if folded in names), None)
    return Rule(
        name=visible_word(name) or HIDDEN,
        show=everywhere,
        in_product=in_product or everywhere,
        opens=folded in _PRODUTO,
        keeps=folded in _ENVELOPE,
    )


_HIDDEN = Rule(HIDDEN, None, None, opens=False, keeps=False)
