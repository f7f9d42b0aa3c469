"""A CPF leaves the codecs masked, or not at all."""

import re
from decimal import Decimal

from streamapp_codecs.lenient.values import is_numero

# Formatted or not, alone or as "CPF - Nome". Ten digits alone have lost a leading zero.
_CPF = re.compile(r"\s*([0-9]{3})\.?([0-9]{3})\.?([0-9]{3})-?[0-9]{2}(?:\s*|\s+-\s.*)", re.DOTALL)
_SEM_ZERO = re.compile(r"\s*[0-9]{10}\s*")
_ONZE_DIGITOS = 10**11
_DEZ_DIGITOS = 10**9
# A CPF and a name fit; what is longer is neither.
_MAIOR = 256


def mascarar(valor: object) -> str | None:
    """Return the CPF in *valor* as `***.456.789-**`; None, an anonymous customer, where there is none."""
    texto = _em_texto(valor)
    if texto is None or len(texto) > _MAIOR:
        return None
    if _SEM_ZERO.fullmatch(texto):
        texto = "0" + texto.strip()
    achado = _CPF.fullmatch(texto)
    return None if achado is None else f"***.{achado[2]}.{achado[3]}-**"


def _em_texto(valor: object) -> str | None:
    if isinstance(valor, str):
        return valor
    if not is_numero(valor) or not Decimal(valor).is_finite():
        return None
    return str(int(valor)) if _DEZ_DIGITOS <= valor < _ONZE_DIGITOS and valor == int(valor) else None
