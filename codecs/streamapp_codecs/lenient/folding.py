"""Names and words compare after folding: `ID-Pedido`, `idPedido` and `id_pedido` are one name."""

import unicodedata
from collections.abc import Mapping
from functools import lru_cache

# The longest name or word of the tables has 25 letters; a longer text is folded, but not remembered.
_LONGEST_REMEMBERED = 64


def fold_name(text: str) -> str:
    """Return *text* without accents, in lower case, with nothing but letters and digits."""
    return _remember(text) if len(text) <= _LONGEST_REMEMBERED else _fold(text)


def fold_keys(members: Mapping[str, object]) -> dict[str, object]:
    """Return *members* under their folded names.

    Where two names fold to one, a null or blank value gives way, then a name with a leading underscore
    (`_id`, as document stores spell theirs), else the last one counts.
    """
    folded: dict[str, object] = {}
    for name, value in members.items():
        key = _remember(name) if len(name) <= _LONGEST_REMEMBERED else _fold(name)
        if key not in folded or _is_better(name, value, folded[key]):
            folded[key] = value
    return folded


def _is_better(name: str, value: object, other: object) -> bool:
    return is_blank(other) or not (name.startswith("_") or is_blank(value))


def is_blank(value: object) -> bool:
    """Whether *value* is null or a blank string."""
    return value is None or (isinstance(value, str) and not value.strip())


def _fold(text: str) -> str:
    plain = text if text.isascii() else unicodedata.normalize("NFKD", text)
    return "".join(filter(str.isalnum, plain.lower()))


_remember = lru_cache(maxsize=4096)(_fold)
