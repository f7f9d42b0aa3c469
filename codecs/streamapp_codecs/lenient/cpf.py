"""A CPF, the tax number of a person in Brazil, leaves the codecs masked or not at all."""

import re
from decimal import Decimal

from streamapp_codecs.lenient.values import is_number

# Formatted or not, alone or as "CPF - Nome". Ten digits alone have lost a leading zero.
_CPF = re.compile(r"\s*([0-9]{3})\.?([0-9]{3})\.?([0-9]{3})-?[0-9]{2}(?:\s*|\s+-\s.*)", re.DOTALL)
_WITHOUT_ZERO = re.compile(r"\s*[0-9]{10}\s*")
_SMALLEST, _ABOVE = 10**9, 10**11
# Room for a CPF and a name; a longer text is neither.
_MAX_TEXT = 256


def mask_cpf(value: object) -> str | None:
    """Return the CPF in *value* as `***.456.789-**`; None if there is none, which is no error."""
    text = _as_text(value)
    if text is None or len(text) > _MAX_TEXT:
        return None
    if _WITHOUT_ZERO.fullmatch(text):
        text = "0" + text.strip()
    match = _CPF.fullmatch(text)
    return None if match is None else f"***.{match[2]}.{match[3]}-**"


def _as_text(value: object) -> str | None:
    if isinstance(value, str):
        return value
    if not is_number(value) or not Decimal(value).is_finite():
        return None
    return str(int(value)) if _SMALLEST <= value < _ABOVE and value == int(value) else None
