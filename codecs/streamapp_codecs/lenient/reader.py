"""JSON text read without losing a digit."""

import re
from decimal import Decimal, InvalidOperation

import msgspec

from streamapp_codecs.codec import DecodeError

FUNDO_DO_JSON = 500
"""Arrays and objects within one another that a body may have: half of what Python's own limit was until 3.11. Later
Pythons read far deeper, and one body must not be a letter here and an event there."""

_FUNDO = "arrays or objects nested too deep"
_BOM = "\ufeff"
# A whole string, also one that never ends, or a bracket.
_SINAL = re.compile(r'"(?:[^"\\]+|\\.)*"?|[\[\]{}]', re.DOTALL)
# Half of a character outside the basic plane, as text cut by its length leaves it: JSON allows the escape,
# UTF-8 has no bytes for it.
_PAR_OU_METADE = re.compile(
    r"(?P<outro>\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|\\u[dD][89a-fA-F][0-9a-fA-F]{2}"
)


def numero(texto: str) -> Decimal:
    """Return the number that *texto* spells, NaN where its exponent has no end."""
    try:
        return Decimal(texto)
    except InvalidOperation:
        return Decimal("NaN")


_DECODER = msgspec.json.Decoder(float_hook=numero)


def ler_json(texto: str) -> object:
    """Return what *texto* holds; raises `DecodeError`."""
    if _is_fundo(texto):
        raise DecodeError("too_deep", _FUNDO)
    try:
        return _DECODER.decode(texto.removeprefix(_BOM))
    except msgspec.ValidationError as error:
        raise DecodeError("invalid_value", "number with too many digits") from error
    except RecursionError as error:
        raise DecodeError("too_deep", _FUNDO) from error
    except (msgspec.DecodeError, UnicodeError) as error:
        if (inteiro := _sem_metades(texto)) != texto:
            return ler_json(inteiro)
        raise DecodeError("not_json", "text that is not JSON") from error


def _is_fundo(texto: str) -> bool:
    if texto.count("[") + texto.count("{") <= FUNDO_DO_JSON:
        return False
    fundo = 0
    for achado in _SINAL.finditer(texto):
        sinal = achado[0][0]
        fundo += (sinal in "[{") - (sinal in "]}")
        if fundo > FUNDO_DO_JSON:
            return True
    return False


def _sem_metades(texto: str) -> str:
    return _PAR_OU_METADE.sub(lambda achado: achado["outro"] or r"\ufffd", texto)
