"""Names and words compare after folding: `ID-Pedido`, `idPedido` and `id_pedido` are one name."""

import unicodedata
from collections.abc import Mapping
from functools import lru_cache

# The longest name or word of the tables has 25 letters; a longer text is folded, but not remembered.
_LEMBRADO = 64


def dobrar(texto: str) -> str:
    """Return *texto* without accents, in lower case, with nothing but letters and digits."""
    return _lembrar(texto) if len(texto) <= _LEMBRADO else _dobrar(texto)


def dobrar_nomes(objeto: Mapping[str, object]) -> dict[str, object]:
    """Return *objeto* under its folded names.

    Where two names fold to one, a null or blank value gives way, then a name with a leading underscore
    (`_id`, as document stores spell theirs), else the last one counts.
    """
    dobrado: dict[str, object] = {}
    for nome, valor in objeto.items():
        chave = _lembrar(nome) if len(nome) <= _LEMBRADO else _dobrar(nome)
        if chave not in dobrado or _is_melhor(nome, valor, dobrado[chave]):
            dobrado[chave] = valor
    return dobrado


def _is_melhor(nome: str, valor: object, outro: object) -> bool:
    return is_vazio(outro) or not (nome.startswith("_") or is_vazio(valor))


def is_vazio(valor: object) -> bool:
    """Whether *valor* says nothing: null, or a blank string."""
    return valor is None or (isinstance(valor, str) and not valor.strip())


def _dobrar(texto: str) -> str:
    simples = texto if texto.isascii() else unicodedata.normalize("NFKD", texto)
    return "".join(filter(str.isalnum, simples.lower()))


_lembrar = lru_cache(maxsize=4096)(_dobrar)
