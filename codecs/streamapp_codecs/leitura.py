"""JSON text read without losing a digit."""

import re
from decimal import Decimal, InvalidOperation

import msgspec

from streamapp_codecs.codec import DecodeError

_BOM = "\ufeff"
# Half of a character outside the basic plane, as text cut by its length leaves it: JSON allows the escape,
# UTF-8 has no bytes for it.
_PAR_OU_METADE = re.compile(
    r"(?P<outro>\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|\\u[dD][89a-fA-F][0-9a-fA-F]{2}"
)


def numero(texto: str) -> Decimal:
    """Answer the number that *texto* spells, NaN where its exponent has no end."""
    try:
        return Decimal(texto)
    except InvalidOperation:
        return Decimal("NaN")


_DECODER = msgspec.json.Decoder(float_hook=numero)


def ler_json(texto: str) -> object:
    """Answer what *texto* holds; raises `DecodeError`."""
    try:
        return _DECODER.decode(texto.removeprefix(_BOM))
    except msgspec.ValidationError as error:
        raise DecodeError("invalid_value", "number with too many digits") from error
    except RecursionError as error:
        raise DecodeError("too_deep", "arrays or objects nested too deep") from error
    except (msgspec.DecodeError, UnicodeError) as error:
        if (inteiro := _sem_metades(texto)) != texto:
            return ler_json(inteiro)
        raise DecodeError("not_json", "text that is not JSON") from error


def _sem_metades(texto: str) -> str:
    return _PAR_OU_METADE.sub(lambda achado: achado["outro"] or r"\ufffd", texto)
