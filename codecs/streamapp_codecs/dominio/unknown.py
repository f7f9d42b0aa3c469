"""What is acknowledged without effect, under a name that people may see."""

import re
from dataclasses import dataclass
from functools import lru_cache

_MAIOR_NOME = 64
_MAIS_DIGITOS = 8
# What a kind or a status may be spelled with. An address, a document, a telephone number may not.
_VISIVEL = re.compile(r"[\w.:/() -]+")


@dataclass(frozen=True, slots=True)
class Ignorada:
    """A part of a body that changes nothing: *nome* is its kind, or what stands in for it."""

    nome: str


def tipo_desconhecido(tipo: str) -> Ignorada:
    """Return a part whose kind nobody here knows."""
    return Ignorada(visivel(tipo) or "(unknown kind)")


def palavra_desconhecida(tipo: str, palavra: str) -> Ignorada:
    """Return a part of the kind *tipo* that states nothing but a status word nobody here knows."""
    return Ignorada(f"{tipo} ({visivel(palavra) or 'unknown status'})")


def visivel(texto: str) -> str | None:
    """Return *texto* where it can be a word that services use, and nothing personal; else None."""
    curto = texto.strip()
    return curto if len(curto) <= _MAIOR_NOME and _e_palavra(curto) else None


# Services use few words, and each of their messages repeats some.
@lru_cache(maxsize=1024)
def _e_palavra(curto: str) -> bool:
    return (
        _VISIVEL.fullmatch(curto) is not None
        and curto.isprintable()
        and sum(map(str.isdigit, curto)) <= _MAIS_DIGITOS
    )
